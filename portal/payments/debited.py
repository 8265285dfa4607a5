"""Which instalments the bank may have paid already: by a line of a statement, or by its word.

Until somebody explains it, such an instalment is neither paid nor given up (R22).
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from portal.core.db import session
from portal.payments.models import BankMessage, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    Statement,
    StatementLine,
)

GIVEN_UP = (OrderStatus.REJECTED, OrderStatus.RETURNED)


def debited(instalments: Collection[UUID]) -> set[UUID]:
    """Return which instalments may be paid already. Two SQL statements, none for no instalment."""
    return by_line(instalments) | by_word(instalments) if instalments else set()


def by_line(instalments: Collection[UUID]) -> set[UUID]:
    """Return which instalments may be paid already, by a debit that nobody explained yet.

    A bank that refused a payment, or was said never to have made it, may still have paid: its
    debit waits, to be booked or in suspense, under the reference of that payment (its EndToEndId,
    or words that name it), that of its file, or none of ours and the same amount: banks also give
    references of their own, which say nothing. One SQL statement.
    """
    earlier, line = aliased(PaymentOrder), aliased(StatementLine)
    rows = (
        select(earlier.instalment_id)
        .outerjoin(PaymentFile, PaymentFile.id == earlier.file_id)
        .join(line, or_(*_may_be(line, earlier)))
        .where(
            earlier.instalment_id.in_(instalments),
            line.status.in_([LineStatus.WAITING, LineStatus.SUSPENSE]),
            line.amount < 0,
        )
    )
    return set(session.scalars(rows))


def _may_be(
    line: type[StatementLine], earlier: type[PaymentOrder]
) -> Iterable[ColumnElement[bool]]:
    """Yield what makes a line perhaps the debit of an earlier payment."""
    yield line.end_to_end_id == earlier.ref
    yield earlier.ref == any_(line.named)
    yield line.batch_id == PaymentFile.message_id
    yield and_(
        line.bank_account_id == PaymentFile.bank_account_id,
        earlier.status.in_(GIVEN_UP),
        line.amount == -earlier.amount,
        ~_is_ours(line),
    )


def _is_ours(line: type[StatementLine]) -> ColumnElement[bool]:
    """Return whether the bank gave a line the reference of a payment, or of a file, of ours."""
    order, file = aliased(PaymentOrder), aliased(PaymentFile)
    return or_(
        exists().where(order.ref == line.end_to_end_id),
        exists().where(file.message_id == line.batch_id),
    )


def by_word(instalments: Collection[UUID]) -> set[UUID]:
    """Return those instalments of which the bank told a payment that nobody has explained yet.

    A notice told of its debit, or an answer says that the bank takes it, or has it, though it had
    been given up. It is explained once the bank is known to have paid (the payment was confirmed
    since), a line that came since was booked as something else, or somebody saw to the message: a
    line that was there before may be another debit. One statement.
    """
    otherwise = exists().where(
        StatementLine.end_to_end_id == PaymentOrder.ref,
        StatementLine.amount <= -PaymentOrder.amount,  # a fee that names it explains nothing
        StatementLine.status == LineStatus.BOOKED,
        StatementLine.statement.has(Statement.imported_at >= BankMessage.received_at),
        ~exists().where(
            Allocation.line_id == StatementLine.id,
            Allocation.purpose == Purpose.PAYMENT,
            Allocation.undone_at.is_(None),
        ),
    )
    rows = (
        select(PaymentOrder.instalment_id)
        .join(BankMessage, PaymentOrder.ref == any_(BankMessage.perhaps_paid))
        .where(
            PaymentOrder.instalment_id.in_(instalments),
            BankMessage.seen_at.is_(None),
            func.coalesce(PaymentOrder.confirmed_at <= BankMessage.received_at, true()),
            ~otherwise,
        )
    )
    return set(session.scalars(rows))
