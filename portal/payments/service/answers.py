"""What the bank says of one payment: accepted, refused, debited, given back. It has no hand here.

Each is safe to hear twice, in whatever order messages come: a debit proves that a file left, even
where nobody wrote down that it did. What does not fit the order raises Refused and is left for a
person; nothing is ever half-booked.
"""

from datetime import date, timedelta

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.queries import representatives
from portal.awards.models import InstalmentStatus
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.service import payment_returned, payment_settled
from portal.payments.models import FileStatus, OrderStatus, PaymentOrder
from portal.payments.service.bank import doubt_account
from portal.payments.service.booking import book_advance, in_dollars, refuse_much_kept
from portal.payments.service.orders import hold
from portal.payments.service.resting import is_used
from portal.payments.service.sending import mark_sent
from portal.payments.service.telling import tell

MOST_WORDS = 1000
ONE_DAY = timedelta(days=1)
GIVEN_UP = frozenset({OrderStatus.REJECTED, OrderStatus.RETURNED})
"""Payments of which the bank said that they did not arrive."""


def accept_by_bank(order: PaymentOrder) -> None:
    """Note that the bank will pay. Twice is once; once it is paid it says nothing new."""
    _hold_sent(order)
    if order.status is not OrderStatus.RELEASED or order.accepted_at is not None:
        return
    order.accepted_at = clock.now()
    _record(order, "payment_order.accepted", order.status)


def reject_by_bank(order: PaymentOrder, *, reason: str) -> None:
    """Record that the bank will not pay: the booking is reversed and the money set aside again.

    A new attempt needs new signatures. Twice is once. Raises Refused for an order that the bank
    has paid, or that is not with it.
    """
    _hold_sent(order)
    if order.status is OrderStatus.REJECTED:
        return
    _refuse_unless(order, OrderStatus.RELEASED)
    with session.no_autoflush:  # the database wants status and reason at once
        order.status, order.remark = OrderStatus.REJECTED, _words(reason)
        order.instalment.status = InstalmentStatus.PLANNED
    if ledger.find(order.booking_ref) is not None:
        payment_returned(order.booking_ref, clock.today(), by=None, case_id=order.case_id)
    _record(order, "payment_order.reject", OrderStatus.RELEASED)
    doubt_account(order, order.remark)


def settle_by_bank(
    order: PaymentOrder,
    *,
    debited: Money,
    on: date,
    reference: str,
    from_: AccountKind = AccountKind.BANK,
) -> None:
    """Record that the bank debited the payment on the day `on`, and book it.

    The difference between the rate of the order and that of the day is a gain or loss on exchange.
    Twice is once. Raises Refused for another amount than was ordered, or for an order that was not
    with the bank: such a debit waits for a person.
    """
    _hold_sent(order)
    if order.status in {OrderStatus.CONFIRMED, OrderStatus.RETURNED}:
        return
    _refuse_unless(order, OrderStatus.RELEASED)
    _refuse_before_it_left(order, on)
    _pay(order, debited, on, reference, from_)


def settle_after_all(
    order: PaymentOrder, *, debited: Money, on: date, reference: str, by: Person
) -> None:
    """Record that the bank debited a payment which it had refused, or given back, and book it.

    The signatures that it has still say what was paid to whom; `by` says that the money arrived,
    and the debit comes out of suspense. Raises Refused for a payment that was not given up, that
    was paid after all before, or whose instalment is settled in another way.
    """
    _hold_sent(order)
    if order.status not in GIVEN_UP or order.file is None or order.paid_after_all:
        raise _misfit(order)
    _refuse_before_it_left(order, on)
    _refuse_settled_otherwise(order)
    before = order.status
    _pay(order, debited, on, reference, AccountKind.SUSPENSE)
    _record(order, "payment_order.paid_after_all", before, by)


def _refuse_settled_otherwise(order: PaymentOrder) -> None:
    """Raise Refused where another attempt lives, or nothing is left to pay."""
    other = session.scalar(
        select(PaymentOrder.ref).where(
            PaymentOrder.instalment_id == order.instalment_id,
            PaymentOrder.status.not_in([*GIVEN_UP, OrderStatus.CANCELLED]),
        )
    )
    if other is not None:
        raise Refused(
            _(
                "Payment %(other)s is another attempt to pay this instalment. Cancel it where it "
                "has not left; otherwise claim this debit back from the bank.",
                other=other,
            ),
            rule="R22",
        )
    if order.instalment.status is not InstalmentStatus.PLANNED:
        raise Refused(
            _(
                "Nothing is left to pay of this instalment: claim the debit back from the bank, or "
                "from the grantee who has the money. What comes, also in parts, is paired with "
                "this line; what a bank keeps of it is its charge."
            ),
            rule="R22",
        )


def _pay(order: PaymentOrder, debited: Money, on: date, reference: str, from_: AccountKind) -> None:
    """Book a debit of the bank; what had been given up is booked as paid anew."""
    if debited != order.money:
        raise Refused(_("The bank debited another amount than was ordered."), rule="R23")
    dollars, rate = in_dollars(debited, on)
    instalment, before = order.instalment, order.status
    with session.no_autoflush:  # the database wants all of it at once
        if before in GIVEN_UP:
            order.paid_after_all, order.returned_on = True, None
        order.status = OrderStatus.CONFIRMED
        order.agent_reference, order.paid_on = reference or order.ref, on
        order.confirmed_at = clock.now()
        instalment.status, instalment.paid_usd = InstalmentStatus.PAID, order.amount_usd
    _record(order, f"instalment.paid:{instalment.number}", before)
    if before in GIVEN_UP:
        book_advance(order, on, through=AccountKind.PAYMENTS_IN_TRANSIT, by=None)
    payment_settled(
        order.booking_ref,
        dollars,
        on,
        by=None,
        case_id=order.case_id,
        local=debited,
        rate=rate,
        from_=from_,
    )
    session.flush()
    _tell_grantee("payment_made", order)


