"""Amounts as the card processor writes them, whose decimals are not those of ISO 4217.

Its "zero-decimal" list holds currencies that have decimals by ISO (MGA), and it writes others
with decimals that they do not have (ISK). Source: https://docs.stripe.com/currencies.
"""

from portal.core.money import Money, UnknownCurrency, exponent

ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
"""Written in whole units."""
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Written in thousandths, the last digit always 0."""
WRITTEN_WITH_TWO = frozenset({"ISK"})
"""Whole by ISO 4217, written with two decimals that are always 00."""
UNCLEAR = frozenset({"UGX"})
"""Described by the processor in two ways that differ a hundredfold: never converted."""

_USUAL = 2
_TENTH = 10


class Unconvertible(ValueError):
    """An amount or a currency that the processor and ISO 4217 do not write as the same money."""


def stripe_exponent(currency: str) -> int:
    """Return how many decimals the processor writes for `currency`.

    Raises Unconvertible for a currency that it does not take, or describes in two ways.
    """
    try:
        by_iso = exponent(currency)
    except UnknownCurrency as unknown:
        raise Unconvertible(f"{currency} is no currency") from unknown
    if currency in ZERO_DECIMAL:
        return 0
    if currency in THREE_DECIMAL:
        return 3
    if currency in WRITTEN_WITH_TWO or (by_iso == _USUAL and currency not in UNCLEAR):
        return _USUAL
    raise Unconvertible(f"the card processor does not take {currency}")


def to_stripe(money: Money) -> int:
    """Return `money` as the processor writes it.

    Raises Unconvertible below zero, for a currency that it does not take, and for an amount that
    it cannot write: a fraction of a whole unit, or a third decimal other than 0.
    """
    if money.minor < 0:
        raise Unconvertible(f"{money} is below zero")
    written = _scaled(money.minor, stripe_exponent(money.currency) - exponent(money.currency))
    if written is None:
        raise Unconvertible(f"{money} has decimals that the card processor cannot write")
    if money.currency in THREE_DECIMAL and written % _TENTH:
        raise Unconvertible(f"{money} has a third decimal, which cards do not take")
    return written


def from_stripe(amount: object, currency: object) -> Money:
    """Return what the processor wrote as money; its codes are in lower case, and amounts signed.

    Raises Unconvertible for anything but a whole number of a currency that it takes, and for an
    amount that ISO 4217 has no minor units for.
    """
    if type(amount) is not int or not isinstance(currency, str):
        raise Unconvertible(f"{amount!r} {currency!r} is no amount")
    code = currency.upper()
    minor = _scaled(amount, exponent_difference(code))
    if minor is None:
        raise Unconvertible(f"{amount} {code} has decimals that {code} does not have")
    return Money(minor, code)


def exponent_difference(currency: str) -> int:
    """Return how many decimals ISO 4217 has more than the processor, below zero for fewer."""
    written = stripe_exponent(currency)
    return exponent(currency) - written


def _scaled(number: int, places: int) -> int | None:
    """Return `number` times ten to the power of `places`; None where that is not whole."""
    if places >= 0:
        return int(number * 10**places)
    whole, rest = divmod(number, 10**-places)
    return None if rest else whole
