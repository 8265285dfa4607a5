"""Orders that nobody released yet end when the bank details under them do."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.awards.models import InstalmentStatus
from portal.core import audit
from portal.core.db import session
from portal.payments.models import BankDetails, OrderStatus, PaymentOrder

UNRELEASED = (
    OrderStatus.PREPARED,
    OrderStatus.CERTIFIED,
    OrderStatus.APPROVED_ONCE,
    OrderStatus.APPROVED,
)


def void_orders(details: BankDetails, by: Person | None) -> None:
    """Cancel the orders to these details that were not released: any edit voids signatures.

    `by` is None where the bank itself refused the account.
    """
    rows = select(PaymentOrder).where(
        PaymentOrder.bank_details_id == details.id, PaymentOrder.status.in_(UNRELEASED)
    )
    held = rows.with_for_update(of=PaymentOrder).execution_options(populate_existing=True)
    for order in session.scalars(held).all():
        before = order.status
        order.status = OrderStatus.CANCELLED
        order.instalment.status = InstalmentStatus.PLANNED
        audit.record(
            "payment_order.voided",
            order,
            actor_id=by.id if by else None,
            case_id=order.case_id,
            from_status=before.value,
            to_status=OrderStatus.CANCELLED.value,
            rule="R21",
        )
