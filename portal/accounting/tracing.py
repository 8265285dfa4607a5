"""Which grants a donor's money paid, as pure arithmetic, exact to the cent.

Money without names on it cannot be followed coin by coin; this is the rule by which it is traced,
the same for every donor, so that the shares of all donors in a grant sum to the grant:

1. Money that was given for the same purpose stands in one pool: by fund, call and country, of
   which an earmark may name both, one, or neither. What came without a donor on record stands in
   the pool of the fund.
2. A grant draws first on the pool that fits it most closely (its call and its country), then on
   that of its call, of its country, and of the fund; from each as far as the money goes. Of a pool
   that is short, every grant has the same part of what it asks.
3. A pool is used to 100 / (100 + p) of what was received in it, p being the percentage of the
   fund's programme support costs: the rest goes with it.
4. What a pool pays is divided among those who gave to it in proportion to what was received from
   each, less what went back; rounded by the largest remainder.

Everything is as of one day, from the beginning of the fund. All amounts are US cents.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from portal.accounting.rules import divided
from portal.ledger.queries.flows import GrantSums

LEVELS = 4
"""How many pools a grant may draw on."""

Sums = tuple[int, int, int]
"""Committed, disbursed and reported."""

NOTHING: Sums = (0, 0, 0)


@dataclass(frozen=True, order=True)
class Pool:
    """What money was given for: a call, a country, both, or (neither) whatever the fund does."""

    call_id: str = ""
    country: str = ""


@dataclass(frozen=True)
class TracedGrant:
    """A grant as far as its money is traced: where it counts, and what the books say of it."""

    call_id: str
    country: str
    place: str
    themes: tuple[str, ...]
    sums: GrantSums

    def pools(self) -> tuple[Pool, ...]:
        """Return the pools on which it may draw, the closest first."""
        return (
            Pool(self.call_id, self.country),
            Pool(self.call_id, ""),
            Pool("", self.country),
            Pool(),
        )


Givers = Mapping[UUID | None, int]
"""What was received in a pool, by donor; None is money without a donor on record."""

Key = tuple[Pool, str]
"""A line of a statement: the pool that pays, and the place, or the theme."""


@dataclass(frozen=True)
class Traced:
    """What each pool pays by place, the same by theme, and what no pool covers.

    Place and theme are never crossed: together they would tell more of a grantee than either.
    """

    places: Mapping[Key, Sums]
    themes: Mapping[Key, Sums]
    uncovered: Sums


def usable(received: int, percent: Decimal) -> int:
    """Return what of money received can be granted, its support costs kept back."""
    return int(max(0, received) * 100 / (100 + Fraction(percent)))


def trace(grants: Sequence[TracedGrant], pools: Mapping[Pool, Givers], percent: Decimal) -> Traced:
    """Return what each pool of one fund pays of its grants, by rules 1 to 3."""
    open_sums: list[Sums] = [
        (each.sums.committed, each.sums.disbursed, each.sums.reported) for each in grants
    ]
    places: dict[Key, Sums] = defaultdict(lambda: NOTHING)
    themes: dict[Key, Sums] = defaultdict(lambda: NOTHING)
    for level in range(LEVELS):
        drawing: dict[Pool, list[int]] = defaultdict(list)
        for number, grant in enumerate(grants):
            pool = grant.pools()[level]
            if pool in pools:
                drawing[pool].append(number)
        for pool, numbers in drawing.items():
            money = usable(_received(pools[pool]), percent)
            asked = sum(max(0, open_sums[number][0]) for number in numbers)
            for number in numbers:
                part = _part(open_sums[number], money, asked)
                open_sums[number] = _less(open_sums[number], part)
                grant = grants[number]
                places[pool, grant.place] = _plus(places[pool, grant.place], part)
                for theme, of_it in zip(grant.themes, _split(part, grant.themes), strict=True):
                    themes[pool, theme] = _plus(themes[pool, theme], of_it)
    return Traced(dict(places), dict(themes), together(open_sums))


def _split(sums: Sums, themes: Sequence[str]) -> list[Sums]:
    """Divide what is paid of a grant equally among the themes that it names."""
    equal = [1] * len(themes)
    return list(zip(*(divided(each, equal) for each in sums), strict=True))


def _received(givers: Givers) -> int:
    return sum(max(0, cents) for cents in givers.values())


def _part(sums: Sums, money: int, asked: int) -> Sums:
    """Return what a pool with `money` pays of a grant, where `asked` is asked of it in all."""
    if asked <= money:
        return sums
    committed, disbursed, reported = (divided(each, [money, asked - money])[0] for each in sums)
    return committed, disbursed, reported


def shares(traced: Traced, pools: Mapping[Pool, Givers], donor: UUID | None) -> dict[Key, Sums]:
    """Return what of each place one donor paid, by rule 4; places without a share are left out.

    The shares of all who gave to a pool sum to what it pays in each place.
    """
    found: dict[Key, Sums] = {}
    for key, sums in traced.places.items():
        givers = pools[key[0]]
        if donor not in givers:
            continue
        order = sorted(givers, key=lambda each: (each is not None, str(each)))
        place = order.index(donor)
        weights = [max(0, givers[each]) for each in order]
        committed, disbursed, reported = (divided(each, weights)[place] for each in sums)
        if committed or disbursed or reported:
            found[key] = (committed, disbursed, reported)
    return found


def by_theme(traced: Traced, pool: Pool, share: Sums) -> dict[str, Sums]:
    """Divide a donor's share of what a pool pays among its themes, so that it sums to the share."""
    of_pool = {theme: sums for (of, theme), sums in traced.themes.items() if of == pool}
    columns = (
        divided(share[measure], [max(0, sums[measure]) for sums in of_pool.values()])
        for measure in range(len(NOTHING))
    )
    return dict(zip(of_pool, zip(*columns, strict=True), strict=True))


def _plus(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _less(one: Sums, other: Sums) -> Sums:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def together(all_sums: Iterable[Sums]) -> Sums:
    """Return the sum of each measure."""
    found = NOTHING
    for each in all_sums:
        found = _plus(found, each)
    return found
