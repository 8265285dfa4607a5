"""Why a payment that was released for the bank does not leave, and what ends that."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.awards.models import AwardStatus
from portal.core.i18n import _
from portal.payments.debited import debited
from portal.payments.models import BankStatus, OrderStatus, PaymentOrder
from portal.payments.rails import BANK
from portal.payments.reasons import in_words
from portal.payments.ways import paying_account


@dataclass(frozen=True)
class Held:
    """Why a payment is held back, and what somebody does about it, each in sentences."""

    why: str
    advice: str


def held_back(order: PaymentOrder) -> Held | None:
    """Return why a released payment stands in no file and enters none, or None.

    Payments leave only while their grant is in force and their bank details are verified. No SQL
    statement where details and grant were read with the order.
    """
    return _by_grant(order) or _by_details(order) if _waits(order) else None


def held_back_at_all(order: PaymentOrder) -> Held | None:
    """Return why a released payment enters no file, as `held_back`, or what the bank keeps from it.

    At most three SQL statements.
    """
    if not _waits(order):
        return None
    return held_back(order) or _by_debit(order) or _by_account(order)


def must_wait(orders: Sequence[PaymentOrder]) -> list[PaymentOrder]:
    """Return which of these payments must not leave now, in a new file or in one that was kept.

    Two SQL statements where details and grants were read with the orders.
    """
    paid = debited([order.instalment_id for order in orders])
    return [
        order
        for order in orders
        if order.status is not OrderStatus.RELEASED
        or order.instalment_id in paid
        or _by_grant(order)
        or _by_details(order)
    ]


def _waits(order: PaymentOrder) -> bool:
    unfiled = order.status is OrderStatus.RELEASED and order.file_id is None
    return order.rail == BANK.name and unfiled


def _by_debit(order: PaymentOrder) -> Held | None:
    if not debited([order.instalment_id]):
        return None
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
