"""The small values of bank messages: amounts, dates, accounts, reasons, balances.

An amount is a decimal number as XML Schema writes it, in the digits 0 to 9, never below zero, and
never finer than its currency's minor unit. A balance's sign stands beside it.
"""

import re
from dataclasses import dataclass
from datetime import date

from portal.core.i18n import _
from portal.core.money import Money, UnknownCurrency, exponent
from portal.core.workflow import Refused

MOST_DIGITS = 15
"""Of minor units. ISO 20022 allows 18; more than 15, or their worth in US$, may be too large for
the audit chain, which keeps whole numbers up to 2**53 (RFC 8785). No fund holds as much."""

_DECIMAL = re.compile(r"\+?(?P<whole>[0-9]*)(?:\.(?P<decimals>[0-9]*))?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*|Z|[+-][0-9]{2}:[0-9]{2})?")
_SHOWN = 40


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


def shown(text: str) -> str:
    """Return `text` as a sentence may quote it: its begin, where it is long."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def amount(text: str, currency: str) -> Money:
    """Return what an amount says. Raises Unreadable where it says nothing exact."""
    digits = _exponent(currency)
    found = _DECIMAL.fullmatch(text)
    whole, decimals = (found["whole"], found["decimals"] or "") if found else ("", "")
    if not whole and not decimals:
        raise Unreadable(_no_amount(text))
    decimals = decimals.rstrip("0")
    if len(decimals) > digits:
        raise Unreadable(
            _(
                "The amount %(amount)s is finer than %(currency)s can be paid.",
                amount=shown(text),
                currency=currency,
            )
        )
    whole = whole.lstrip("0")
    if len(whole) + digits > MOST_DIGITS:
        raise Unreadable(
            _(
                "The amount %(amount)s is larger than the books can hold. Ask the bank what it "
                "meant.",
                amount=shown(text),
            )
        )
    return Money(int(whole + decimals.ljust(digits, "0") or "0"), currency)


def _exponent(currency: str) -> int:
    try:
        return exponent(currency)
    except UnknownCurrency as unknown:
        raise Unreadable(
            _("%(currency)s is no currency of ISO 4217.", currency=f"“{shown(currency)}”")
        ) from unknown


def _no_amount(text: str) -> str:
    if text.startswith("-") and _DECIMAL.fullmatch(text[1:]):
        return _("The amount %(amount)s is below zero.", amount=shown(text))
    if any(mark.isdigit() and not mark.isascii() for mark in text):
        return _(
            "The amount %(amount)s is not written in the digits 0 to 9.",
            amount=f"“{shown(text)}”",
        )
    return _("%(text)s is no amount.", text=f"“{shown(text)}”")


def day(text: str) -> date:
    """Return the day of a date or a moment, as the bank counts it. Raises Unreadable."""
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError as wrong:
        raise Unreadable(_("%(text)s is no date.", text=f"“{shown(text)}”")) from wrong
