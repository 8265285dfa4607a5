"""Debits that nobody has explained: until one is, its instalment is neither paid nor given up."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, or_, select
from sqlalchemy.orm import aliased

from portal.awards.models import Instalment
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.banking import perhaps_paid
from portal.payments.models import OrderStatus, PaymentFile, PaymentOrder
from portal.payments.statements.models import LineStatus, StatementLine

GIVEN_UP = (OrderStatus.REJECTED, OrderStatus.RETURNED)


def unexplained(instalments: Collection[UUID]) -> set[UUID]:
    """Return which instalments may be paid already, by a debit that nobody explained yet.

    A bank that refused a payment, or was said never to have made it, may still have paid: its
    debit waits, to be booked or in suspense, under the reference of that payment (its EndToEndId,
    or words that name it), that of its file, or none at all and the same amount. One SQL statement.
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
        line.end_to_end_id == "",
        line.batch_id == "",
    )


def refuse_unexplained_debit(*instalments: Instalment) -> None:
    """Raise Refused where the bank debited an earlier payment of an instalment after all.

    A new attempt would pay twice. At most two SQL statements.
    """
    asked = [each.id for each in instalments]
    if unexplained(asked):
        raise Refused(
            _(
                "The bank debited an earlier payment of this instalment, or as much, and that "
                "debit waits in suspense: paying now would pay twice. Ask the grantee and the "
                "bank. Then finance says what the line is: paid after all, claimed back, or "
                "something else."
            ),
            rule="R22",
        )
    if perhaps_paid(asked):
        raise Refused(
            _(
                "The bank says that it made an earlier payment of this instalment, or has it: "
                "paying now may pay twice. Take in the bank's statement and say what its line is, "
                "or say on the message's page, under “From the bank”, how it was seen to."
            ),
            rule="R22",
        )
