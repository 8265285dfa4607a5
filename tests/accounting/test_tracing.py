"""A donor's money followed to the grants: nothing is lost, nothing is paid twice, to the cent."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from portal.accounting.tracing import (
    Pool,
    Sums,
    TracedGrant,
    by_theme,
    shares,
    together,
    trace,
    usable,
)
from portal.ledger.queries.flows import GrantSums

NORA, OMAR = UUID(int=1), UUID(int=2)
CALLS = st.sampled_from(["c1", "c2"])
COUNTRIES = st.sampled_from(["KEN", "PER", "NPL"])
CENTS = st.integers(0, 10**8)


@st.composite
def grant(draw: st.DrawFn) -> TracedGrant:
    """Draw a grant whose money only shrinks from committed to disbursed to reported."""
    committed = draw(CENTS)
    disbursed = draw(st.integers(0, committed))
    country = draw(COUNTRIES)
    return TracedGrant(
        call_id=draw(CALLS),
        country=country,
        place=country,
        themes=draw(st.sampled_from([("",), ("law",), ("law", "youth", "women")])),
        sums=GrantSums(committed, disbursed, draw(st.integers(0, disbursed))),
    )


POOLS = st.dictionaries(
    st.builds(
        Pool,
        call_id=st.sampled_from(["", "c1", "c2"]),
        country=st.sampled_from(["", "KEN", "PER", "NPL"]),
    ),
    st.dictionaries(
        st.sampled_from([NORA, OMAR, UUID(int=3), None]), st.integers(-100, 10**8), min_size=1
    ),
    max_size=8,
)
PERCENTS = st.sampled_from([Decimal(0), Decimal(13), Decimal("7.55")])


def added(all_sums: list[Sums]) -> list[int]:
    return [sum(each[place] for each in all_sums) for place in range(3)]


@given(st.lists(grant(), max_size=12), POOLS, PERCENTS)
def test_shares_of_all_donors_and_what_is_uncovered_are_the_grants(
    grants: list[TracedGrant], pools: dict[Pool, Mapping[UUID | None, int]], percent: Decimal
) -> None:
    traced = trace(grants, pools, percent)
    donors = {donor for givers in pools.values() for donor in givers}
    found = {donor: shares(traced, pools, donor) for donor in donors}
    every = [sums for each in found.values() for sums in each.values()]
    books = [
        sum(each.sums.committed for each in grants),
        sum(each.sums.disbursed for each in grants),
        sum(each.sums.reported for each in grants),
    ]
    assert added([*every, traced.uncovered]) == books
    for key, sums in traced.places.items():
        assert added([each[key] for each in found.values() if key in each]) == list(sums)


@given(st.lists(grant(), max_size=12), POOLS, PERCENTS)
def test_themes_sum_to_what_a_pool_pays_and_to_each_share_of_it(
    grants: list[TracedGrant], pools: dict[Pool, Mapping[UUID | None, int]], percent: Decimal
) -> None:
    traced = trace(grants, pools, percent)
    for pool, givers in pools.items():
        paid = together(sums for (of, _place), sums in traced.places.items() if of == pool)
        assert together(sums for (of, _theme), sums in traced.themes.items() if of == pool) == paid
        for donor in givers:
            own = shares(traced, pools, donor)
            share = together(sums for (of, _place), sums in own.items() if of == pool)
            assert together(by_theme(traced, pool, share).values()) == share


@given(st.lists(grant(), max_size=12), POOLS, PERCENTS)
def test_no_pool_pays_more_than_it_received_less_support_costs(
    grants: list[TracedGrant], pools: dict[Pool, Mapping[UUID | None, int]], percent: Decimal
) -> None:
    traced = trace(grants, pools, percent)
    for pool, givers in pools.items():
        paid = sum(sums[0] for key, sums in traced.places.items() if key[0] == pool)
        received = sum(max(0, cents) for cents in givers.values())
        grants_there = sum(1 for each in grants if pool in each.pools())
        assert paid <= usable(received, percent) + grants_there  # each rounded once
        assert 100 * usable(received, percent) <= 100 * received


def test_money_for_a_country_pays_grants_there_first_and_only_there() -> None:
    kenya = TracedGrant("c1", "KEN", "KEN", ("",), GrantSums(1_000, 800, 500))
    peru = TracedGrant("c1", "PER", "PER", ("",), GrantSums(1_000, 0, 0))
    pools: dict[Pool, Mapping[UUID | None, int]] = {
        Pool("", "KEN"): {NORA: 600},
        Pool(): {OMAR: 5_000},
    }
    traced = trace([kenya, peru], pools, Decimal(0))
    assert shares(traced, pools, NORA) == {(Pool("", "KEN"), "KEN"): (600, 480, 300)}
    assert shares(traced, pools, OMAR) == {
        (Pool(), "KEN"): (400, 320, 200),
        (Pool(), "PER"): (1_000, 0, 0),
    }
    assert traced.uncovered == (0, 0, 0)


def test_a_call_and_country_go_before_a_call_and_that_before_a_country() -> None:
    one = TracedGrant("c1", "KEN", "KEN", ("",), GrantSums(1_000, 0, 0))
    givers: Mapping[UUID | None, int] = {NORA: 300}
    order = [Pool("c1", "KEN"), Pool("c1", ""), Pool("", "KEN"), Pool()]
    traced = trace([one], dict.fromkeys(reversed(order), givers), Decimal(0))
    assert [traced.places[pool, "KEN"][0] for pool in order] == [300, 300, 300, 100]


def test_support_costs_are_kept_back_and_two_donors_share_by_what_they_gave() -> None:
    one = TracedGrant("c1", "KEN", "KEN", ("",), GrantSums(20_000, 0, 0))
    pools: dict[Pool, Mapping[UUID | None, int]] = {Pool(): {NORA: 7_533, OMAR: 3_767}}
    traced = trace([one], pools, Decimal(13))
    assert usable(11_300, Decimal(13)) == 10_000
    assert shares(traced, pools, NORA) == {(Pool(), "KEN"): (6_666, 0, 0)}
    assert shares(traced, pools, OMAR) == {(Pool(), "KEN"): (3_334, 0, 0)}
    assert traced.uncovered == (10_000, 0, 0)
