"""Days and years as they are typed, and the division of an amount to the last cent."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.accounting.rules import (
    BadDay,
    account_ends_on,
    divided,
    is_year,
    read_day,
    read_year,
    reserve_base,
)

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("", TODAY),
        ("  ", TODAY),
        ("2026-11-21", TODAY),
        ("2024-02-29", date(2024, 2, 29)),
        ("1946-01-01", date(1946, 1, 1)),
        ("٢٠٢٥-١٢-٣١", date(2025, 12, 31)),
        ("２０２５-１２-３１", date(2025, 12, 31)),
    ],
)
def test_a_day_is_read(typed: str, day: date) -> None:
    assert read_day(typed, today=TODAY) == day


@pytest.mark.parametrize(
    "typed",
    [
        "2026-02-31",
        "2025-02-29",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "2026-11-22",
        "20261121",
        "2026-W47-6",
        "2026-11-21T00:00",
        "21.11.2026",
        "-2026-11-21",
        "1945-12-31",
        "²⁰²⁶-11-21",
        "2026-11-2\n1",
        "x" * 1000,
    ],
)
def test_what_is_no_day_of_the_books_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(BadDay) as told:
        read_day(typed, today=TODAY)
    assert told.value.sentence.endswith(".")
    assert len(told.value.sentence) < 120


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_day_until_today_or_refused(typed: str) -> None:
    try:
        assert date(1946, 1, 1) <= read_day(typed, today=TODAY) <= TODAY
        assert 1946 <= read_year(typed, today=TODAY) <= 2026
    except BadDay:
        return


@pytest.mark.parametrize(("typed", "year"), [("", 2026), ("2025", 2025), ("٢٠٢٤", 2024)])
def test_a_year_is_read(typed: str, year: int) -> None:
    assert read_year(typed, today=TODAY) == year


@pytest.mark.parametrize("typed", ["0", "26", "2027", "9999", "1945", "20 26", "-2026", "2026.0"])
def test_what_is_no_year_of_the_books_is_refused(typed: str) -> None:
    with pytest.raises(BadDay):
        read_year(typed, today=TODAY)


def test_an_account_ends_on_31_december_or_today() -> None:
    assert account_ends_on(2025, today=TODAY) == date(2025, 12, 31)
    assert account_ends_on(2026, today=TODAY) == TODAY
    assert [is_year(year, today=TODAY) for year in (0, 1945, 1946, 2026, 2027, 9999)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


AMOUNTS = st.integers(-(10**15), 10**15)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)


@given(AMOUNTS, WEIGHTS)
def test_parts_sum_to_the_whole_and_stray_by_less_than_a_cent(
    amount: int, weights: list[int]
) -> None:
    parts = divided(amount, weights)
    whole = sum(weights)
    assert sum(parts) == (amount if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - amount * weight) < max(whole, 1)
        assert weight or not part


def test_what_is_left_goes_to_whom_it_was_cut_from_most() -> None:
    assert divided(100, [1, 1, 1]) == [34, 33, 33]
    assert divided(100, [1, 5, 1]) == [14, 72, 14]
    assert divided(-100, [1, 1, 1]) == [-34, -33, -33]
    assert divided(1, [0, 3]) == [0, 1]
    assert divided(100, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="below zero"):
        divided(100, [1, -1])


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12), st.data())
def test_the_base_of_the_reserve_stays_while_money_is_paid_and_spent(
    spent: int, advanced: int, committed: int, data: st.DataObject
) -> None:
    paid = data.draw(st.integers(0, committed))
    accepted = data.draw(st.integers(0, advanced + paid))
    before = reserve_base(spent, advanced, committed)
    after = reserve_base(spent + accepted, advanced + paid - accepted, committed - paid)
    assert before == after
