"""Pure decisions about awards, tried on whatever hypothesis thinks of."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.awards import rules
from portal.core.money import Money, to_usd, usd
from portal.funds.profile import ReportRule
from tests.make.funds import profiles

cents = st.integers(0, 10**9)
amounts = st.integers(1, 500_000)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.integers(1, 10**6))
def test_lines_in_dollars_sum_to_the_request_and_stay_within_two_cents_of_their_own(
    lines: list[int], rate: int
) -> None:
    units = Decimal(rate) / 100
    total = to_usd(Money(sum(lines), "KES"), units)
    found = rules.dollars([Money(line, "KES") for line in lines], total)
    assert min(found) >= 0
    assert sum(found) == total.minor
    for cents_of, line in zip(found, lines, strict=True):
        assert abs(cents_of - to_usd(Money(line, "KES"), units).minor) <= 2


def test_a_budget_without_amounts_stays_one() -> None:
    assert rules.dollars([], usd(0)) == []
    assert rules.dollars([usd(0), usd(0)], usd(0)) == [0, 0]
    assert rules.dollars([usd(1), usd(1), usd(1)], usd(2)) == [1, 1, 0]


@given(amounts, st.sampled_from(sorted(profiles())))
def test_instalments_of_every_fund_sum_to_the_award(amount: int, fund: str) -> None:
    percents = [rule.percent for rule in profiles()[fund].instalments]
    parts = rules.plan(amount, percents)
    assert sum(parts) == amount
    assert min(parts) >= 0
    for part, percent in zip(parts[:-1], percents, strict=False):
        assert part == amount * percent // 100


@given(st.dictionaries(st.text(min_size=1), cents, min_size=1), st.integers(-100, 100))
def test_only_the_exact_award_is_a_sound_revision(lines: dict[str, int], off: int) -> None:
    award = sum(lines.values())
    fault = rules.revision_fault(lines, lines, award - off)
    assert fault == (rules.Fault("sum", cents=off) if off else None)


def test_a_revision_is_of_the_same_lines_and_not_negative() -> None:
    assert rules.revision_fault({"a": 1}, {"b": 1}, 1) == rules.Fault("lines")
    negative = rules.revision_fault({"a": 1, "b": 0}, {"a": 2, "b": -1}, 1)
    assert negative == rules.Fault("negative")


def test_no_line_of_a_revision_is_above_the_most_that_it_may_be() -> None:
    most = {"a": 115, "b": 100}
    assert rules.revision_fault(most, {"a": 115, "b": 0}, 115) is None
    above = rules.revision_fault(most, {"a": 116, "b": 0}, 116)
    assert above == rules.Fault("above", line="a")


@pytest.mark.parametrize(
    ("asked", "percent", "staff", "most"),
    [
        (12_000, 15, False, 13_800),
        (12_000, 15, True, 12_000),
        (12_000, 0, False, 12_000),
        (33, 15, False, 37),
    ],
)
def test_a_line_grows_by_the_free_shift_and_staff_by_nothing(
    asked: int, percent: int, *, staff: bool, most: int
) -> None:
    assert rules.most_of_line(asked, percent, staff=staff) == most


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        (0, 0, None),
        (1, 0, "order"),
        (-5, -1, "over"),
        (-5, 0, None),
        (0, 1830, None),
        (0, 1831, "long"),
    ],
)
def test_days_of_an_offer(first: int, last: int, fault: str | None) -> None:
    today = date(2026, 11, 21)
    days = (today + timedelta(days=first), today + timedelta(days=last))
    assert rules.days_fault(*days, today) == fault


def test_activities_end_by_the_last_day_that_the_fund_allows() -> None:
    today = date(2026, 11, 21)
    assert rules.days_fault(today, date(2027, 5, 21), today, date(2027, 5, 21)) is None
    assert rules.days_fault(today, date(2027, 5, 22), today, date(2027, 5, 21)) == "limit"


def rule(due_from: str) -> ReportRule:
    asked = profiles()["act"].reports[0]
    return ReportRule.model_validate(asked.model_dump() | {"due_from": due_from, "due_days": 30})


def test_a_report_is_due_from_the_end_or_from_the_signatures() -> None:
    ends, agreed = date(2027, 1, 31), date(2026, 12, 1)
    assert rules.report_due_on(rule("end_of_activities"), ends, None) == date(2027, 3, 2)
    assert rules.report_due_on(rule("travel_end"), ends, agreed) == date(2027, 3, 2)
    assert rules.report_due_on(rule("agreement"), ends, None) is None
    assert rules.report_due_on(rule("agreement"), ends, agreed) == date(2026, 12, 31)


def test_an_answer_that_is_no_day_is_none() -> None:
    assert rules.day_or_none("2027-02-30") is None
    assert rules.day_or_none(None) is None
    assert rules.day_or_none("2027-02-28") == date(2027, 2, 28)
