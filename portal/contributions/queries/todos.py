"""What each person has to do about contributions, for the home page."""

from datetime import timedelta

from sqlalchemy import select, union_all
from sqlalchemy.orm import aliased, contains_eager

from portal.accounts.models import Person
from portal.contributions import policy, rules
from portal.contributions.models import AgreementStatus, ContributionAgreement, ContributionDispute
from portal.contributions.models.cards import CardGift, CardPayout, CardRefund
from portal.contributions.queries.card_todos import (
    STAFF,
    dispute_todo,
    open_disputes,
    open_refunds,
    payout_todo,
    payouts_to_come_back,
    refund_todo,
)
from portal.contributions.queries.figures import Receivable, receivables
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.todo import Todo


def todos(person: Person) -> list[Todo]:
    """Return what waits for the person: drafts, cards, money due. Three SQL statements at most."""
    found = []
    if policy.records(person) or policy.writes(person):
        found += _waiting(person)
    if policy.writes(person):
        found += _due(person)
    return found


def _waiting(person: Person) -> list[Todo]:
    """Return what waits for the person to act, the oldest first. One SQL statement."""
    drafts = select(ContributionAgreement.id).where(
        policy.scope(person, ContributionAgreement.fund_code, STAFF),
        ContributionAgreement.status == AgreementStatus.DRAFT,
    )
    ids = union_all(
        drafts, open_refunds(person), payouts_to_come_back(person), open_disputes(person)
    ).subquery()
    disputed = aliased(CardGift)
    rows = (
        select(ContributionAgreement, CardRefund, CardPayout, ContributionDispute, disputed)
        .select_from(ids)
        .outerjoin(ContributionAgreement, ContributionAgreement.id == ids.c.id)
        .outerjoin(CardRefund, CardRefund.id == ids.c.id)
        .outerjoin(CardRefund.gift)
        .outerjoin(CardPayout, CardPayout.id == ids.c.id)
        .outerjoin(ContributionDispute, ContributionDispute.id == ids.c.id)
        .outerjoin(disputed, disputed.contribution_id == ContributionDispute.contribution_id)
        .options(contains_eager(CardRefund.gift))
    )
    tasks = []
    for agreement, refund, payout, dispute, gift in session.execute(rows):
        if agreement is not None:
            tasks.append(_draft(person, agreement))
        elif refund is not None:
            tasks.append(refund_todo(person, refund))
        elif payout is not None:
            tasks.append(payout_todo(payout))
        else:
            tasks.append(dispute_todo(dispute, gift))
    found = [each for each in tasks if each is not None]
    return sorted(found, key=lambda each: str(each.since))


def _draft(person: Person, agreement: ContributionAgreement) -> Todo | None:
    """Return what the person does about a draft: confirm it, or add the signed paper to it."""
    if agreement.paper is not None and policy.can_confirm(person, agreement):
        title = _("Confirm the agreement with a donor")
    elif agreement.paper is None and policy.can_draft(person, agreement):
        title = _("Add the signed paper to the draft of an agreement")
    else:
        return None
    return Todo(
        title,
        "contributions.agreement",
        {"ref": agreement.ref},
        note=agreement.donor.name,
        since=agreement.drafted_at,
    )


def _due(person: Person) -> list[Todo]:
    """Return one task for what is overdue, and one for what is due soon."""
    soon = clock.today() + timedelta(days=rules.DUE_SOON_DAYS)
    own = [
        each for each in receivables(person) if policy.can_write(person, each.agreement.fund_code)
    ]
    overdue = [each for each in own if each.due.is_overdue]
    coming = [each for each in own if not each.due.is_overdue and each.due.due_on <= soon]
    tasks = []
    if overdue:
        title = ngettext(
            "Ask a donor for %(num)s instalment that is overdue",
            "Ask donors for %(num)s instalments that are overdue",
            len(overdue),
        )
        tasks.append(_first(title, overdue))
    if coming:
        title = ngettext(
            "%(num)s instalment of a donor is due soon",
            "%(num)s instalments of donors are due soon",
            len(coming),
        )
        tasks.append(_first(title, coming))
    return tasks


def _first(title: str, found: list[Receivable]) -> Todo:
    """Return one task for several instalments, with the day of the earliest."""
    return Todo(
        title,
        "contributions.receivables",
        due=found[0].due.due_on,
        note=found[0].agreement.donor.name,
    )
