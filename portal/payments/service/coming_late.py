"""Payments by card that come back once something rests on them (R25): as by bank, money waits.

The payment stays paid. What the card processor gave back lies in card clearing and in suspense,
until finance says what it is; nothing is asked of the processor again.
"""

from datetime import date

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.ledger.service import suspense_booked
from portal.payments import policy
from portal.payments.models import LateReturn, PaymentOrder
from portal.payments.service import orders
from portal.payments.service.booking import fund_of
from portal.payments.service.closing import receivable_of
from portal.payments.service.refunds import receive_refund
from portal.payments.service.resting import is_used
from portal.payments.service.signatories import refuse_signatory_of_attempts


def kept_as_late(order: PaymentOrder, transaction_id: str, on: date) -> bool:
    """Say whether a payment that came back on the day `on` is too late to be made anew.

    If so its money waits in suspense from now on, or does already. `transaction_id` is the line of
    the processor's account that brought it.
    """
    orders.hold(order)
    if _known(order) is not None:
        return True
    if not is_used(order):
        return False
    late = LateReturn(
        order=order, transaction_id=transaction_id, amount_usd=order.amount_usd, came_on=on
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
    return True


def count_as_refund(order: PaymentOrder, reason: str, *, by: Person) -> None:
    """Book what waits of a late return as what its grantee owes back, as far as that goes.

    Raises Refused for anybody but finance of the fund, for who signed an attempt to make the
    payment, without a reason, and where nothing waits or nothing is owed.
    """
    words = words_or_refuse(reason, _("Give the reason; it stays on record."))
    orders.hold(order)
    late, owed = _known(order), receivable_of(order.instalment.award)
    if late is None or not late.left:
        raise Refused(_("Nothing of this payment waits in suspense."), rule="R25")
    if owed is None or not owed.is_owed:
        raise Refused(_("The grantee owes nothing back: draw the balance first."), rule="R25")
    if not policy.can_settle(by, owed):
        raise Refused(_("Refunds are recorded by finance."), rule="R25")
    refuse_signatory_of_attempts([order.ref], by)
    amount = min(late.left, owed.left)
    receive_refund(
        owed,
        amount,
        ref=f"{late.booking_ref}:{late.refunded_usd}",
        reference=late.transaction_id,
        on=clock.today(),
        by=by,
        into=AccountKind.SUSPENSE,
    )
    with session.no_autoflush:  # the database wants amount, person and reason at once
        late.refunded_usd += amount.minor
        late.reason, late.by_id = words, by.id
    session.flush()
    audit.record(
        "payment_order.late_refund",
        order,
        actor_id=by.id,
        case_id=order.case_id,
        rule="R25",
        facts={"amount_usd": amount.minor, "left_usd": late.left.minor},
    )


def _known(order: PaymentOrder) -> LateReturn | None:
    rows = select(LateReturn).where(LateReturn.order_id == order.id).with_for_update()
    return session.scalar(rows.execution_options(populate_existing=True))
