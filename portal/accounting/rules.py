"""Pure decisions of accounting: which day is meant, and how an amount is divided among several.

Amounts are integers in US cents. Days are days in UTC, whole: a position of a day is the one at
its end.
"""

import re
from collections.abc import Sequence
from datetime import date

from portal.core.i18n import _
from portal.core.text import ascii_digits
from portal.ledger.rules import share

__all__ = [
    "BadDay",
    "account_ends_on",
    "divided",
    "is_year",
    "read_day",
    "read_year",
    "reserve_base",
    "share",
]

FIRST_DAY = date(1946, 1, 1)
"""No fund of the United Nations is older than its first year."""

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_SHOWN = 20


class BadDay(ValueError):
    """A typed day or year that cannot be taken; `sentence` says what to type instead."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def read_day(typed: str, *, today: date) -> date:
    """Return the day that was typed, `today` for nothing. Raises BadDay.

    Digits of every script are read. The books know nothing of the future.
    """
    text = ascii_digits(typed.strip())
    if not text:
        return today
    found = _DAY.fullmatch(text)
    try:
        day = date(*map(int, found.groups())) if found else None
    except ValueError:
        day = None
    if day is None:
        shown = typed.strip()[:_SHOWN]
        raise BadDay(_("“%(typed)s” is not a day. Write it as 2026-11-21.", typed=shown))
    if day > today:
        raise BadDay(_("This day is still to come. Choose today or a day before."))
    if day < FIRST_DAY:
        raise BadDay(_("This day is too long ago. Choose a day from 1946 on."))
    return day


def read_year(typed: str, *, today: date) -> int:
    """Return the year that was typed, this year for nothing. Raises BadDay."""
    text = ascii_digits(typed.strip())
    if not text:
        return today.year
    if not re.fullmatch("[0-9]{4}", text):
        shown = typed.strip()[:_SHOWN]
        raise BadDay(_("“%(typed)s” is not a year. Write it as 2026.", typed=shown))
    year = int(text)
    if year > today.year:
        raise BadDay(_("This year is still to come. Choose this year or one before."))
    if year < FIRST_DAY.year:
        raise BadDay(_("This year is too long ago. Choose a year from 1946 on."))
    return year


def is_year(year: int, *, today: date) -> bool:
    """Say whether there can be an account of `year`."""
    return FIRST_DAY.year <= year <= today.year


def account_ends_on(year: int, *, today: date) -> date:
    """Return the last day that the account of `year` covers: 31 December, or today before it."""
    return min(date(year, 12, 31), today)


def reserve_base(spent: int, advanced: int, committed: int) -> int:
    """Return what the operating reserve is a percentage of, in US cents, never below zero.

    The reserve of a trust fund is a percentage of the expenditure planned for the year. By the
    books that is the expenditure accepted since 1 January, with the advances not yet accounted
    for and the outstanding commitments, which will become expenditure. A payment or an accepted
    report moves money from one of the three to another, so that the base stays as it is. To be
    confirmed by the fund secretariat.
    """
    return max(0, spent + advanced + committed)


def divided(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide `amount` (minor units, of either sign) by `weights`, exact to the last unit.

    Each part is cut to whole units, then those whose cut was largest get one more until the parts
    sum to `amount` (largest remainder; of equal ones the first). So each part is less than one
    unit away from its exact share. Where all weights are zero there is nothing to divide by, and
    every part is zero. Raises ValueError for a weight below zero.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("a share is not below zero")
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    sign = -1 if amount < 0 else 1
    parts = [divmod(abs(amount) * weight, whole) for weight in weights]
    left = abs(amount) - sum(part for part, _rest in parts)
    first = sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))[:left]
    return [sign * (part + (place in first)) for place, (part, _rest) in enumerate(parts)]
