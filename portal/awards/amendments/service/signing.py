"""Signatures on an amendment: the grantee's, then the fund's, with which it is in force."""

from portal.accounts.models import Person
from portal.awards.amendments.models import Amendment, AmendmentAction, AmendmentStatus
from portal.awards.amendments.service.holding import hold, tell
from portal.awards.amendments.service.terms import refuse_while_money_moves
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW
from portal.awards.models import AwardBudgetLine, Instalment
from portal.awards.service.agreeing import same_name
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger.service import commit_funds, release_commitment


def accept(amendment: Amendment, typed_name: str, digest: str, *, by: Person) -> None:
    """Sign for the grantee by typing one's own name, over the text with this digest.

    Raises Refused for anybody but the legal representative, for another name or another text.
    """
    hold(amendment)
    AMENDMENT_WORKFLOW.check(amendment, AmendmentAction.ACCEPT, by)
    if not same_name(typed_name, by.name):
        raise Refused(
            _("Type your name exactly as it stands in your profile: %(name)s.", name=by.name)
        )
    _refuse_other_text(amendment, digest)
    with session.no_autoflush:  # the database wants signature and status at once
        amendment.signed_name = normalise(typed_name).strip()
        amendment.signed_by_id, amendment.signed_at = by.id, clock.now()
        AMENDMENT_WORKFLOW.perform(
            amendment,
            AmendmentAction.ACCEPT,
            by=by,
            facts=_facts(amendment),
            event="amendment.accepted",
        )
    session.flush()


def countersign(amendment: Amendment, digest: str, *, by: Person) -> None:
    """Countersign for the fund: the award becomes what the text says, and so do the books.

    Twice by the same person is once. Raises Refused for the wrong person or text, where the award
    changed meanwhile, while a payment is under way, and above what is available (R19).
    """
    hold(amendment)
    in_force = amendment.status is AmendmentStatus.IN_FORCE
    if in_force and amendment.countersigned_by_id == by.id:
        return
    AMENDMENT_WORKFLOW.check(amendment, AmendmentAction.COUNTERSIGN, by)
    _refuse_other_text(amendment, digest)
    _refuse_moved(amendment)
    with session.no_autoflush:  # the database wants signature and status at once
        amendment.countersigned_by_id, amendment.countersigned_at = by.id, clock.now()
        AMENDMENT_WORKFLOW.perform(
            amendment,
            AmendmentAction.COUNTERSIGN,
            by=by,
            rule="R26",
            facts=_facts(amendment),
            event="amendment.signed",
        )
    session.flush()  # the award changes only once an amendment in force says so
    _apply(amendment)
    _commit(amendment, by)
    session.flush()
    tell(amendment, "agreement_signed", "signed")


def _facts(amendment: Amendment) -> dict[str, object]:
    return {
        "digest": amendment.digest,
        "number": amendment.number,
        "amount_usd": amendment.amount_usd,
    }


def _refuse_other_text(amendment: Amendment, digest: str) -> None:
    if digest != amendment.digest:
        raise Refused(_("This is not the text that you read. Open it again."), rule="R26")


def _refuse_moved(amendment: Amendment) -> None:
    """Refuse where the award is not what the text was written for."""
    award = amendment.award
    stands = {each.number: each.planned_usd for each in award.instalments}
    was = {term["number"]: term["before"] for term in amendment.instalments}
    lines = {line.position: line.amount_usd for line in award.budget}
    kept = {term["position"]: term["before"] for term in amendment.budget}
    begins = (amendment.from_amount_usd, amendment.from_ends_on)
    if (
        begins != (award.amount_usd, award.ends_on)
        or any(was.get(number) != cents for number, cents in stands.items())
        or any(kept.get(position) != cents for position, cents in lines.items())
    ):
        raise Refused(_("The grant changed since this was written: withdraw it."), rule="R26")
    if amendment.change_usd:
        refuse_while_money_moves(award, amendment.amount_usd)


def _apply(amendment: Amendment) -> None:
    award = amendment.award
    award.amount_usd, award.ends_on = amendment.amount_usd, amendment.ends_on
    lines = {line.position: line for line in award.budget}
    for term in amendment.budget:
        line = lines.get(term["position"])
        if line is not None:
            line.amount_usd = term["usd"]
            continue
        session.add(
            AwardBudgetLine(
                award=award,
                position=term["position"],
                category=term["category"],
                description=term["description"],
                requested_usd=0,
                amount_usd=term["usd"],
            )
        )
    parts = {each.number: each for each in award.instalments}
    last = award.instalments[-1]
    for plan in amendment.instalments:
        part = parts.get(plan["number"])
        if part is not None:
            part.planned_usd = plan["usd"]
            continue
        session.add(
            Instalment(
                award=award,
                number=plan["number"],
                percent=0,
                trigger=last.trigger,
                report_key=last.report_key,
                planned_usd=plan["usd"],
            )
        )
    session.flush()


def _commit(amendment: Amendment, by: Person) -> None:
    """Let the commitment follow the award, under a reference of the amendment's own (R19)."""
    award, change = amendment.award, amendment.change_usd
    if not change:
        return
    move = commit_funds if change > 0 else release_commitment
    move(
        award.application.call.fund_code,
        award.ref,
        usd(abs(change)),
        by=by.id,
        case_id=award.case_id,
        movement_ref=amendment.movement_ref,
    )
