"""The end of a grant: what lapses, what comes back, and the closed file (R22, R25)."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.queries import representatives
from portal.awards.models import Award, AwardAction, AwardStatus, Instalment, InstalmentStatus
from portal.awards.rules import REFUND_DAYS
from portal.awards.workflow import WORKFLOW
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.service import refund_due, release_commitment
from portal.payments import policy
from portal.payments.models import Receivable, ReceivableStatus
from portal.payments.service.telling import tell
from portal.payments.service.unexplained import refuse_unexplained_debit
from portal.payments.standing import SETTLED, Standing, standing

DRAWN_FROM = (AwardStatus.ACTIVE, AwardStatus.TERMINATED)


def settle_account(award: Award, *, by: Person) -> Receivable | None:
    """Draw the balance once every report is accepted, or the grant was terminated.

    An instalment with nothing left to pay lapses; what was set aside beyond it goes back to the
    fund; what was paid and not accepted as spent becomes a receivable with a due date (R25),
    which is returned. Drawn again, it finds nothing left to do. Raises Refused for anybody but
    programme and finance, too early, while a payment is under way, or while a debit of the bank is
    unexplained.
    """
    if not policy.can_prepare(by, award.application):
        raise Refused(_("The balance is drawn by the programme officer or by finance."))
    _hold(award)
    refuse_unexplained_debit(*award.instalments)
    sentence = not_yet(standing(award))
    if sentence:
        raise Refused(sentence, rule="R30")
    _lapse_empty(award, by)
    found = standing(award)
    _release_surplus(found, by)
    return _receivable(found, by)


def not_yet(found: Standing) -> str | None:
    """Return the sentence for which the balance cannot be drawn yet, or None."""
    award = found.award
    if award.status not in DRAWN_FROM:
        return _("The balance is drawn of a grant that is active or was terminated.")
    if award.status is AwardStatus.ACTIVE and not found.is_complete:
        return _("The balance is drawn once every report is accepted.")
    if any(each.status is InstalmentStatus.ORDERED for each in award.instalments):
        return _("A payment is under way. Draw the balance once it is confirmed or cancelled.")
    return None


def close_award(award: Award, *, by: Person) -> None:
    """Close the file: every report accepted, every instalment paid or lapsed, nothing owed.

    What is still set aside goes back to the fund. Closing a closed file changes nothing. Raises
    Refused with what is still open.
    """
    _hold(award)
    if award.status is AwardStatus.CLOSED and policy.can_prepare(by, award.application):
        return
    WORKFLOW.check(award, AwardAction.CLOSE, by)
    refuse_unexplained_debit(*award.instalments)
    found = standing(award)
    sentence = open_matter(found)
    if sentence:
        raise Refused(sentence, rule="R25")
    _release_surplus(found, by)
    with session.no_autoflush:  # the database wants status and moment at once
        award.closed_at = clock.now()
        WORKFLOW.perform(award, AwardAction.CLOSE, by=by, event="award.closed")
    session.flush()
    application = award.application
    people = representatives(application.organisation_id)
    tell(people, "award_closed", application, award.id, path="")


def open_matter(found: Standing) -> str | None:
    """Return the sentence that names what keeps the file open, or None. Two SQL statements."""
    award = found.award
    if award.status is not AwardStatus.TERMINATED and not found.is_complete:
        return _("A report is not accepted yet.")
    if any(instalment.status not in SETTLED for instalment in award.instalments):
        return _("An instalment is neither paid nor lapsed. Draw the balance first.")
    books = ledger.award_position(award.application.call.fund_code, award.ref)
    if books.refund_due.minor:
        return _("Money has still to come back from the grantee.")
    if books.advanced.minor > 0:
        return _("More was paid than was accepted as spent. Draw the balance first.")
    return None


def receivable_of(award: Award) -> Receivable | None:
    """Return what the grantee owes or has paid back, if there is such. One SQL statement."""
    return session.scalar(select(Receivable).where(Receivable.award_id == award.id))


def _hold(award: Award) -> None:
    """Take the turn, lock the award until the transaction ends, and read it anew."""
    session.flush()
    audit.take_turn()
    session.refresh(award, ["status", "version", "amount_usd"], with_for_update=True)
    session.refresh(award, ["instalments"])
    for each in award.instalments:
        session.refresh(each, ["status", "planned_usd", "paid_usd", "version"])


def _lapse_empty(award: Award, by: Person) -> None:
    """Let each instalment lapse that has nothing left to pay."""
    dues = standing(award).dues()
    for instalment in award.instalments:
        if dues.get(instalment.number) == 0:
            _lapse(instalment, by)
    session.flush()


def _lapse(instalment: Instalment, by: Person) -> None:
    instalment.status = InstalmentStatus.LAPSED
    audit.record(
        f"instalment.lapsed:{instalment.number}",
        instalment,
        actor_id=by.id,
        case_id=instalment.case_id,
        from_status=InstalmentStatus.PLANNED.value,
        to_status=InstalmentStatus.LAPSED.value,
        rule="R22",
    )


def _release_surplus(found: Standing, by: Person) -> None:
    """Give back what was set aside and will not be paid any more."""
    award = found.award
    surplus = found.committed - sum(found.dues().values())
    if surplus > 0:
        release_commitment(
            award.application.call.fund_code,
            award.ref,
            usd(surplus),
            by=by.id,
            case_id=award.case_id,
            movement_ref=f"{award.ref}:surplus:{uuid4()}",
        )


def _receivable(found: Standing, by: Person) -> Receivable | None:
    award = found.award
    before = receivable_of(award)
    amount = found.owed_back
    if before is not None or amount == 0:
        return before
    receivable = Receivable(
        award=award,
        amount_usd=amount,
        due_on=clock.today() + timedelta(days=REFUND_DAYS),
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
    application = award.application
    tell(representatives(application.organisation_id), "refund_due", application, receivable.id)
    return receivable
