"""Why a payment that was released for the bank does not leave, and what ends that."""

from dataclasses import dataclass

from portal.awards.models import AwardStatus
from portal.core.i18n import _
from portal.payments.models import BankStatus, OrderStatus, PaymentOrder
from portal.payments.rails import BANK
from portal.payments.reasons import in_words


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
    waits = order.status is OrderStatus.RELEASED and order.file_id is None
    if order.rail != BANK.name or not waits:
        return None
    return _by_grant(order) or _by_details(order)


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
