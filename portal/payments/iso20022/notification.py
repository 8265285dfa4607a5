"""Notices of debits and credits (camt.054): a payment left, money arrived."""

from dataclasses import dataclass

from portal.payments.iso20022.entries import Entry
from portal.payments.iso20022.values import AccountId


@dataclass(frozen=True, slots=True)
class Notification:
    """One notice about one account."""

    message_id: str
    notification_id: str
    account: AccountId
    entries: tuple[Entry, ...]
