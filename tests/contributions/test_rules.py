"""Schedules, what is due, and how money is divided."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contributions import rules
from portal.contributions.models import ContributionStatus
from portal.core.money import Money, usd

SIGNED = date(2026, 3, 1)
DAY = timedelta(days=1)


def chf(minor: int) -> Money:
    return Money(minor, "CHF")


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ([(SIGNED, usd(100))], None),
        ([(SIGNED, usd(40)), (SIGNED + DAY, usd(60))], None),
        ([], "at least one day"),
        ([(SIGNED, usd(99))], "sum to US$ 0.99, the agreement is over US$ 1.00"),
        ([(SIGNED, usd(150)), (SIGNED + DAY, usd(-50))], "above zero"),
        ([(SIGNED, usd(100)), (SIGNED + DAY, usd(0))], "above zero"),
        ([(SIGNED + DAY, usd(40)), (SIGNED, usd(60))], "in order"),
        ([(SIGNED, usd(40)), (SIGNED, usd(60))], "in order"),
        ([(SIGNED - DAY, usd(100))], "before the agreement is signed"),
        ([(SIGNED + DAY * n, usd(4)) for n in range(25)], "24 instalments at most"),
    ],
)
def test_a_schedule_adds_up_or_says_why_not(
    schedule: list[tuple[date, Money]], said: str | None
) -> None:
    problem = rules.schedule_problem(usd(100), schedule, SIGNED)
    assert problem is None if said is None else said in str(problem)


@given(
    st.integers(1, 10**12), st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 10**12)
)
def test_dividing_money_loses_no_cent(amount: int, cents: int, worth: int, owed: int) -> None:
    parts = rules.divided(chf(amount), usd(cents), Money(worth, "EUR"), Money(owed, "EUR"))
    assert sum(part.amount.minor for part in parts) == amount
    assert sum(part.dollars.minor for part in parts) == cents
    assert all(part.amount.minor > 0 and part.dollars.minor > 0 for part in parts)
    settled = [part.settles.minor for part in parts if part.settles is not None]
    assert sum(settled) == min(worth, owed)
    assert len(settled) == (1 if owed else 0)


def test_what_settles_nothing_more_is_not_cut_into_crumbs() -> None:
    parts = rules.divided(usd(3), usd(3), usd(3), usd(1))
    assert [part.amount.minor for part in parts] == [1, 2]
    parts = rules.divided(chf(1), usd(1), usd(2), usd(1))
    assert [(part.amount, part.settles) for part in parts] == [(chf(1), usd(1))]


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.data())
def test_money_settles_the_earliest_instalment_first(parts: list[int], data: st.DataObject) -> None:
    from portal.contributions.models import AgreementInstalment

    settled = data.draw(st.integers(0, sum(parts)))
    today = SIGNED + timedelta(days=4)
    rows = [
        AgreementInstalment(
            agreement=None,  # type: ignore[arg-type]
            number=number,
            due_on=SIGNED + timedelta(days=number),
            amount=part,
        )
        for number, part in enumerate(parts, start=1)
    ]
    found = rules.dues(rows, settled, "CHF", today)
    assert sum(each.open.minor for each in found) == sum(parts) - settled
    opened = [bool(each.open) for each in found]
    assert opened == sorted(opened)
    assert all(each.is_overdue == (bool(each.open) and each.due_on < today) for each in found)


def test_what_was_a_mistake_is_nothing_else() -> None:
    found = rules.standing(9, 9, contested=False, lost=False, annulled=True)
    assert found is ContributionStatus.ANNULLED


@pytest.mark.parametrize(
    ("refunded", "contested", "lost", "status"),
    [
        (0, False, False, ContributionStatus.RECEIVED),
        (1, False, False, ContributionStatus.PARTLY_REFUNDED),
        (9, False, False, ContributionStatus.REFUNDED),
        (0, True, False, ContributionStatus.DISPUTED),
        (1, False, True, ContributionStatus.LOST),
    ],
)
def test_the_status_follows_the_money(
    refunded: int,
    contested: bool,  # noqa: FBT001
    lost: bool,  # noqa: FBT001
    status: ContributionStatus,
) -> None:
    assert rules.standing(9, refunded, contested=contested, lost=lost) is status


@pytest.mark.parametrize(
    ("usd", "whole", "parts", "cents"),
    [
        (270, 10_000, (9_999, 1), [269, 1]),
        (200, 184, (61, 61, 62), [66, 66, 68]),
        (13_043, 12_000, (5_000, 7_000), [5_435, 7_608]),
        (3, 3_000, (1, 2_999), [1, 2]),
    ],
)
def test_what_goes_back_in_parts_is_the_whole(
    usd: int, whole: int, parts: tuple[int, ...], cents: list[int]
) -> None:
    left, kept, found = usd, whole, []
    for part in parts:
        found.append(rules.part_of(left, part, kept))
        left, kept = left - found[-1], kept - part
    assert (found, left) == (cents, 0)
