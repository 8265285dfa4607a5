"""Money: a whole number of minor units (cents, or what the currency has) and an ISO 4217 code.

Stored as two plain columns, `amount BIGINT` and `currency CHAR(3)`; a model gives them back as one
`Money` by a property. There are no floats, and each conversion rounds once, half to even, on exact
fractions. The number of decimals comes from the ISO 4217 list itself (package `iso4217`): the one
in Babel is about what shops do with cash, and differs for AFN, MMK, SYP, YER and others.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Self

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, get_decimal_symbol, get_group_symbol
from iso4217 import Currency

from portal.core.i18n import _, ngettext
from portal.core.text import ascii_digits

MAX_MINOR = 10**15
"""Largest amount read from a person, in minor units: above it, it is a slip of the hand."""

_MAX_TYPED = 64
_FULL = 100
_EXAMPLE = 4800
_US_DOLLARS = "USD"
_LOOKS = {"\uff0c": ",", "\uff0e": ".", "'": "\u2019"}  # the same mark by another keyboard
_ALWAYS = {
    "\u066b": ".",  # Arabic decimal separator
    "\u066c": "_",  # Arabic thousands separator
    " ": " ",
    "\xa0": " ",
    "\u2009": " ",
    "\u202f": " ",
}
_INVISIBLE = "\u200e\u200f\u061c"
_SHAPE = re.compile(
    # no groups, or groups of three, or of two before the last as in South Asia; one kind of mark
    r"(?P<whole>\d*|\d{1,3}(?:_\d{3})+|\d{1,3}(?: \d{3})+"
    r"|\d{1,2}(?:_\d{2})+_\d{3}|\d{1,2}(?: \d{2})+ \d{3})"
    r"(?:\.(?P<decimals>\d+))?",
    re.ASCII,
)
_EXPONENT = re.compile(r"\d[\d.,]*[eE][+-]?\d+")


class UnknownCurrency(ValueError):
    """The code is on no ISO 4217 list of currencies with minor units."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""


class BadAmount(ValueError):
    """A typed amount that cannot be taken; `sentence` says what to type instead."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@cache
def exponent(currency: str) -> int:
    """Return how many decimals `currency` has by ISO 4217: USD 2, XOF 0, TND 3.

    Raises UnknownCurrency for anything but the upper-case code of a currency people are paid in.
    """
    try:
        digits = Currency(currency).exponent
    except ValueError as problem:
        raise UnknownCurrency(currency) from problem
    if digits is None or not currency.isupper():
        raise UnknownCurrency(currency)
    return digits


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` minor units of `currency`. Adds and compares within one currency only.

    Raises TypeError for a `minor` that is not a plain int, UnknownCurrency for a strange code.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("money takes a whole number of minor units")
        exponent(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing, in `currency`."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str, locale: str = "en") -> Self:
        """Read an amount of `currency` as a person types it, with the separators of `locale`.

        Never negative, never more than MAX_MINOR, never rounded. Raises BadAmount with a sentence
        that says what to type.
        """
        code = currency.strip().upper()
        try:
            exponent(code)
        except UnknownCurrency:
            raise BadAmount(
                _("Choose a currency from the list, by its code of three letters such as USD.")
            ) from None
        return cls(_minor_units(text, code, locale_for(locale)), code)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, exact, with as many decimals as the currency has."""
        digits = tuple(int(digit) for digit in str(abs(self.minor)))
        return Decimal((int(self.minor < 0), digits, -exponent(self.currency)))

    def __str__(self) -> str:
        """Return `USD 4800.00`: for machines, digests and logs. People get `format_money`."""
        return f"{self.currency} {self.amount:f}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __abs__(self) -> Self:
        return type(self)(abs(self.minor), self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Self) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Self) -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: Self) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money and {type(other).__name__} do not mix")
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor


