"""Returns (pacs.004): payments that had settled and come back."""

from dataclasses import dataclass
from datetime import date

from portal.core.money import Money
from portal.payments.iso20022.values import Reason


@dataclass(frozen=True, slots=True)
class Return:
    """One payment that comes back: how much of it, on which day, and why."""

    end_to_end_id: str
    original_message_id: str
    amount: Money
    settled_on: date
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReturnMessage:
    """The returns that one message tells of."""

    message_id: str
    returns: tuple[Return, ...]
