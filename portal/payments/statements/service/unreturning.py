"""Taking back that a payment came back, where people said so and it was something else.

The credit waits in suspense again. The payment was never given back: its own debit, in one line or
in several, is taken out of its booking and entered anew, as a payment that the bank made after all.
"""

from collections.abc import Sequence

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind, LedgerTransaction
from portal.ledger.service import reverse
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements.models import Allocation, Purpose
from portal.payments.statements.service.booking import hold, suspend_again
from portal.payments.statements.service.paying import CREDITED, SETTLED
from portal.payments.statements.service.together import enter_all


def is_by_hand(allocation: Allocation) -> bool:
    """Say whether people alone said that a payment came back, and it can be taken back.

    Once for each payment: what was paid after all stands under a booking of its own. Where a
    notice told of the return, the books hold it without the line. At most three SQL statements.
    """
    order = allocation.order
    return (
        allocation.purpose is Purpose.RETURN
        and allocation.by_id is not None
        and allocation.from_suspense
        and order is not None
        and order.status is OrderStatus.RETURNED
        and not order.paid_after_all
        and _goes_through(order.ref + CREDITED) is AccountKind.SUSPENSE
    )


def debits_of(order: PaymentOrder) -> Sequence[Allocation]:
    """Return by which lines the payment was told, the one that holds its booking first.

    Raises Refused where none did: only a debit in suspense proves what is paid after all.
    """
    rows = select(Allocation).where(
        Allocation.order_id == order.id,
        Allocation.purpose == Purpose.PAYMENT,
        Allocation.undone_at.is_(None),
    )
    found = session.scalars(rows.order_by(Allocation.booking_ref)).all()
    if not found:
        raise Refused(
            _(
                "No line of a statement shows that payment %(ref)s was debited. Import the "
                "statement that does, and take this back then.",
                ref=order.ref,
            )
        )
    return found


def free_debits(order: PaymentOrder, debits: Sequence[Allocation], by: Person) -> None:
    """Put the debits of a payment into suspense, the payment being undone in the books.

    The caller has marked the allocations as undone.
    """
    ref = order.ref + SETTLED
    was = _goes_through(ref)
    booking = ledger.find(ref)
    if booking is not None:
        reverse(booking, on=clock.today(), by=by.id)
    if was is AccountKind.SUSPENSE:
        return
    for debit in debits:
        suspend_again(debit, by)


def pay_anew(order: PaymentOrder, debits: Sequence[Allocation], reason: str, *, by: Person) -> None:
    """Enter the freed debits as their payment. Raises Refused once another attempt lives."""
    parts = [(hold(debit.line_id), debit.amount) for debit in debits]
    enter_all(order, parts, reason, by=by)


def reverse_credit(order: PaymentOrder, by: Person) -> None:
    """Take what came back out of the books: the credit lies in suspense as before."""
    booking = ledger.find(order.ref + CREDITED)
    if booking is not None:
        reverse(booking, on=clock.today(), by=by.id)


def _goes_through(ref: str) -> AccountKind | None:
    """Return whether a booking goes through the bank account or through suspense."""
    booking: LedgerTransaction | None = ledger.find(ref)
    sides = {AccountKind.BANK, AccountKind.SUSPENSE}
    lines = ledger.lines_of(booking) if booking else []
    return next((each.account for each in lines if each.account in sides), None)
