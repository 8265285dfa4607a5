"""Taking back that a payment came back, where people said so and it was something else.

The credit waits in suspense again. The payment was never given back: its own debit is taken out of
its booking and entered anew, as a payment that the bank made after all.
"""

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
from portal.payments.statements.service.entering import enter
from portal.payments.statements.service.parts import Target
from portal.payments.statements.service.paying import CREDITED, SETTLED


def is_by_hand(allocation: Allocation) -> bool:
    """Say whether people alone said that a payment came back, and it can be taken back. No SQL.

    Once for each payment: what was paid after all stands under a booking of its own.
    """
    order = allocation.order
    return (
        allocation.purpose is Purpose.RETURN
        and allocation.by_id is not None
        and allocation.from_suspense
        and order is not None
        and order.status is OrderStatus.RETURNED
        and not order.paid_after_all
    )


def debit_of(order: PaymentOrder) -> Allocation:
    """Return by which line the payment was told, if it is one. Raises Refused otherwise."""
    rows = select(Allocation).where(
        Allocation.order_id == order.id,
        Allocation.purpose == Purpose.PAYMENT,
        Allocation.undone_at.is_(None),
    )
    found = session.scalars(rows).all()
    if len(found) != 1 or _goes_through(order.ref + CREDITED) is not AccountKind.SUSPENSE:
        raise Refused(
            _("What the bank or the card processor did is undone by them, by a line of its own.")
        )
    return found[0]


def free_debit(debit: Allocation, by: Person) -> None:
    """Put the debit of a payment into suspense, the payment being undone in the books.

    The caller has marked the allocation as undone.
    """
    order = debit.order
    ref = (order.ref if order else "") + SETTLED
    was = _goes_through(ref)
    booking = ledger.find(ref)
    if booking is not None:
        reverse(booking, on=clock.today(), by=by.id)
    if was is AccountKind.SUSPENSE:
        return
    suspend_again(debit, by)


def pay_anew(debit: Allocation, reason: str, by: Person) -> None:
    """Enter the freed debit as its payment. Raises Refused once another attempt lives."""
    line = hold(debit.line_id)
    enter(line, Target(Purpose.PAYMENT, debit.amount, order=debit.order), by=by, reason=reason)


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
