"""The end of a grant: what lapses, what comes back, and the closed file (R22, R25)."""

from datetime import date, timedelta

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.queries import representatives
from portal.awards.models import Award, AwardAction, Instalment, InstalmentStatus
from portal.awards.workflow import WORKFLOW
from portal.core import audit, clock, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.service import refund_due, refund_received, release_commitment
from portal.payments import policy, rules
from portal.payments.models import Receivable, ReceivableAction, ReceivableStatus
from portal.payments.service.orders import (
    SETTLED,
    accepted_reports,
    accepted_usd,
    due_usd,
    paid_usd,
    waits_for_spending,
)
from portal.payments.workflow import RECEIVABLE_WORKFLOW


def settle_account(award: Award, *, by: Person) -> Receivable | None:
    """Draw the balance once every report is accepted.

    An instalment with nothing left to pay lapses; what was set aside beyond it goes back to the
    fund; what was paid and not accepted as spent becomes a receivable with a due date (R25),
    which is returned. Raises Refused for anybody but programme and finance, or too early.
    """
    if not policy.can_prepare(by, award.application):
        raise Refused(_("The balance is drawn by the programme officer or by finance."))
    audit.take_turn()
    session.refresh(award, ["status", "version"], with_for_update=True)
    _refuse_before_reports(award)
    for instalment in award.instalments:
        if _lapses(instalment):
            _lapse(instalment, by)
    _release_surplus(award, by)
    return _receivable(award, by)


def settle_receivable(receivable: Receivable, *, reference: str, on: date, by: Person) -> None:
    """Record that a refund arrived on the day `on`, and book it. Raises Refused."""
    words = normalise(reference).strip()
    if not words:
        raise Refused(_("Give the bank's reference of the refund."), rule="R25")
    if on > clock.today():
        raise Refused(_("The day of the refund is in the future."), rule="R25")
    audit.take_turn()
    session.refresh(receivable, ["status", "version"], with_for_update=True)
    award = receivable.award
    RECEIVABLE_WORKFLOW.check(receivable, ReceivableAction.SETTLE, by)
    receivable.settled_on = on
    receivable.settled_by_id = by.id
    receivable.bank_reference = words
    RECEIVABLE_WORKFLOW.perform(
        receivable,
        ReceivableAction.SETTLE,
        by=by,
        rule="R25",
        facts={"amount_usd": receivable.amount_usd},
    )
    refund_received(
        award.application.call.fund_code,
        award.ref,
        usd(receivable.amount_usd),
        f"{award.ref}:refund",
        on,
        by=by.id,
        case_id=award.case_id,
    )
    session.flush()


def close_award(award: Award, *, by: Person) -> None:
    """Close the file: every report accepted, every instalment paid or lapsed, nothing owed.

    Raises Refused with what is still open, for instance while a commitment is not zero.
    """
    audit.take_turn()
    session.refresh(award, ["status", "version"], with_for_update=True)
    WORKFLOW.check(award, AwardAction.CLOSE, by)
    sentence = open_matter(award)
    if sentence:
        raise Refused(sentence, rule="R25")
    award.closed_at = clock.now()
    WORKFLOW.perform(award, AwardAction.CLOSE, by=by, event="award.closed")
    session.flush()
    for person in representatives(award.application.organisation_id):
        outbox.queue(
            person.email,
            "award_closed",
            key=f"award-closed:{award.id}:{person.id}",
            link=f"/files/{award.application.ref}",
            locale=person.language,
            person_id=person.id,
            reference=award.application.ref,
        )


def open_matter(award: Award) -> str | None:
    """Return the sentence that names what keeps the file open, or None."""
    if not _reports_accepted(award):
        return _("A report is not accepted yet.")
    if any(instalment.status not in SETTLED for instalment in award.instalments):
        return _("An instalment is neither paid nor lapsed. Draw the balance first.")
    owed = select(Receivable.id).where(
        Receivable.award_id == award.id, Receivable.status == ReceivableStatus.OPEN
    )
    if session.scalar(owed) is not None:
        return _("Money has still to come back from the grantee.")
    books = ledger.award_position(award.application.call.fund_code, award.ref)
    if books.committed.minor or books.advanced.minor or books.refund_due.minor:
        return _("The books still hold a commitment or an advance of this grant. Draw the balance.")
    return None


def _reports_accepted(award: Award) -> bool:
    accepted = {report.key for report in accepted_reports(award)}
    return {rule.key for rule in award.fund.reports} <= accepted


def _refuse_before_reports(award: Award) -> None:
    if not _reports_accepted(award):
        raise Refused(_("The balance is drawn once every report is accepted."), rule="R30")


def _lapses(instalment: Instalment) -> bool:
    planned = instalment.status is InstalmentStatus.PLANNED
    return planned and waits_for_spending(instalment) and due_usd(instalment) == 0


def _lapse(instalment: Instalment, by: Person) -> None:
    instalment.status = InstalmentStatus.LAPSED
    session.flush()
    audit.record(
        "instalment.lapsed",
        instalment,
        actor_id=by.id,
        case_id=instalment.case_id,
        from_status=InstalmentStatus.PLANNED.value,
        to_status=InstalmentStatus.LAPSED.value,
        rule="R22",
    )


def _release_surplus(award: Award, by: Person) -> None:
    """Give back what was set aside and will not be paid any more."""
    fund = award.application.call.fund_code
    still_due = sum(
        due_usd(instalment) for instalment in award.instalments if instalment.status not in SETTLED
    )
    surplus = ledger.outstanding(fund, award.ref).minor - still_due
    if surplus > 0:
        release_commitment(
            fund,
            award.ref,
            usd(surplus),
            by=by.id,
            case_id=award.case_id,
            movement_ref=f"{award.ref}:surplus:{still_due}",
        )


def _receivable(award: Award, by: Person) -> Receivable | None:
    before = session.scalar(select(Receivable).where(Receivable.award_id == award.id))
    amount = rules.owed_back(accepted=accepted_usd(award), paid=paid_usd(award))
    if before is not None or amount == 0:
        return before
    receivable = Receivable(
        award=award,
        amount_usd=amount,
        due_on=clock.today() + timedelta(days=rules.REFUND_DAYS),
    )
    session.add(receivable)
    session.flush()
    audit.record(
        "receivable.due",
        receivable,
        actor_id=by.id,
        case_id=award.case_id,
        to_status=ReceivableStatus.OPEN.value,
        rule="R25",
        facts={"amount_usd": amount},
    )
    refund_due(
        award.application.call.fund_code,
        award.ref,
        usd(amount),
        f"{award.ref}:refund-due",
        clock.today(),
        by=by.id,
        case_id=award.case_id,
    )
    for person in representatives(award.application.organisation_id):
        outbox.queue(
            person.email,
            "refund_due",
            key=f"refund-due:{receivable.id}:{person.id}",
            link=f"/files/{award.application.ref}/payments",
            locale=person.language,
            person_id=person.id,
            reference=award.application.ref,
        )
    return receivable
