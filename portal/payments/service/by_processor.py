"""Payments that leave through the card processor: one step at a time, each committed.

The processor speaks for itself: a payment is settled once the grantee's bank has taken it, and
called dead only when the money is back in our account. Until then nobody knows, and nobody says.
"""

import logging
from uuid import UUID

from sqlalchemy import select, text

from portal.contributions.models.cards import CardMovement, MovementKind
from portal.contributions.service.cards import booking
from portal.core import clock, jobs, stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.stripe.models import CallState, StripeCall, StripeEvent
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.ledger.service import posting
from portal.payments.covering import is_covered
from portal.payments.holding import may_have_left, must_wait
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.rails.base import Answer, Outcome
from portal.payments.rails.stripe import REVERSAL, STRIPE, TRANSFERS, Progress, Step, order_of
from portal.payments.service import orders
from portal.payments.service.answers import reject_by_bank, return_by_bank, settle_by_bank
from portal.payments.service.booking import book_advance, fund_of
from portal.payments.service.coming_late import kept_as_late
from portal.payments.service.signing import instruction_of

CLEARING = AccountKind.CARD_CLEARING

log = logging.getLogger(__name__)
_waiting: set[UUID] = set()
"""Orders that this run has looked at, and that wait for somebody else."""


def pay_next() -> object:
    """Take one step of one order that is under way; ask to be called for the next."""
    if not stripe.is_on():
        return None
    taken_back = select(StripeCall.key).where(
        StripeCall.state == CallState.READY, StripeCall.key == REVERSAL + PaymentOrder.ref
    )
    under_way = (PaymentOrder.status == OrderStatus.RELEASED) | taken_back.exists()
    order = session.scalar(
        select(PaymentOrder)
        .where(PaymentOrder.rail == STRIPE.name, under_way)
        .where(PaymentOrder.id.not_in(_waiting))
        .order_by(PaymentOrder.prepared_at, PaymentOrder.id)
        .limit(1)
    )
    if order is None:
        _waiting.clear()
        return None
    if _tried(order) is Progress.WAITING:
        _waiting.add(order.id)
    return jobs.AGAIN


def _tried(order: PaymentOrder) -> Progress:
    """Take the next step of an order; one that cannot be taken keeps no other order waiting."""
    ref = order.ref
    try:
        with session.begin_nested():
            return pay(order)
    except Exception:
        log.exception("payment %s cannot take its next step", ref)
        return Progress.WAITING


def pay(order: PaymentOrder) -> Progress:
    """Take the next step of an order, alone; the caller commits.

    Whoever else works on the order meanwhile is left alone: the step waits.
    """
    mine = text("SELECT pg_try_advisory_xact_lock(hashtext(:ref))")
    if not session.scalar(mine, {"ref": order.ref}) or not _goes_on(order):
        return Progress.WAITING
    try:
        step = STRIPE.step(order.ref, instruction_of(order), sets_aside=lambda: _sets_aside(order))
    except stripe.Unanswered as silent:
        log.warning("payment %s: %s", order.ref, silent)
        return Progress.WAITING
    if step.transferred is not None:
        book_advance(order, clock.today(), through=AccountKind.PAYMENTS_IN_TRANSIT, by=None)
    if step.answer is not None:
        _hear(order, step, step.answer)
    session.flush()
    return step.progress


def _goes_on(order: PaymentOrder) -> bool:
    """Say whether the order's transfer was kept, or may be as far as one sees now."""
    session.expire(order, ["transfer"])
    return may_have_left(order) or _may_leave(order)


def _may_leave(order: PaymentOrder) -> bool:
    """Say whether nothing stops the order that would stop a payment file, and it has its money."""
    return not must_wait([order]) and is_covered(order)


def _sets_aside(order: PaymentOrder) -> bool:
    """Say whether the order may leave, with it and the fund's books held until that is kept.

    From then on nobody calls it dead. Nothing is asked of the processor meanwhile: who waits for
    the books does not wait for it.
    """
    orders.hold(order)
    posting.hold([fund_of(order)])
    return _may_leave(order)


def _hear(order: PaymentOrder, step: Step, answer: Answer) -> None:
    """Book what became of an order. What was heard before changes nothing."""
    was = order.status
    if answer.outcome is Outcome.REJECTED:
        reject_by_bank(order, reason=answer.remark)
    elif answer.outcome is Outcome.SETTLED and was is OrderStatus.RELEASED:
        _moved(order, MovementKind.GRANT_PAID, _transfer(order))
        settle_by_bank(
            order,
            debited=order.money,
            on=answer.on,
            reference=answer.reference,
            from_=CLEARING,
        )
    elif answer.outcome is Outcome.RETURNED and step.reversed is not None:
        _came_back(order, answer, step.reversed, was)


def _came_back(order: PaymentOrder, answer: Answer, made: stripe.Json, was: OrderStatus) -> None:
    """Book that the transfer was taken back; too late for a new attempt, the money waits (R25)."""
    if was is OrderStatus.RELEASED:
        _moved(order, MovementKind.GRANT_PAID, _transfer(order))
        _moved(order, MovementKind.GRANT_RETURNED, made)
        reject_by_bank(order, reason=answer.remark)
    elif was is OrderStatus.CONFIRMED:
        moved = _moved(order, MovementKind.GRANT_RETURNED, made)
        if kept_as_late(order, moved.transaction_id, answer.on, answer.remark):
            return
        return_by_bank(
            order,
            credited=order.money,
            on=answer.on,
            reference=answer.reference,
            reason=answer.remark,
            into=CLEARING,
        )


def _transfer(order: PaymentOrder) -> stripe.Json:
    """Return the transfer of an order, as the processor has it."""
    found = list(stripe.listed(TRANSFERS, transfer_group=order.ref))
    if len(found) != 1:
        raise Refused(
            _(
                "The card processor has %(count)s transfers for payment %(ref)s, not one. "
                "Nothing was booked: ask the card processor.",
                count=len(found),
                ref=order.ref,
            )
        )
    return found[0]


def _moved(order: PaymentOrder, kind: MovementKind, thing: stripe.Json) -> CardMovement:
    """Keep the line of our account that a transfer, or its return, made there."""
    line_id = str(thing["balance_transaction"])
    known = booking.known(line_id)
    if known is not None:
        return known
    line = stripe.read(f"/v1/balance_transactions/{line_id}")
    sign = -1 if kind is MovementKind.GRANT_PAID else 1
    if (line["amount"], line["fee"]) != (sign * stripe.to_stripe(order.money), 0):
        raise Refused(_("The card processor moved another amount than was ordered."), rule="R23")
    return booking.movement(None, kind, thing["id"], line, fund_code=fund_of(order))


def _told_of_payout(event: StripeEvent) -> None:
    """Look at the order of a payout from a grantee's account."""
    there = stripe.read(f"/v1/payouts/{event.object_id}", account=event.account)
    order = session.scalar(select(PaymentOrder).where(PaymentOrder.ref == order_of(there)))
    if order is None or order.rail != STRIPE.name:
        raise stripe.NotOurs(_("No payment of this portal is meant."))
    if order.status not in {OrderStatus.RELEASED, OrderStatus.CONFIRMED}:
        return
    if order.status is OrderStatus.CONFIRMED and there["status"] == "paid":
        return
    if pay(order) is Progress.WAITING and order.status is OrderStatus.CONFIRMED:
        raise stripe.Later(_("The card processor does not answer about this payment."))


stripe.handles("payout", _told_of_payout, connected=True)
