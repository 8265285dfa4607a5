"""Pure decisions of the books."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.money import Money, usd
from portal.ledger.models import AccountKind
from portal.ledger.rules import (
    Line,
    Rate,
    Unbalanced,
    above_zero,
    available,
    check_lines,
    credit,
    debit,
    dollar_rate,
    expected_support_costs,
    mirrored,
    same_lines,
    share,
)

BANK = AccountKind.BANK
REVENUE = AccountKind.CONTRIBUTION_REVENUE
DAY = date(2026, 11, 1)


def test_a_debit_and_a_credit_balance() -> None:
    check_lines([debit("act", BANK, usd(500)), credit("act", REVENUE, usd(500))])


def test_local_currency_stands_beside_the_dollars() -> None:
    line = credit("act", BANK, usd(100), Money(65_000, "XOF"))
    assert line == Line("act", BANK, Money(-65_000, "XOF"), -100)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [debit("act", BANK, usd(500))],
        [debit("act", BANK, usd(500)), credit("act", REVENUE, usd(499))],
        [debit("act", BANK, usd(500)), credit("vftc", REVENUE, usd(500))],
        [Line("act", BANK, usd(0), 0), Line("act", REVENUE, usd(0), 0)],
        [Line("act", BANK, usd(2), 1), Line("act", REVENUE, usd(-1), -1)],
        [Line("act", BANK, Money(-9, "XOF"), 1), Line("act", REVENUE, usd(-1), -1)],
    ],
    ids=["none", "one", "a cent off", "across funds", "nothing", "not its dollars", "two sides"],
)
def test_what_is_no_booking_is_refused(lines: list[Line]) -> None:
    with pytest.raises(Unbalanced):
        check_lines(lines)


@pytest.mark.parametrize("amount", [usd(0), usd(-1), Money(5, "EUR")])
def test_amounts_of_verbs_are_dollars_above_zero(amount: Money) -> None:
    with pytest.raises(Unbalanced):
        above_zero(amount)


def test_a_mirror_undoes() -> None:
    lines = [debit("act", BANK, usd(7), Money(9, "XOF")), credit("act", REVENUE, usd(7))]
    assert same_lines(mirrored(mirrored(lines)), reversed(lines))
    assert not same_lines(mirrored(lines), lines)


def test_the_same_line_twice_is_not_the_same_as_once() -> None:
    line = debit("act", BANK, usd(7))
    assert not same_lines([line, line], [line])


def test_available_is_what_nobody_else_has_a_claim_on() -> None:
    assert available(100_00, 20_00, 30_00, 6_50) == 43_50
    assert available(0, 1, 0, 0) == -1


@pytest.mark.parametrize(
    ("cents", "percent", "expected"),
    [
        (100_00, "13", 13_00),
        (50, "13", 6),  # 6.5 goes to the even cent
        (150, "13", 20),  # 19.5 as well
        (-50, "13", -6),
        (1, "0.00", 0),
        (99_99, "7.25", 7_25),
    ],
)
def test_a_share_is_rounded_once_half_to_even(cents: int, percent: str, expected: int) -> None:
    assert share(cents, Decimal(percent)) == expected


def test_open_money_brings_support_costs_and_never_less_than_none() -> None:
    assert expected_support_costs(100_00, 50_00, Decimal(13)) == 19_50
    assert expected_support_costs(10_00, -90_00, Decimal(13)) == 0


def test_a_rate_converts_its_own_currency_only() -> None:
    rate = Rate("XOF", Decimal(600), DAY, "UNORE", None)
    assert rate.in_usd(Money(3_000_000, "XOF")) == usd(5_000_00)
    with pytest.raises(Unbalanced):
        rate.in_usd(Money(1, "EUR"))


def test_a_dollar_is_a_dollar_on_any_day() -> None:
    assert dollar_rate(DAY).in_usd(usd(12_34)) == usd(12_34)


@given(st.integers(-(10**15), 10**15), st.decimals(0, 100, places=2))
def test_a_share_never_exceeds_the_whole(cents: int, percent: Decimal) -> None:
    assert abs(share(cents, percent)) <= abs(cents)
    assert share(-cents, percent) == -share(cents, percent)
