"""Money never loses a cent, never rounds twice, and never reads what was not written."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from portal.core.money import (
    MAX_MINOR,
    BadAmount,
    CurrencyMismatch,
    Money,
    UnknownCurrency,
    exponent,
    format_amount,
    format_money,
    from_usd,
    split,
    to_usd,
    total,
    usd,
)

CODES = sorted(currency.code for currency in Currency if currency.exponent is not None)
LOCALES = ["en", "fr", "es", "ar", "zh", "ru", "hi", "fa", "de_CH", "pt_BR", "en-XA", "ar-XB"]

codes = st.sampled_from(CODES)
minors = st.integers(min_value=-MAX_MINOR, max_value=MAX_MINOR)
rates = st.decimals(min_value="0.0001", max_value="100000", places=4)


@pytest.mark.parametrize(
    ("text", "currency", "locale", "minor"),
    [
        ("4,800.00", "USD", "en", 480000),
        ("4800", "USD", "en", 480000),
        ("4 800", "USD", "en", 480000),
        ("  4800.5 ", "usd", "en", 480050),
        (".50", "USD", "en", 50),
        ("0", "USD", "en", 0),
        ("007", "USD", "en", 700),
        ("US$ 4,800.00", "USD", "en", 480000),
        ("$40", "USD", "en", 4000),
        ("EUR 40", "EUR", "en", 4000),
        ("2,900,000 XOF", "XOF", "en", 2900000),
        ("4,80,000", "INR", "en", 48000000),
        ("4.800,00", "EUR", "de", 480000),
        ("4.800,00", "USD", "es", 480000),
        ("4 800,00", "USD", "fr", 480000),
        ("4\u202f800,00", "USD", "fr", 480000),
        ("4\xa0800,00", "USD", "ru", 480000),
        ("4'800.00", "CHF", "de_CH", 480000),
        ("1,500", "TND", "fr", 1500),
        ("1,500", "TND", "en", 1500000),
        ("5000٫00", "USD", "ar", 500000),
        ("5000٫00", "USD", "en", 500000),
        ("٥٬٠٠٠٫٠٠", "USD", "ar", 500000),
        ("\u200f٥٠٠٠", "USD", "ar", 500000),
        ("۵۰۰۰", "AFN", "fa", 500000),
        ("५०००", "NPR", "hi", 500000),
        ("５，０００．００", "USD", "zh", 500000),
        ("10,000,000,000,000.00", "USD", "en", MAX_MINOR),
    ],
)
def test_an_amount_is_read_by_the_separators_of_its_locale(
    text: str, currency: str, locale: str, minor: int
) -> None:
    assert Money.parse(text, currency, locale) == Money(minor, currency.upper())


@pytest.mark.parametrize(
    ("text", "currency", "locale", "says"),
    [
        ("", "USD", "en", "Type an amount, like 4,800.00."),
        ("   ", "USD", "en", "Type an amount"),
        ("USD", "USD", "en", "Type an amount"),
        ("5,000.004", "USD", "en", "USD has 2 decimals at most"),
        ("5.000", "USD", "en", "USD has 2 decimals at most"),
        ("1.000", "USD", "en", "USD has 2 decimals at most"),
        ("4,800.5", "XOF", "en", "XOF has no decimals. Type a whole amount, like 4,800."),
        ("-1", "USD", "en", "not below zero"),
        ("\u22121", "USD", "en", "not below zero"),
        ("(1)", "USD", "en", "not below zero"),
        ("1-", "USD", "en", "not below zero"),
        ("1e4", "USD", "en", "in full, digit by digit"),
        ("1E+4", "USD", "en", "in full, digit by digit"),
        ("10,000,000,000,000.01", "USD", "en", "too large"),
        ("9" * 40, "USD", "en", "too large"),
        ("9" * 5000, "USD", "en", "in digits"),
        ("٥٠00", "USD", "ar", "the digits of one script only"),
        ("²", "USD", "en", "in digits"),
        ("½", "USD", "en", "in digits"),
        ("٥،٠٠", "USD", "ar", "in digits"),
        ("4.800,00", "USD", "en", "in digits, like 4,800.00"),
        ("4,800.00", "USD", "fr", "in digits, like 4\u202f800,00"),
        ("1,50", "USD", "en", "in digits"),
        ("48 00", "USD", "en", "in digits"),
        ("4 800,000", "USD", "en", "in digits"),
        ("1,,000", "USD", "en", "in digits"),
        ("1.2.3", "USD", "en", "in digits"),
        (".", "USD", "en", "in digits"),
        ("5.", "USD", "en", "in digits"),
        ("+5", "USD", "en", "in digits"),
        ("0x10", "USD", "en", "in digits"),
        ("1_000", "USD", "en", "in digits"),
        ("NaN", "USD", "en", "in digits"),
        ("EUR 40", "USD", "en", "in digits"),
        ("five", "USD", "en", "in digits"),
        ("\u202e0005", "USD", "en", "in digits"),
        ("5\n0", "USD", "en", "in digits"),
        ("5", "", "en", "Choose a currency"),
        ("5", "ABC", "en", "Choose a currency"),
        ("5", "XXX", "en", "Choose a currency"),
        ("5", "XAU", "en", "Choose a currency"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_type(
    text: str, currency: str, locale: str, says: str
) -> None:
    with pytest.raises(BadAmount) as refusal:
        Money.parse(text, currency, locale)
    assert says in refusal.value.sentence
    assert refusal.value.sentence.endswith(".")


@given(st.text(max_size=12), st.sampled_from(LOCALES))
def test_any_text_is_either_read_or_refused(text: str, locale: str) -> None:
    try:
        read = Money.parse(text, "USD", locale)
    except BadAmount:
        return
    assert 0 <= read.minor <= MAX_MINOR


@given(st.integers(0, MAX_MINOR), codes, st.sampled_from(LOCALES))
def test_what_a_field_shows_is_read_back(minor: int, code: str, locale: str) -> None:
    money = Money(minor, code)
    assert Money.parse(format_amount(money, locale), code, locale) == money


@pytest.mark.parametrize("minor", [True, 1.0, Decimal(1), "1", None])
def test_money_takes_a_whole_number_of_minor_units(minor: Any) -> None:
    with pytest.raises(TypeError):
        Money(minor, "USD")


@pytest.mark.parametrize("code", ["usd", "ABC", "", "XXX", "US$", "840"])
def test_money_takes_a_currency_of_iso_4217(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, code)


@pytest.mark.parametrize(
    ("code", "digits"),
    [("USD", 2), ("XOF", 0), ("JPY", 0), ("TND", 3), ("AFN", 2), ("MMK", 2), ("SYP", 2)],
)
def test_decimals_come_from_iso_4217(code: str, digits: int) -> None:
    assert exponent(code) == digits


def test_sums_and_comparisons_stay_in_one_currency() -> None:
    assert usd(1) + usd(2) - usd(4) == -usd(1)
    assert abs(usd(-1)) == usd(1)
    assert usd(1) < usd(2) <= usd(2)
    assert usd(3) > usd(2) >= usd(2)
    assert usd(100) != Money(100, "EUR")
    assert not usd(0)
    assert usd(-1)
    assert max(usd(1), usd(3), usd(2)) == usd(3)
    assert total([usd(1), usd(2)], "USD") == usd(3)
    assert total([], "EUR") == Money.zero("EUR")
    euro = Money(1, "EUR")
    for mixed in (
        lambda: usd(1) + euro,
        lambda: usd(1) - euro,
        lambda: usd(1) < euro,
        lambda: usd(1) <= euro,
        lambda: usd(1) > euro,
        lambda: usd(1) >= euro,
        lambda: total([euro], "USD"),
    ):
        with pytest.raises(CurrencyMismatch):
            mixed()


@given(minors, codes)
def test_the_amount_in_units_is_exact(minor: int, code: str) -> None:
    money = Money(minor, code)
    with localcontext(prec=40):
        assert money.amount * 10 ** exponent(code) == minor
    assert str(money) == f"{code} {money.amount:f}"


def test_an_act_grant_is_paid_eighty_to_twenty() -> None:
    assert split(usd(500000), [80, 20]) == [usd(400000), usd(100000)]
    assert split(usd(101), [50, 50]) == [usd(50), usd(51)]
    assert split(usd(100), [Decimal("33.3"), Decimal("33.3"), Decimal("33.4")])[-1] == usd(34)


@given(minors, st.lists(st.integers(0, 100), max_size=8))
def test_parts_add_up_and_keep_their_sign(minor: int, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 100]
    percents = [high - low for low, high in pairwise(edges)]
    parts = split(usd(minor), percents)
    assert total(parts, "USD") == usd(minor)
    assert all(part.minor * minor >= 0 for part in parts)
    for part, percent in zip(parts[:-1], percents, strict=False):
        assert abs(part.minor * 100 - minor * percent) < 100


@pytest.mark.parametrize("percents", [[], [80], [80, 30], [-20, 120], [Decimal("99.99")]])
def test_percents_that_are_not_a_whole_are_refused(percents: list[Decimal | int]) -> None:
    with pytest.raises(ValueError, match="sum to 100"):
        split(usd(1), percents)


@pytest.mark.parametrize(
    ("minor", "rate", "cents"),
    [(2900000, "580", 500000), (1, "200", 0), (3, "200", 2), (5, "200", 2), (7, "200", 4)],
)
def test_halves_go_to_the_even_cent(minor: int, rate: str, cents: int) -> None:
    assert to_usd(Money(minor, "XOF"), Decimal(rate)) == usd(cents)


@given(minors, codes.filter(lambda code: code != "USD"), rates)
def test_a_conversion_rounds_once(minor: int, code: str, rate: Decimal) -> None:
    with localcontext(prec=120, rounding=ROUND_HALF_EVEN):
        exact = Money(minor, code).amount / rate
        cents = exact.quantize(Decimal("0.01"))
        back = (usd(minor).amount * rate).quantize(Decimal(1).scaleb(-exponent(code)))
    assert to_usd(Money(minor, code), rate).amount == cents
    assert from_usd(usd(minor), code, rate).amount == back


def test_dollars_are_worth_dollars() -> None:
    assert to_usd(usd(7), Decimal(1)) == usd(7)
    assert from_usd(usd(7), "USD", Decimal(1)) == usd(7)
    with pytest.raises(ValueError, match="US\\$ is 1"):
        to_usd(usd(7), Decimal(2))
    with pytest.raises(CurrencyMismatch):
        from_usd(Money(7, "EUR"), "XOF", Decimal(1))


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="rate of exchange"):
        to_usd(Money(7, "EUR"), Decimal(rate))


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (usd(480000), "en", "US$ 4,800.00"),
        (usd(-5), "en", "−US$ 0.05"),
        (Money(2900000, "XOF"), "en", "XOF 2,900,000"),
        (Money(1234567, "TND"), "en_GB", "TND 1,234.567"),
        (usd(480000), "en-XA", "US$ 4,800.00"),
        (usd(480000), "fr", "4\u202f800,00\xa0$US"),
        (usd(480000), "pt_BR", "US$\xa04.800,00"),
        (usd(480000), "zh-Hans", "US$4,800.00"),
        (Money(123, "AFN"), "fr", "1,23\xa0AFN"),
        (usd(480000), "nonsense!", "US$ 4,800.00"),
    ],
)
def test_money_is_written_as_people_write_it(money: Money, locale: str, text: str) -> None:
    assert format_money(money, locale) == text
