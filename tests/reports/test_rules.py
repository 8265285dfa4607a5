"""Pure decisions about reports: variance, what is open, reminders, typed rates and counts."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.reports import rules
from portal.reports.rules import Spent
from tests.make.funds import profiles

cents = st.integers(0, 10**7)
DUE = date(2027, 2, 1)


@given(cents, cents, cents)
def test_the_balance_is_what_is_left(budget: int, before: int, spent: int) -> None:
    line = Spent("line", budget, before, spent)
    assert line.balance_usd + before + spent == budget


@given(budget=st.integers(1, 10**7), spent=st.integers(0, 2 * 10**7), last=st.booleans())
def test_a_reason_is_asked_beyond_the_free_shift_only(
    *, budget: int, spent: int, last: bool
) -> None:
    line = Spent("line", budget, 0, spent)
    beyond = abs(spent - budget) * 100 > budget * 15
    wanted = beyond and (spent > budget or last)
    assert rules.needs_reason(line, 15, last=last) == wanted


def test_a_staff_line_may_not_grow_and_a_line_without_budget_needs_its_reason() -> None:
    assert rules.needs_reason(Spent("a", 1_000, 0, 1_001, staff=True), 15, last=False)
    assert not rules.needs_reason(Spent("a", 1_000, 0, 1_001), 15, last=False)
    assert rules.needs_reason(Spent("a", 0, 0, 1), 15, last=False)
    assert not rules.needs_reason(Spent("a", 1_000, 0, 100), 15, last=False)


@given(cents, cents, cents)
def test_never_more_than_spent_or_awarded_is_acceptable(
    spent: int, award: int, before: int
) -> None:
    most = rules.most_acceptable(spent, award, before)
    assert 0 <= most <= spent
    assert most == 0 or most + before <= award


@given(st.integers(-60, 90))
def test_a_reminder_is_one_of_six_and_at_most_a_week_late(days: int) -> None:
    found = rules.reminder_for(DUE, DUE + timedelta(days=days))
    if found is None:
        assert all(not 0 <= days - each < 7 for each in rules.REMINDER_DAYS)
    else:
        assert 0 <= days - found < 7


@pytest.mark.parametrize(
    ("typed", "mark", "rate"),
    [
        ("", ".", None),
        ("  ", ".", None),
        ("129.35", ".", Decimal("129.35")),
        ("129,35", ",", Decimal("129.35")),
        ("١٢٩.٥", ".", Decimal("129.5")),
        ("1", ".", Decimal(1)),
    ],
)
def test_rates_are_read_as_typed(typed: str, mark: str, rate: Decimal | None) -> None:
    assert rules.read_rate(typed, mark) == rate


@pytest.mark.parametrize(
    "typed", ["0", "0.0", "-1", "1e4", "1,295", "1.2.3", "NaN", "∞", "129.123456789", "1" * 10, "x"]
)
def test_what_is_no_rate_is_said(typed: str) -> None:
    with pytest.raises(rules.BadRate, match="is not a rate"):
        rules.read_rate(typed, ".")


def test_counts_are_whole_numbers() -> None:
    assert rules.read_count(" 12 ") == 12
    assert rules.read_count("٣") == 3
    assert rules.read_count("") is None
    for typed in ("-1", "1.5", "1e3", "many", "9" * 9):
        with pytest.raises(ValueError, match=re.escape(typed)):
            rules.read_count(typed)


def test_what_is_missing_names_its_page_and_rule() -> None:
    rule = profiles()["act"].report("final")
    points = rules.missing(
        rule,
        {"done": "word " * 700},
        [Spent("a", 1_000, 0, None), Spent("b", 1_000, 0, 0)],
        None,
        shift_percent=15,
        last=True,
        today=DUE,
    )
    said = {(point.part, point.key): point.rule for point in points}
    assert said["narrative", "done"] is None
    assert said["narrative", "results"] == "R7"
    assert said["spending", "a"] == "R29"
    assert said["spending", "b"] == "R26"
    assert said["people", "people"] == "R28"
    assert ("narrative", "changes") not in said


def test_each_warning_is_given_once() -> None:
    twice = ["Write to a@example.org", "Write to a@example.org"]
    assert len(rules.warnings(twice)) == 1
