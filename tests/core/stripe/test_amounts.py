"""Amounts at the card processor: the same money, written otherwise, for every currency there is."""

import pytest
from iso4217 import Currency

from portal.core.money import Money, UnknownCurrency, exponent
from portal.core.stripe import Unconvertible, from_stripe, stripe_exponent, to_stripe
from portal.core.stripe.amounts import THREE_DECIMAL, UNCLEAR, WRITTEN_WITH_TWO, ZERO_DECIMAL


def currencies() -> list[str]:
    """Return every code of ISO 4217 that people are paid in."""
    found = []
    for each in Currency:
        try:
            exponent(each.code)
        except UnknownCurrency:
            continue
        found.append(each.code)
    return sorted(found)


def decimals(code: str) -> int | None:
    """Return the decimals that the processor's page names, said a second time and by hand."""
    listed = {
        0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
        3: "BHD JOD KWD OMR TND",
        2: "ISK",
    }
    for count, codes in listed.items():
        if code in codes.split():
            return count
    return 2 if exponent(code) == 2 else None


@pytest.mark.parametrize("code", currencies())
def test_every_currency_is_written_as_the_processor_writes_it(code: str) -> None:
    expected = decimals(code)
    if expected is None or code == "UGX":
        with pytest.raises(Unconvertible):
            stripe_exponent(code)
        return
    assert stripe_exponent(code) == expected
    fifty = Money(50 * 10 ** exponent(code), code)
    assert to_stripe(fifty) == 50 * 10**expected
    assert from_stripe(50 * 10**expected, code.lower()) == fifty


def test_the_lists_differ_from_iso_where_they_are_known_to() -> None:
    assert {code for code in ZERO_DECIMAL if exponent(code)} == {"MGA"}
    assert {code for code in THREE_DECIMAL if exponent(code) != 3} == set()
    assert {exponent(code) for code in WRITTEN_WITH_TWO | UNCLEAR} == {0}


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(500, "USD"), 500),
        (Money(500, "JPY"), 500),
        (Money(500, "MGA"), 5),
        (Money(5, "ISK"), 500),
        (Money(5120, "KWD"), 5120),
    ],
)
def test_examples_of_the_processors_page(money: Money, written: int) -> None:
    assert to_stripe(money) == written
    assert from_stripe(written, money.currency.lower()) == money


@pytest.mark.parametrize(
    "money", [Money(501, "MGA"), Money(5124, "KWD"), Money(-1, "USD"), Money(100, "UGX")]
)
def test_what_cannot_be_written_is_never_rounded(money: Money) -> None:
    with pytest.raises(Unconvertible):
        to_stripe(money)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(550, "isk"), (1.5, "usd"), ("100", "usd"), (100, "xxx"), (100, None), (True, "usd")],
)
def test_what_cannot_be_read_is_no_money(amount: object, currency: object) -> None:
    with pytest.raises(Unconvertible):
        from_stripe(amount, currency)