def usd(minor: int) -> Money:
    """Return `minor` US cents."""
    return Money(minor, _US_DOLLARS)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Return the sum of `amounts`, nothing of `currency` where there are none.

    Raises CurrencyMismatch when one of them is in another currency.
    """
    return sum(amounts, Money.zero(currency))


def split(money: Money, percents: Sequence[Decimal | int]) -> list[Money]:
    """Split `money` by `percents`: each part cut to whole minor units, the remainder to the last.

    The parts always add up to `money`, and none has another sign (R22: instalments sum to 100 %).
    Raises ValueError when the percents are negative or do not sum to 100, TypeError for floats.
    """
    shares = [_exact(percent) for percent in percents]
    if any(share < 0 for share in shares) or sum(shares) != _FULL:
        raise ValueError("percents are not negative and sum to 100")
    parts = [int(money.minor * share / _FULL) for share in shares[:-1]]
    parts.append(money.minor - sum(parts))
    return [Money(part, money.currency) for part in parts]


def to_usd(money: Money, rate: Decimal) -> Money:
    """Return `money` in US$ at `rate` units per US$ 1, rounded once, half to even.

    Raises ValueError for a rate that is not above zero, or not 1 for US$ itself.
    """
    return _convert(money, _US_DOLLARS, 1 / _checked(rate, money.currency))


def from_usd(money: Money, currency: str, rate: Decimal) -> Money:
    """Return US$ `money` in `currency` at `rate` units per US$ 1, rounded once, half to even.

    Raises CurrencyMismatch when `money` is not in US$; ValueError for the rate as in `to_usd`.
    """
    if money.currency != _US_DOLLARS:
        raise CurrencyMismatch(f"{money.currency} is not {_US_DOLLARS}")
    return _convert(money, currency, _checked(rate, currency))


def format_money(money: Money, locale: str = "en") -> str:
    """Return `money` for people: `US$ 4,800.00` in English as the UN writes it, else by locale."""
    where = locale_for(locale)
    if where.language != "en":
        pattern = where.currency_formats["standard"]
        return _write(money, pattern, where)
    sign = "\N{MINUS SIGN}" if money.minor < 0 else ""
    code = "US$" if money.currency == _US_DOLLARS else money.currency
    return f"{sign}{code} {format_amount(abs(money), locale)}"


def format_amount(money: Money, locale: str = "en") -> str:
    """Return the amount alone, as it stands in a field; `Money.parse` reads it back."""
    where = locale_for(locale)
    return _write(money, where.decimal_formats[None], where)


@cache
def locale_for(name: str) -> Locale:
    """Return the locale called `name` (`fr`, `zh_Hans`, `pt-BR`), else the one of its language.

    A language that Babel does not know, such as a pseudo-locale, is written like English.
    """
    plain = name.replace("-", "_")
    for candidate in (plain, plain.partition("_")[0]):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _write(money: Money, pattern: NumberPattern, where: Locale) -> str:
    """Return `money` in `pattern`, with the decimals of ISO 4217 and not those of Babel."""
    ours = copy(pattern)
    digits = exponent(money.currency)
    ours.frac_prec = (digits, digits)
    text: str = ours.apply(
        money.amount,
        where,
        currency=money.currency,
        currency_digits=False,
        numbering_system="default",
    )
    return text


def _exact(number: Decimal | int) -> Fraction:
    """Return `number` as a fraction. Raises TypeError for floats and truth values."""
    if isinstance(number, bool) or not isinstance(number, Decimal | int):
        raise TypeError("money is multiplied by Decimal or int only")
    return Fraction(number)


def _checked(rate: Decimal, currency: str) -> Fraction:
    """Return `rate` as a fraction. Raises ValueError or TypeError where it is no rate."""
    if isinstance(rate, Decimal) and not rate.is_finite():
        raise ValueError("a rate of exchange is a number")
    exact = _exact(rate)
    if exact <= 0:
        raise ValueError("a rate of exchange is above zero")
    if currency == _US_DOLLARS and exact != 1:
        raise ValueError("the rate of US$ is 1")
    return exact


def _convert(money: Money, currency: str, factor: Fraction) -> Money:
    scale = Fraction(10) ** (exponent(currency) - exponent(money.currency))
    return Money(round(money.minor * factor * scale), currency)


def _minor_units(text: str, currency: str, where: Locale) -> int:
    """Return what `text` says, in minor units of `currency`. Raises BadAmount."""
    typed = _bare(text, currency)
    example = _example(currency, where)
    if not typed:
        raise BadAmount(_("Type an amount, like %(example)s.", example=example))
    if typed[0] in "-\u2212\u2012\u2013(" or typed[-1] in "-\u2212":
        raise BadAmount(
            _("Type an amount that is not below zero, like %(example)s.", example=example)
        )
    typed = _plain_digits(typed, example)
    if _EXPONENT.fullmatch(typed):
        raise BadAmount(
            _("Type the amount in full, digit by digit, like %(example)s.", example=example)
        )
    whole, decimals = _parts(typed, where, example)
    return _counted(whole, decimals, currency, example)


def _bare(text: str, currency: str) -> str:
    """Return `text` without space around it, marks of direction, and the currency's own code."""
    bare = "".join(mark for mark in text[: _MAX_TYPED * 4] if mark not in _INVISIBLE).strip()
    signs = [currency, "US$", "$"] if currency == _US_DOLLARS else [currency]
    for sign in signs:
        if bare.upper().startswith(sign):
            return bare[len(sign) :].strip()
        if bare.upper().endswith(sign):
            return bare[: -len(sign)].strip()
    return bare


