"""What rests on a payment: once something does, it is not taken back as if it had never been."""

from sqlalchemy import exists, or_, select

from portal.awards.models import Award, AwardStatus, Instalment, InstalmentStatus
from portal.core.db import session
from portal.ledger import queries as ledger
from portal.payments.models import PaymentOrder, Receivable
from portal.payments.standing import standing


def is_used(order: PaymentOrder) -> bool:
    """Say whether something rests on a payment that was made, so that it cannot be made anew.

    A later instalment, a balance that was drawn, a closed file, or spending that was accepted
    after it. What was accepted before it was paid (R22: the last instalment pays for it) does not
    rest on it. The caller holds the order and its award. A fixed number of SQL statements.
    """
    instalment, award = order.instalment, order.instalment.award
    if award.status is AwardStatus.CLOSED or _is_followed(instalment):
        return True
    books = ledger.award_position(award.application.call.fund_code, award.ref)
    if books.advanced.minor >= order.amount_usd:
        return False
    found = standing(award)
    return found.is_ended or not found.accepted.keys() <= found.awaited(instalment)


def _is_followed(instalment: Instalment) -> bool:
    """Say whether a later instalment is under way or settled, or the balance was drawn."""
    later = exists().where(
        Instalment.award_id == instalment.award_id,
        Instalment.number > instalment.number,
        Instalment.status != InstalmentStatus.PLANNED,
    )
    drawn = exists().where(Receivable.award_id == Award.id)
    rows = select(or_(later, drawn)).where(Award.id == instalment.award_id)
    return bool(session.scalar(rows))