def return_by_bank(
    order: PaymentOrder,
    *,
    credited: Money,
    on: date,
    reference: str,
    reason: str,
    into: AccountKind = AccountKind.BANK,
) -> None:
    """Record that a payment came back on the day `on`, and book what the bank gave back.

    The money is set aside again; a new attempt needs new signatures. Twice is once. Raises Refused
    for a payment that was not debited yet, for more than was paid, for so much less that it is no
    charge of a bank, for another currency, or once something rests on the payment (`is_used`): such
    money waits for a person.
    """
    _hold_sent(order)
    if order.status is OrderStatus.RETURNED:
        return
    _refuse_unless(order, OrderStatus.CONFIRMED)
    _refuse_before_it_left(order, on)
    if credited.currency != order.currency or not 0 < credited.minor <= order.amount:
        raise Refused(_("Another amount came back than was paid."), rule="R23")
    refuse_much_kept(order.money, credited, on)
    _refuse_used(order)
    _come_back(order, credited=credited, on=on, reference=reference, reason=reason, into=into)
    doubt_account(order, order.remark)


def return_late(order: PaymentOrder, *, came_on: date, reference: str, reason: str) -> None:
    """Record that a payment came back on which something rests: two people say it is made anew.

    All of it waited in suspense since `came_on`, and is booked today. As of any that comes back,
    the money is set aside again and a new attempt needs new signatures. Raises Refused for a
    payment that is not paid.
    """
    _hold_sent(order)
    _refuse_unless(order, OrderStatus.CONFIRMED)
    _come_back(
        order,
        credited=order.money,
        on=clock.today(),
        reference=reference,
        reason=reason,
        into=AccountKind.SUSPENSE,
        came_on=came_on,
    )


def _come_back(
    order: PaymentOrder,
    *,
    credited: Money,
    on: date,
    reference: str,
    reason: str,
    into: AccountKind,
    came_on: date | None = None,
) -> None:
    """Book on the day `on` that a payment came back as `credited`, and tell the grantee.

    `came_on` is the day on which it came, where that was another.
    """
    dollars, rate = in_dollars(credited, on)
    with session.no_autoflush:
        order.status, order.remark = OrderStatus.RETURNED, _words(reason)
        order.returned_on = came_on or on
        order.instalment.status, order.instalment.paid_usd = InstalmentStatus.PLANNED, 0
    _record(order, "payment_order.return", OrderStatus.CONFIRMED, reference=reference)
    payment_returned(
        order.booking_ref,
        on,
        by=None,
        case_id=order.case_id,
        credited=dollars,
        local=credited,
        rate=rate,
        into=into,
    )
    session.flush()
    _tell_grantee("payment_returned", order)


def _tell_grantee(template: str, order: PaymentOrder) -> None:
    """Tell the grantee that a payment was made, or came back; each may happen a second time."""
    application = order.instalment.award.application
    people = representatives(application.organisation_id)
    occasion = "after_all" if order.paid_after_all else ""
    tell(people, template, application, order.id, occasion=occasion)


def _hold_sent(order: PaymentOrder) -> None:
    """Lock the order. An answer proves that its file left, whether or not we had written it."""
    hold(order)
    if order.file is not None and order.file.status is FileStatus.KEPT:
        mark_sent(order.file, by=None)


def _refuse_unless(order: PaymentOrder, status: OrderStatus) -> None:
    if order.status is not status or (order.file is None and order.rail == "bank"):
        raise _misfit(order)


def _misfit(order: PaymentOrder) -> Refused:
    return Refused(
        _(
            "Payment %(ref)s is “%(status)s”: what the bank says does not fit it.",
            ref=order.ref,
            status=order.status.label,
        )
    )


def _refuse_before_it_left(order: PaymentOrder, on: date) -> None:
    """Raise Refused for a day on which nothing can have happened to the payment yet."""
    begun = order.file.made_at if order.file else order.prepared_at
    if on < begun.date() - ONE_DAY:  # west of Greenwich it may still be the day before
        raise Refused(
            _(
                "Payment %(ref)s had not left on that day: the answer cannot be right.",
                ref=order.ref,
            )
        )


def _refuse_used(order: PaymentOrder) -> None:
    if is_used(order):
        raise Refused(
            _(
                "Payment %(ref)s came back too late to be made anew: spending or a later payment "
                "rests on it, or its grant was settled. The money waits in suspense. Ask the "
                "grantee; enter it as the refund that the grantee owes, where one is owed, or "
                "otherwise let it go back where it came from.",
                ref=order.ref,
            ),
            rule="R25",
        )


def _words(reason: str) -> str:
    return normalise(reason).strip()[:MOST_WORDS] or _("The bank gave no reason.")


def _record(
    order: PaymentOrder,
    action: str,
    before: OrderStatus,
    by: Person | None = None,
    **more: str,
) -> None:
    audit.record(
        action,
        order,
        actor_id=by.id if by else None,
        case_id=order.case_id,
        from_status=before.value,
        to_status=order.status.value,
        rule="R24",
        facts={"digest": order.digest, "amount_usd": order.amount_usd, "by": order.rail, **more},
    )
    session.flush()
