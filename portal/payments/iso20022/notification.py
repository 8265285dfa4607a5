"""Notices of debits and credits (camt.054): a payment left, money arrived."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.core.i18n import _
from portal.payments.iso20022.accounts import Accounts
from portal.payments.iso20022.entries import Entry
from portal.payments.iso20022.kinds import NOTIFICATION
from portal.payments.iso20022.part import Part
from portal.payments.iso20022.streaming import Beginning
from portal.payments.iso20022.values import AccountId, Unreadable


@dataclass(frozen=True, slots=True)
class Notification:
    """One notice about one account."""

    message_id: str
    notification_id: str
    account: AccountId
    entries: tuple[Entry, ...]


def read_notifications(beginning: Beginning) -> Iterator[Notification]:
    """Yield the notices of a message. Raises Unreadable for one that cannot be taken."""
    return Accounts(beginning, NOTIFICATION.body, "Ntfctn", _currency).read(_notification)


def _notification(message_id: str, part: Part, entries: Iterator[Entry]) -> Notification:
    account = part.account("Acct")
    if account is None:
        raise Unreadable(_("The notice does not say of which account it is."))
    notification_id = part.need("Id")
    return Notification(message_id, notification_id, account, tuple(entries))


def _currency(part: Part) -> str | None:
    return part.text("Acct/Ccy") or None
