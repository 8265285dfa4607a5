"""When what a first person said of a line was overtaken, so that it is no first word of two (R22).

Whoever books the line as something else withdraws it. Words from before that was so still stand,
and count for nothing: this is told by what became of the line since they were said.
"""

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from portal.payments.statements.models import Allocation, Purpose, ReturnProposal, StatementLine


def counts() -> ColumnElement[bool]:
    """Return whether a word still waits for a second one: neither withdrawn, overtaken nor booked.

    What was booked by it stays on record beside the rest of its line.
    """
    booked = aliased(Allocation)
    is_booked = (
        exists()
        .where(
            booked.line_id == ReturnProposal.line_id,
            booked.order_id == ReturnProposal.order_id,
            booked.purpose == Purpose.RETURN,
            booked.undone_at.is_(None),
        )
        .correlate_except(booked)
    )
    return and_(ReturnProposal.withdrawn_at.is_(None), not_(is_booked), not_(is_overtaken()))


def is_overtaken() -> ColumnElement[bool]:
    """Return whether a word was overtaken since: less of its line was left, or it came to nothing.

    The line was booked as something else, so that less was left of it than the word is of, or was
    to go back; or what was confirmed of this payment was taken back.
    """
    later, undone = aliased(Allocation), aliased(Allocation)
    return or_(
        exists()
        .where(
            undone.line_id == ReturnProposal.line_id,
            undone.order_id == ReturnProposal.order_id,
            undone.purpose == Purpose.RETURN,
            undone.undone_at > ReturnProposal.at,
        )
        .correlate_except(undone),
        exists()
        .where(
            later.line_id == ReturnProposal.line_id,
            later.at > ReturnProposal.at,
            _left_too_little(later),
        )
        .correlate_except(later),
    )


def _left_too_little(later: type[Allocation]) -> ColumnElement[bool]:
    """Return whether less than the word is of was left once `later` was booked.

    Not where what the word says was booked by then: that left nothing, as it should.
    """
    stood, line = aliased(Allocation), aliased(StatementLine)
    confirmed = and_(
        stood.purpose == Purpose.RETURN,
        stood.order_id == ReturnProposal.order_id,
        stood.amount == ReturnProposal.amount,
    )
    taken = func.sum(stood.amount).filter(stood.purpose != Purpose.SEND_BACK)
    left = func.max(line.amount) - func.coalesce(taken, 0)
    goes_back = func.bool_or(stood.purpose == Purpose.SEND_BACK)
    return (
        select(and_(not_(func.bool_or(confirmed)), or_(goes_back, left < ReturnProposal.amount)))
        .select_from(stood)
        .join(line, line.id == stood.line_id)
        .where(
            stood.line_id == later.line_id,
            stood.number <= later.number,
            or_(stood.id == later.id, stood.undone_at.is_(None), stood.undone_at > later.at),
        )
        .correlate_except(stood, line)
        .scalar_subquery()
    )
