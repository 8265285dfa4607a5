"""Lines that tell of our own payments: debited, given back, made after all.

A notice (camt.054, pacs.004) may have told of it before: then it is booked already, and the line
only proves it.
"""

from sqlalchemy import exists, select

from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.service import charged, suspense_booked
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.service.answers import return_by_bank, settle_after_all, settle_by_bank
from portal.payments.service.booking import refuse_much_kept
from portal.payments.statements.models import Allocation, Purpose
from portal.payments.statements.service.parts import Part

SETTLED, CREDITED, CHARGE = ":settled", ":credited", ":charge"
"""How the books name that the bank debited a payment, gave it back, and what it kept of it."""


def payment(part: Part) -> tuple[str, str]:
    """Book that the bank debited an order. What a notice told of is in the books already."""
    order = part.target.order
    if order is None or part.line.is_credit:
        raise Refused(_("A payment is a debit, of one order."))
    ref = order.booking_ref + SETTLED
    if part.target.number > 1:
        return _beside(part, ref), order.ref
    debited = part.money + (part.target.beside or Money.zero(part.money.currency))
    told = _is_told(order, Purpose.PAYMENT, ref)
    returned = order.status is OrderStatus.RETURNED
    if order.status is OrderStatus.REJECTED or (returned and (told or _is_reversed(ref))):
        return _after_all(part, order, debited)
    if told:
        raise Refused(_("The bank debited this payment by another line already: claim it back."))
    if order.status is not OrderStatus.RELEASED and ledger.find(ref) is not None:
        if debited != order.money:
            raise Refused(_told_otherwise(order.money))
        _take_from_suspense(part)
        return ref, order.ref
    settle_by_bank(
        order,
        debited=debited,
        on=part.line.booked_on,
        reference=part.line.reference,
        from_=part.through,
    )
    return ref, order.ref


def _beside(part: Part, ref: str) -> str:
    """Take a further line of a payment out of suspense, where the payment did not come from there.

    Returns a reference of its own: the books hold the payment once, by the first line.
    """
    booking = ledger.find(ref)
    accounts = {one.account for one in ledger.lines_of(booking)} if booking else set()
    if AccountKind.SUSPENSE not in accounts:
        _take_from_suspense(part)
    return f"{ref}:{part.target.number}"


def payment_back(part: Part) -> tuple[str, str]:
    """Book that a payment came back. What a notice told of is in the books already."""
    order = part.target.order
    if order is None or not part.line.is_credit:
        raise Refused(_("A payment that comes back is a credit, of one order."))
    ref = order.booking_ref + CREDITED
    if _is_told(order, Purpose.RETURN, ref):
        raise Refused(_("The bank gave this payment back by another line already."))
    if order.status is OrderStatus.RETURNED and ledger.find(ref) is not None:
        _charge_what_lacks(part, ref)
        _take_from_suspense(part)
        return ref, order.ref
    return_by_bank(
        order,
        credited=part.money,
        on=part.line.booked_on,
        reference=part.line.reference,
        reason=part.line.return_code,
        into=part.through,
    )
    return ref, order.ref


def _is_told(order: PaymentOrder, purpose: Purpose, booking_ref: str) -> bool:
    """Say whether a line tells of a booking already. One SQL statement, by the unique index."""
    told = exists().where(
        Allocation.order_id == order.id,
        Allocation.purpose == purpose,
        Allocation.booking_ref == booking_ref,
        Allocation.undone_at.is_(None),
    )
    return bool(session.scalar(select(told)))


def _is_reversed(ref: str) -> bool:
    """Say whether a booking was taken back: its line was freed, and is entered anew."""
    booking = ledger.find(ref)
    return booking is not None and ledger.reversal_of(booking) is not None


def _after_all(part: Part, order: PaymentOrder, debited: Money) -> tuple[str, str]:
    """Book that the bank made a payment after it had said that it did not: a person says so."""
    if part.by is None:
        raise Refused(
            _(
                "The bank had refused payment %(ref)s, or given it back. Ask the grantee whether "
                "the money arrived: then it was paid after all; otherwise it is claimed back.",
                ref=order.ref,
            )
        )
    settle_after_all(
        order,
        debited=debited,
        on=part.line.booked_on,
        reference=part.line.reference,
        by=part.by,
    )
    return order.booking_ref + SETTLED, order.ref


def _charge_what_lacks(part: Part, ref: str) -> None:
    """Book as a charge what the bank kept of a payment that it said it would give back."""
    booking = ledger.find(ref)
    lines = ledger.lines_of(booking) if booking else []
    told = next((one for one in lines if one.account is not AccountKind.PAYMENTS_IN_TRANSIT), None)
    kept = told.money - part.money if told else Money.zero(part.money.currency)
    if told is not None and kept.minor < 0:
        raise Refused(_told_otherwise(told.money))
    if told is not None and kept:
        refuse_much_kept(told.money, part.money, part.line.booked_on)
        dollars, rate = kept if part.rate is None else part.rate.in_usd(kept), part.rate
        charged(
            part.fund,
            dollars,
            ref + CHARGE,
            part.line.booked_on,
            by=part.by.id if part.by else None,
            local=None if rate is None else kept,
            rate=rate,
            subject_ref=booking.subject_ref if booking else None,
        )


def _told_otherwise(told: Money) -> str:
    return _(
        "The bank had told of %(told)s: enter as much as this, and say what the rest is.",
        told=format_money(told, str(locale())),
    )


def _take_from_suspense(part: Part) -> None:
    """Take a part out of suspense again: what it is stands in the bank account already."""
    if part.through is AccountKind.BANK:
        return
    suspense_booked(
        part.fund,
        -part.dollars if part.line.is_credit else part.dollars,
        f"{part.ref}:told",
        part.line.booked_on,
        by=part.by.id if part.by else None,
        local=None if part.rate is None else -part.signed,
        rate=part.rate,
    )
