"""Payments by card that come back once something rests on them (R25): as by bank, money waits.

The payment stays paid. What the card processor gave back lies in card clearing and in suspense,
until people say what it is (`late_outcomes`); nothing is asked of the processor again.
"""

from datetime import date

from sqlalchemy import select

from portal.core import audit
from portal.core.db import session
from portal.core.text import normalise
from portal.ledger.models import AccountKind
from portal.ledger.service import suspense_booked
from portal.payments.models import LateReturn, PaymentOrder
from portal.payments.service import orders
from portal.payments.service.bank import doubt_account
from portal.payments.service.booking import fund_of
from portal.payments.service.resting import is_used


def kept_as_late(order: PaymentOrder, transaction_id: str, on: date, reason: str) -> bool:
    """Say whether a payment that came back on the day `on` is too late to be taken as not made.

    If so its money waits in suspense from now on, or does already, and its account is in doubt
    where that is the `reason` that the processor gives. `transaction_id` is the line of the
    processor's account that brought it.
    """
    orders.hold(order)
    if _is_known(order):
        return True
    if not is_used(order):
        return False
    late = LateReturn(
        order=order,
        transaction_id=transaction_id,
        amount_usd=order.amount_usd,
        came_on=on,
        reason=normalise(reason).strip(),
    )
    session.add(late)
    suspense_booked(
        fund_of(order), late.left, late.booking_ref, on, by=None, into=AccountKind.CARD_CLEARING
    )
    session.flush()
    audit.record(
        "payment_order.came_back_late",
        order,
        actor_id=None,
        case_id=order.case_id,
        rule="R25",
        facts={"amount_usd": order.amount_usd, "line": transaction_id},
    )
    doubt_account(order, late.reason)
    return True


def _is_known(order: PaymentOrder) -> bool:
    rows = select(LateReturn.id).where(LateReturn.order_id == order.id)
    return session.scalar(rows) is not None