def _plain_digits(typed: str, example: str) -> str:
    """Return `typed` in the digits 0 to 9. Raises BadAmount where two scripts are mixed."""
    zeros = {ord(mark) - unicodedata.decimal(mark) for mark in typed if mark.isdecimal()}
    if len(zeros) > 1:
        raise BadAmount(
            _(
                "Type the amount in the digits of one script only, like %(example)s.",
                example=example,
            )
        )
    return ascii_digits(typed)


def _parts(typed: str, where: Locale, example: str) -> tuple[str, str]:
    """Return the digits before and after the decimal mark, by the separators of `where`.

    The Arabic separators mean the same in every locale; a space only ever parts thousands.
    """
    meanings = {
        get_group_symbol(where, numbering_system="latn"): "_",
        get_decimal_symbol(where, numbering_system="latn"): ".",
        **_ALWAYS,
    }
    read = "".join(
        mark if mark.isdigit() else meanings.get(_LOOKS.get(mark, mark), "?") for mark in typed
    )
    found = _SHAPE.fullmatch(read) if len(read) <= _MAX_TYPED else None
    if not found:
        raise BadAmount(_("Type the amount in digits, like %(example)s.", example=example))
    return re.sub(r"\D", "", found["whole"]), found["decimals"] or ""


def _counted(whole: str, decimals: str, currency: str, example: str) -> int:
    """Return the minor units. Raises BadAmount for too many decimals or too large an amount."""
    digits = exponent(currency)
    if len(decimals) > digits:
        raise BadAmount(_decimals_sentence(currency, digits, example))
    minor = int(whole + decimals.ljust(digits, "0"))
    if minor > MAX_MINOR:
        raise BadAmount(
            _(
                "This amount is too large. Check the number of zeros; type it like %(example)s.",
                example=example,
            )
        )
    return minor


def _decimals_sentence(currency: str, digits: int, example: str) -> str:
    if digits == 0:
        return _(
            "%(currency)s has no decimals. Type a whole amount, like %(example)s.",
            currency=currency,
            example=example,
        )
    return ngettext(
        "%(currency)s has %(num)d decimal. Type the amount like %(example)s.",
        "%(currency)s has %(num)d decimals at most. Type the amount like %(example)s.",
        digits,
        currency=currency,
        example=example,
    )


def _example(currency: str, where: Locale) -> str:
    """Return an amount of `currency` as a person of this locale would type it."""
    return format_amount(Money(_EXAMPLE * 10 ** exponent(currency), currency), str(where))
