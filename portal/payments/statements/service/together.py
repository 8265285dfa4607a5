"""A payment that the bank debited by several lines: together they are exactly what was ordered.

Nothing is half-paid: until the lines are the whole, each waits in suspense, and none of them is the
payment. Then one of them is said to be it, and all of them are, in one act.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.workflow import Refused
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine
from portal.payments.statements.service.booking import hold
from portal.payments.statements.service.entering import enter
from portal.payments.statements.service.parts import Target

UNPAID = frozenset({OrderStatus.RELEASED, OrderStatus.REJECTED})
"""Payments that are with the bank, or were refused by it: no line told of them yet."""


def paid_in_several(
    line: StatementLine, target: Target, reason: str, *, by: Person
) -> Allocation | None:
    """Book the lines that are a payment together, and return what this one became.

    The line is held by the caller. None where it may be the payment by itself. Raises Refused where
    it is less than was ordered, and with what else names the payment it is not exactly that.
    """
    order = target.order
    if target.purpose is not Purpose.PAYMENT or order is None or line.is_credit:
        return None
    amount = abs(target.amount or line.left.minor)
    if amount >= order.amount or line.currency != order.currency:
        return None
    session.refresh(order, ["status"])
    others = [each for each in map(hold, _others(line, order)) if not _goes_back(each)]
    came = Money(amount - sum(each.left.minor for each in others), line.currency)
    if came == order.money:
        rest = [(each, each.left.minor) for each in others]
        return enter_all(order, [(line, -amount), *rest], reason, by=by)[0]
    if order.status in UNPAID:
        raise Refused(_other_amount(order, came), rule="R23")
    return None


def enter_all(
    order: PaymentOrder, parts: Sequence[tuple[StatementLine, int]], reason: str, *, by: Person
) -> list[Allocation]:
    """Enter lines that are a payment together, each as much as is said, below zero.

    The first brings the payment into the books; the lines are held by the caller. Raises Refused,
    as `enter` does.
    """
    (line, amount), *others = parts
    beside = Money(-sum(part for _line, part in others), line.currency)
    first = Target(Purpose.PAYMENT, amount, order=order, beside=beside)
    made = [enter(line, first, by=by, reason=reason)]
    for number, (other, part) in enumerate(others, start=2):
        target = Target(Purpose.PAYMENT, part, order=order, number=number)
        made.append(enter(other, target, by=by, reason=reason))
    return made


def _others(line: StatementLine, order: PaymentOrder) -> Sequence[UUID]:
    """Return the other debits in suspense that name the payment. One SQL statement."""
    rows = select(StatementLine.id).where(
        StatementLine.bank_account_id == line.bank_account_id,
        StatementLine.status == LineStatus.SUSPENSE,
        StatementLine.amount < 0,
        StatementLine.id != line.id,
        or_(
            StatementLine.end_to_end_id == order.ref,
            StatementLine.named.contains([order.ref]),
        ),
    )
    return session.scalars(rows.order_by(StatementLine.booked_on, StatementLine.id)).all()


def _goes_back(line: StatementLine) -> bool:
    """Say whether somebody said that a line is claimed back."""
    return any(each.purpose is Purpose.SEND_BACK for each in line.live)


def _other_amount(order: PaymentOrder, came: Money) -> str:
    """Return what to do where the lines together are another amount than was ordered."""
    if came.minor > order.amount:
        return _too_much(order, came)
    return _too_little(order, came)


def _too_much(order: PaymentOrder, came: Money) -> str:
    tag = str(locale())
    return _(
        "Together, the lines that name payment %(ref)s are %(came)s, which is more than "
        "%(whole)s. First say of the line with what is too much what that is: enter a charge of "
        "the bank as a charge, or claim the line back. Then enter one of the others as this "
        "payment, and all of them are.",
        came=format_money(came, tag),
        ref=order.ref,
        whole=format_money(order.money, tag),
    )


def _too_little(order: PaymentOrder, came: Money) -> str:
    tag = str(locale())
    return _(
        "The bank debited %(came)s of payment %(ref)s, which is over %(whole)s. Ask it for the "
        "rest: once all its lines are the whole together, enter one of them as this payment, and "
        "all of them are; a line that is claimed back does not count until that is taken back. If "
        "the bank corrects its debit, claim this one back and pair the two.",
        came=format_money(came, tag),
        ref=order.ref,
        whole=format_money(order.money, tag),
    )
