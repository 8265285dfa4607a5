"""The small values of bank messages: accounts, reasons, balances; and how they stand in XML."""

from dataclasses import dataclass
from datetime import date

from portal.core.workflow import Refused


class Unreadable(Refused):
    """A message that cannot be taken. `sentence` says what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class AccountId:
    """An account as banks name it, compact and in capitals: `value` is an IBAN or a number."""

    value: str
    is_iban: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a bank refused or returned: an external ISO code such as `AC04`, and its own words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds at a day's begin or end. `amount` is signed, in minor units."""

    amount: int
    on: date
