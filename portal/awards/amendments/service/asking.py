"""Asking for an amendment, and what ends one that is open, each with its reason."""

from datetime import date

from portal.accounts.models import Person
from portal.awards.amendments import policy
from portal.awards.amendments.models import Amendment, AmendmentAction, AmendmentStatus
from portal.awards.amendments.service.holding import (
    budget_as_it_is,
    hold,
    hold_award,
    next_number,
    open_one,
    plan_as_it_is,
    refuse_unamendable,
    tell,
    words_of,
)
from portal.awards.amendments.service.terms import refuse_late
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW
from portal.awards.models import Award
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused


def ask(award: Award, reason: str, *, ends_on: date | None = None, by: Person) -> Amendment:
    """Ask the fund for an amendment, for a reason; it becomes a proposal when the officer says so.

    `ends_on` is the last day that the grantee would like (R26). The same again returns what was
    asked. Raises Refused for anybody but the grantee, for an award that takes no amendments, while
    another is open, and for an extension after the end.
    """
    words = words_of(reason, _("Give the reason; the programme officer reads it."))
    hold_award(award)
    refuse_unamendable(award)
    if not policy.can_ask(by, award):
        raise Refused(_("An amendment is asked for by the grantee."))
    known = open_one(award)
    if known is not None:
        if (known.status, known.asked_reason, known.asked_by_id, known.asked_ends_on) == (
            AmendmentStatus.ASKED,
            words,
            by.id,
            ends_on,
        ):
            return known
        raise Refused(_("An amendment is open already: there is one at a time."), rule="R26")
    if ends_on is not None:
        refuse_late(award, ends_on, clock.today())
    amendment = Amendment(
        award=award,
        number=next_number(award),
        status=AmendmentStatus.ASKED,
        micro_grant=award.micro_grant,
        from_amount_usd=award.amount_usd,
        from_ends_on=award.ends_on,
        amount_usd=award.amount_usd,
        ends_on=award.ends_on,
        budget=budget_as_it_is(award),
        instalments=plan_as_it_is(award),
        asked_reason=words,
        asked_ends_on=ends_on,
        asked_by_id=by.id,
        asked_at=clock.now(),
    )
    session.add(amendment)
    session.flush()
    audit.record(
        "amendment.asked",
        amendment,
        actor_id=by.id,
        case_id=amendment.case_id,
        to_status=AmendmentStatus.ASKED.value,
        rule="R26",
        facts={"number": amendment.number},
    )
    return amendment


def decline(amendment: Amendment, reason: str, *, by: Person) -> None:
    """Decline it: a request by the officer, a proposal by the grantee, the rest by the authority.

    Raises Refused for others, and without a reason.
    """
    _end(amendment, AmendmentAction.DECLINE, reason, by)


def withdraw(amendment: Amendment, reason: str, *, by: Person) -> None:
    """Take it back: a request by the grantee, a proposal by the officer. Raises Refused."""
    _end(amendment, AmendmentAction.WITHDRAW, reason, by)


def _end(amendment: Amendment, action: AmendmentAction, reason: str, by: Person) -> None:
    words = words_of(reason, _("Give the reason; the other side reads it."))
    hold(amendment)
    AMENDMENT_WORKFLOW.check(amendment, action, by)
    with session.no_autoflush:  # the database wants status and reason at once
        amendment.remark = words
        AMENDMENT_WORKFLOW.perform(
            amendment, action, by=by, facts={"number": amendment.number, "digest": amendment.digest}
        )
    session.flush()
    if not policy.asks(by, amendment):
        tell(amendment, "award_changed", action.value)
