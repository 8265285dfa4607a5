"""Scores, ranks, the line where the money ends, the order of priority."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.funds.countries import country
from portal.funds.profile import PriorityRule, load_profiles
from portal.reviews import rules
from portal.reviews.rules import Balance, Request, Sheet

ACT = load_profiles()["act"]
LDC_SIDS = load_profiles()["ldc-sids"]
UPR_P = load_profiles()["upr-p"]
DAY = date(2026, 11, 21)
NOTHING_YET = Balance()

percents = st.integers(0, 10_000).map(lambda n: Fraction(n, 100))
scores = st.dictionaries(st.integers(0, 40), st.lists(percents, max_size=5), max_size=12)
amounts = st.lists(st.integers(0, 10**9), max_size=20)


def test_the_highest_points_are_a_hundred_per_cent_and_none_are_zero() -> None:
    top = {each.key: each.scale_max for each in ACT.criteria}
    assert rules.weighted(top, ACT.criteria) == 100
    assert rules.weighted(dict.fromkeys(top, 0), ACT.criteria) == 0


def test_weights_count() -> None:
    only = {each.key: 0 for each in ACT.criteria} | {ACT.criteria[0].key: 5}
    assert rules.weighted(only, ACT.criteria) == ACT.criteria[0].weight_percent


@pytest.mark.parametrize("points", [-1, 6])
def test_points_off_the_scale_have_no_score(points: int) -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        rules.weighted({each.key: points for each in ACT.criteria}, ACT.criteria)


def test_spread_is_that_of_a_sample() -> None:
    assert rules.spread([Fraction(2), Fraction(4), Fraction(6)]) == Decimal("2.00")
    assert rules.spread([Fraction(50), Fraction(50)]) == Decimal("0.00")
    assert rules.spread([Fraction(50)]) is None


def test_rounding_is_half_to_even_once() -> None:
    assert rules.to_percent(Fraction(12_345, 1_000)) == Decimal("12.34")
    assert rules.to_percent(Fraction(12_355, 1_000)) == Decimal("12.36")
    assert rules.to_percent(Fraction(80)) == Decimal("80.00")


def test_equal_means_share_a_rank_and_the_next_rank_is_left_out() -> None:
    found = rules.rank({"a": [Fraction(50)], "b": [Fraction(80)], "c": [Fraction(50)], "d": []})
    assert [(each.key, each.rank) for each in found] == [("b", 1), ("a", 2), ("c", 2), ("d", 4)]
    assert found[-1].mean is None


def test_the_rank_interval_says_what_the_scores_allow() -> None:
    found = rules.rank(
        {
            "sure": [Fraction(90), Fraction(95)],
            "wide": [Fraction(40), Fraction(80)],
            "close": [Fraction(55), Fraction(60)],
        }
    )
    assert {each.key: each.interval for each in found} == {
        "sure": "",
        "wide": "2–3",
        "close": "2–3",
    }


@given(scores)
def test_everybody_is_ranked_and_nobody_ahead_of_a_better_mean(
    given_scores: dict[int, list[Fraction]],
) -> None:
    found = rules.rank(given_scores)
    assert {each.key for each in found} == set(given_scores)
    means = [Fraction(-1) if each.mean is None else each.mean for each in found]
    assert means == sorted(means, reverse=True)
    for each, mean in zip(found, means, strict=True):
        assert each.rank == 1 + sum(other > mean for other in means)
        assert each.best <= each.rank <= each.worst


@given(scores, st.integers(0, 40))
def test_taking_one_out_closes_the_gap(given_scores: dict[int, list[Fraction]], out: int) -> None:
    left = {key: each for key, each in given_scores.items() if key != out}
    found = rules.rank(left)
    assert {each.rank for each in found} <= set(range(1, len(left) + 1))
    assert [each.key for each in found] == [
        each.key for each in rules.rank(given_scores) if each.key != out
    ]
    assert not found or found[0].rank == 1


@given(amounts, st.integers(-(10**9), 10**10), st.integers(-(10**9), 10**10))
def test_the_money_never_ends_too_late_nor_too_early(
    wanted: list[int], envelope: int, available: int
) -> None:
    line = rules.funding_line(wanted, envelope, available)
    assert line.limit == max(0, min(envelope, available))
    assert line.spent == sum(wanted[: line.funded]) <= line.limit
    assert line.left >= 0
    if line.funded < len(wanted):
        assert line.spent + wanted[line.funded] > line.limit


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_most_that_fits_is_found(limit: int, at_most: int) -> None:
    assert rules.most_that_fits(lambda cents: cents <= limit, at_most) == min(limit, at_most)
    assert rules.most_that_fits(lambda _cents: False, at_most) == 0


def test_readers_disagree_when_far_apart_on_the_scale() -> None:
    assert rules.disagree([1, 5], 5)
    assert not rules.disagree([3, 5], 5)
    assert not rules.disagree([5], 5)


def asks(
    code: str, minutes: int = 0, *, earlier: int = 0, woman: bool | None = None
) -> Request[str]:
    at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    return Request(
        key=f"{code}{minutes}",
        country=country(code),
        earlier=earlier,
        woman=woman,
        received_at=at,
    )


@dataclass(frozen=True)
class Order:
    """The order that a test expects, by countries."""

    steps: Sequence[PriorityRule]
    balance: Balance = NOTHING_YET

    def of(self, *requests: Request[str]) -> list[str]:
        """Return the countries in their order."""
        placed = rules.priority_order(requests, self.steps, self.balance, DAY)
        return [each.key[:3] for each in placed]


def step(profile_steps: Sequence[PriorityRule], key: str) -> list[PriorityRule]:
    return [each for each in profile_steps if each.key == key]


def test_least_developed_states_come_before_others() -> None:
    order = Order(step(UPR_P.priority, "ldc_lldc_sids_first"))
    assert order.of(asks("ARG"), asks("NPL"), asks("MDV"))[-1] == "ARG"


def test_who_never_benefited_comes_before_who_did() -> None:
    order = Order(step(LDC_SIDS.priority, "never_or_least_benefited"))
    found = order.of(asks("NPL", earlier=3), asks("MDV", earlier=0), asks("MLI", earlier=1))
    assert found == ["MDV", "MLI", "NPL"]


def test_the_sex_with_fewer_awards_comes_first() -> None:
    steps = step(LDC_SIDS.priority, "gender_balance")
    two = (asks("NPL", woman=True), asks("MDV", woman=False))
    assert Order(steps, Balance(women=1, men=5)).of(*two) == ["NPL", "MDV"]
    assert Order(steps, Balance(women=5, men=1)).of(*two) == ["MDV", "NPL"]
    placed = rules.priority_order(two, steps, Balance(women=2, men=2), DAY)
    assert [each.rank for each in placed] == [1, 1]


def test_the_region_with_fewer_awards_comes_first() -> None:
    steps = step(LDC_SIDS.priority, "regional_balance")
    balance = Balance(regions={"african": 9, "asia_pacific": 2})
    assert Order(steps, balance).of(asks("MLI"), asks("NPL")) == ["NPL", "MLI"]


def test_requests_received_earlier_come_first_and_each_step_has_a_reason() -> None:
    placed = rules.priority_order((asks("NPL", 5), asks("NPL", 1)), UPR_P.priority, Balance(), DAY)
    assert [each.key for each in placed] == ["NPL1", "NPL5"]
    assert [key for key, _why in placed[0].reasons] == [each.key for each in UPR_P.priority]
    assert placed[1].decided_by == "first_received"
    assert placed[0].decided_by is None


@given(
    st.lists(
        st.builds(
            asks,
            st.sampled_from(["NPL", "MDV", "MLI", "ARG", "TUV"]),
            st.integers(0, 10_000),
            earlier=st.integers(0, 5),
            woman=st.sampled_from([True, False, None]),
        ),
        unique_by=lambda request: request.key,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_does_not_depend_on_how_requests_come_in(
    requests: list[Request[str]], random: Random
) -> None:
    ranks = {
        each.key: each.rank
        for each in rules.priority_order(requests, LDC_SIDS.priority, Balance(3, 5), DAY)
    }
    random.shuffle(requests)
    again = rules.priority_order(requests, LDC_SIDS.priority, Balance(3, 5), DAY)
    assert {each.key: each.rank for each in again} == ranks


def test_a_reader_far_from_the_others_is_pointed_out() -> None:
    sheets = [
        Sheet(reader, application, Fraction(score))
        for application in ("x", "y")
        for reader, score in (("mild", 90), ("middle", 55), ("strict", 45))
    ]
    assert rules.anomalies(sheets) == [("mild", 40), ("strict", -28)]
    assert rules.anomalies(sheets[:3]) == []


def test_a_reader_who_gives_all_the_same_is_pointed_out() -> None:
    sheets = [Sheet("same", n, Fraction(60)) for n in range(3)]
    sheets += [Sheet("differs", n, Fraction(60 + n)) for n in range(3)]
    assert rules.all_alike(sheets) == ["same"]
    assert rules.all_alike(sheets[:2]) == []
