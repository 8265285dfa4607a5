"""Why a payment that was released does not leave by itself, and what ends that."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.awards.models import AwardStatus
from portal.core import stripe
from portal.core.i18n import _, locale
from portal.core.money import format_money, usd
from portal.payments.covering import left_for
from portal.payments.debited import debited
from portal.payments.models import (
    BankAccountStatus,
    BankStatus,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.rails import BANK, STRIPE
from portal.payments.reasons import in_words
from portal.payments.ways import paying_account


@dataclass(frozen=True)
class Held:
    """Why a payment is held back, and what somebody does about it, each in sentences."""

    why: str
    advice: str


def held_back(order: PaymentOrder) -> Held | None:
    """Return why a released payment has not left by bank or card, and does not leave, or None.

    Payments leave only while their grant is in force and their bank details are verified, and by
    card only where there is a processor. No SQL statement where details, grant and transfer were
    read with the order.
    """
    if not waits_to_leave(order):
        return None
    return _by_grant(order) or _by_details(order) or _by_processor(order)


def held_back_at_all(order: PaymentOrder) -> Held | None:
    """Return why a released payment does not leave, as `held_back`, or what else keeps it back.

    At most three SQL statements.
    """
    if not waits_to_leave(order):
        return None
    way = _by_cover if order.rail == STRIPE.name else _by_account
    return held_back(order) or _by_debit(order) or way(order)


def must_wait(orders: Sequence[PaymentOrder]) -> list[PaymentOrder]:
    """Return which of these payments must not leave now, in a new file or in one that was kept.

    Two SQL statements where details and grants were read with the orders.
    """
    stopped = _stopped(orders)
    return [
        order
        for order in orders
        if order.status is not OrderStatus.RELEASED or order.ref in stopped
    ]


def stopped_in(file: PaymentFile) -> dict[str, str]:
    """Return why payments of a file that the bank has not settled must not be made, by reference.

    Two SQL statements where the file was read with its account, orders, details and grants.
    """
    orders = [order for order in file.orders if order.status is OrderStatus.RELEASED]
    if file.bank_account.status is BankAccountStatus.IN_USE:
        return _stopped(orders)
    return {order.ref: _("Its account of the fund was taken out of use.") for order in orders}


def _stopped(orders: Sequence[PaymentOrder]) -> dict[str, str]:
    paid = debited([order.instalment_id for order in orders])
    found = {
        order.ref: _by_grant(order)
        or _by_details(order)
        or (_paid_perhaps() if order.instalment_id in paid else None)
        for order in orders
    }
    return {ref: held.why for ref, held in found.items() if held is not None}


def may_have_left(order: PaymentOrder) -> bool:
    """Say whether a file or a transfer of the order was kept: without one it cannot have left."""
    kept = order.transfer if order.rail == STRIPE.name else order.file_id
    return kept is not None


def waits_to_leave(order: PaymentOrder) -> bool:
    """Say whether an order was released, leaves by bank or card by itself, and has not left."""
    leaves_by_itself = order.rail in {BANK.name, STRIPE.name}
    is_released = order.status is OrderStatus.RELEASED
    return leaves_by_itself and is_released and not may_have_left(order)


def _by_debit(order: PaymentOrder) -> Held | None:
    return _paid_perhaps() if debited([order.instalment_id]) else None


def _paid_perhaps() -> Held:
    return Held(
        _("The bank may have paid this instalment already."),
        _("It leaves once somebody says what the bank's line or message is."),
    )


def _by_account(order: PaymentOrder) -> Held | None:
    fund = order.instalment.award.application.call.fund_code
    if paying_account(fund, order.currency) is not None:
        return None
    return Held(
        _("The fund has no account in %(currency)s in use any more.", currency=order.currency),
        _("Enter one; otherwise record that it was not paid."),
    )


def _by_processor(order: PaymentOrder) -> Held | None:
    if order.rail != STRIPE.name or stripe.is_on():
        return None
    return Held(
        _("The portal has no card processor any more."),
        _("Record that it was not paid; it is then prepared anew, to leave another way."),
    )


def _by_cover(order: PaymentOrder) -> Held | None:
    left = left_for(order)
    if left >= order.amount_usd:
        return None
    lang = str(locale())
    return Held(
        _(
            "Less of the fund's money lies with the card processor than it takes: %(free)s lies "
            "there and is not set aside, %(missing)s is missing.",
            free=format_money(usd(max(left, 0)), lang),
            missing=format_money(usd(order.amount_usd - left), lang),
        ),
        _("It leaves once enough has come in by card. Otherwise record that it was not paid."),
    )


def _by_grant(order: PaymentOrder) -> Held | None:
    status = order.instalment.award.status
    if status is AwardStatus.ACTIVE:
        return None
    if status is AwardStatus.SUSPENDED:
        return Held(
            _("Its grant is suspended."),
            _("It leaves once the grant is resumed. Otherwise record that it was not paid."),
        )
    return Held(
        _("Its grant is “%(status)s”.", status=status.label), _("Record that it was not paid.")
    )


def _by_details(order: PaymentOrder) -> Held | None:
    details = order.bank_details
    if details.status is BankStatus.VERIFIED:
        return None
    if details.status is BankStatus.DOUBTED:
        return Held(
            _(
                "Its bank details are no longer verified (%(reason)s).",
                reason=in_words(details.remark),
            ),
            _("Verify them again, or record that it was not paid."),
        )
    return Held(
        _("Its bank details no longer stand (%(reason)s).", reason=details.status.label),
        _("Record that it was not paid; it is then prepared anew with the details that stand."),
    )
