"""Scores, ranks, the line where the money ends, and the order of priority: decided on values.

Scores are exact fractions in percent of the highest possible one, rounded once, for people, to
two decimals. Amounts are US$ in minor units (cents).
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, Generic, TypeVar

from portal.core.i18n import _, ngettext
from portal.funds.countries import Country, has_flag
from portal.funds.profile import Criterion, PriorityRule

WIDE_PERCENT = 40
"""Readers disagree on a criterion when their points lie this share of its scale apart."""

LENIENT_PERCENT = 20
"""A reader whose scores lie, on average, this far from the others' is pointed out."""

FEWEST_COMPARED = 2

_CENT = Decimal("0.01")

Key = TypeVar("Key", bound=Hashable)


def weighted(points: Mapping[str, int], criteria: Sequence[Criterion]) -> Fraction:
    """Return the score in percent of the highest possible one, by the published weights (R17).

    Raises KeyError while a criterion has no points, ValueError for points off the scale.
    """
    total = Fraction(0)
    for criterion in criteria:
        given = points[criterion.key]
        if not 0 <= given <= criterion.scale_max:
            raise ValueError(f"{criterion.key}: {given} is not on the scale")
        total += Fraction(given * criterion.weight_percent, criterion.scale_max)
    whole = sum(criterion.weight_percent for criterion in criteria)
    return total * 100 / whole


def mean(scores: Sequence[Fraction]) -> Fraction:
    """Return the mean. Raises ValueError for no scores at all."""
    if not scores:
        raise ValueError("nobody scored")
    return sum(scores, Fraction(0)) / len(scores)


def spread(scores: Sequence[Fraction]) -> Decimal | None:
    """Return the sample standard deviation to two decimals; None below two scores."""
    if len(scores) < FEWEST_COMPARED:
        return None
    middle = mean(scores)
    variance = sum(((score - middle) ** 2 for score in scores), Fraction(0)) / (len(scores) - 1)
    exact = Decimal(variance.numerator) / Decimal(variance.denominator)
    return exact.sqrt().quantize(_CENT, rounding=ROUND_HALF_EVEN)


def to_percent(value: Fraction) -> Decimal:
    """Return the value to two decimals, rounded once, half to even."""
    hundredths = round(value * 100)
    return Decimal(hundredths).scaleb(-2)


@dataclass(frozen=True)
class Ranked(Generic[Key]):
    """One application in the ranking. `best` and `worst` are the ends of its rank interval."""

    key: Key
    rank: int
    best: int
    worst: int
    mean: Fraction | None
    spread: Decimal | None

    @property
    def interval(self) -> str:
        """The rank interval as people read it; nothing where it is one rank."""
        return f"{self.best}–{self.worst}" if self.best != self.worst else ""


def rank(scores: Mapping[Key, Sequence[Fraction]]) -> list[Ranked[Key]]:
    """Return the applications by mean, the highest first; equal means share a rank (1, 2, 2, 4).

    Whoever has no score stands last, without a mean. The rank interval says which ranks an
    application could have had: another is surely ahead only where its lowest score is above
    this one's highest. Equal ranks keep the order in which they came.
    """
    means = {key: mean(given) if given else None for key, given in scores.items()}
    order = sorted(scores, key=lambda key: -_or_below(means[key]))
    return [
        Ranked(
            key=key,
            rank=1 + sum(_or_below(other) > _or_below(means[key]) for other in means.values()),
            best=1 + sum(_surely_ahead(scores[other], scores[key]) for other in order),
            worst=len(order) - sum(_surely_ahead(scores[key], scores[other]) for other in order),
            mean=means[key],
            spread=spread(scores[key]),
        )
        for key in order
    ]


def _or_below(value: Fraction | None) -> Fraction:
    return Fraction(-1) if value is None else value


def _surely_ahead(one: Sequence[Fraction], other: Sequence[Fraction]) -> bool:
    """Whether the lowest score of one is above the highest of the other."""
    if not one:
        return False
    return not other or min(one) > max(other)


def disagree(points: Sequence[int], scale_max: int) -> bool:
    """Say whether readers lie far apart on one criterion."""
    return len(points) >= FEWEST_COMPARED and (max(points) - min(points)) * 100 > (
        WIDE_PERCENT * scale_max
    )


@dataclass(frozen=True)
class FundingLine:
    """Where the money ends. `funded` many lines, from the top, fit; `left` remains after them."""

    funded: int
    spent: int
    limit: int

    @property
    def left(self) -> int:
        """What remains of the limit, in cents."""
        return self.limit - self.spent


def funding_line(amounts: Sequence[int], envelope: int, available: int) -> FundingLine:
    """Return how far the money goes down the list: the running sum against the lesser limit (R19).

    The line stands before the first amount that no longer fits; what stands below it is not
    looked at, even where it would fit: nobody is passed over by size. Nothing available (or less,
    after a loss on exchange) funds nobody. Amounts in US cents.
    """
    limit = max(0, min(envelope, available))
    spent = 0
    for index, amount in enumerate(amounts):
        if spent + amount > limit:
            return FundingLine(index, spent, limit)
        spent += amount
    return FundingLine(len(amounts), spent, limit)


def most_that_fits(fits: Callable[[int], bool], at_most: int) -> int:
    """Return the highest amount up to `at_most` that `fits`, which holds below and not above."""
    if at_most <= 0 or not fits(0):
        return 0
    low, high = 0, at_most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


@dataclass(frozen=True)
class Request(Generic[Key]):
    """What the priority order looks at: one State's request, and what was before it.

    `earlier` counts the State's approved awards of the fund; `woman` is None where the official's
    sex is not stated.
    """

    key: Key
    country: Country
    earlier: int
    woman: bool | None
    received_at: datetime


@dataclass(frozen=True)
class Balance:
    """How the fund's approved awards are spread: by sex of the official, and by region."""

    women: int = 0
    men: int = 0
    regions: Mapping[str, int] | None = None

    def of_region(self, region: str) -> int:
        """Return how many approved awards went to a region."""
        return (self.regions or {}).get(region, 0)


@dataclass(frozen=True)
class Placed(Generic[Key]):
    """A request in the order of priority, with a reason for each step."""

    key: Key
    rank: int
    reasons: tuple[tuple[str, str], ...]
    """(key of the step, what it says of this request), in the order of the steps."""
    decided_by: str | None
    """The step that put it behind the one before; None for the first and for equals."""


def priority_order(
    requests: Sequence[Request[Key]],
    steps: Sequence[PriorityRule],
    balance: Balance,
    on: date,
) -> list[Placed[Key]]:
    """Return the requests in the published order (R15); who no step tells apart shares a rank.

    Steps are taken in the order of the profile, as of the call's reference day. Balances are those
    of earlier approved awards: whoever belongs to the part that had less comes first.
    """
    keyed = {
        request.key: [_weigh(step.key, request, balance, on) for step in steps]
        for request in requests
    }
    order = sorted(requests, key=lambda request: [value for value, _why in keyed[request.key]])
    placed: list[Placed[Key]] = []
    for index, request in enumerate(order):
        weights = [value for value, _why in keyed[request.key]]
        before = [value for value, _why in keyed[order[index - 1].key]] if index else None
        placed.append(
            Placed(
                key=request.key,
                rank=placed[-1].rank if before == weights else index + 1,
                reasons=tuple(
                    (step.key, why)
                    for step, (_value, why) in zip(steps, keyed[request.key], strict=True)
                ),
                decided_by=_first_difference(steps, before, weights),
            )
        )
    return placed


def _first_difference(
    steps: Sequence[PriorityRule], before: Sequence[float] | None, weights: Sequence[float]
) -> str | None:
    if before is None:
        return None
    return next(
        (step.key for step, one, other in zip(steps, before, weights, strict=True) if one != other),
        None,
    )


def _weigh(step: str, request: Request[Key], balance: Balance, on: date) -> tuple[int, str]:
    """Return the weight of a request at a step (the lowest first) and the reason in words."""
    return _STEPS[step](request, balance, on)


def _flags(*flags: str) -> Callable[[Request[Any], Balance, date], tuple[int, str]]:
    def step(request: Request[Any], _balance: Balance, on: date) -> tuple[int, str]:
        held = [flag.upper() for flag in flags if has_flag(request.country, flag, on)]
        if held:
            return 0, _("%(flags)s on %(day)s", flags=", ".join(held), day=on.isoformat())
        return 1, _("Not among these groups on %(day)s", day=on.isoformat())

    return step


def _mission(request: Request[Any], _balance: Balance, _on: date) -> tuple[int, str]:
    if request.country.geneva_mission is False:
        return 0, _("No permanent mission in Geneva")
    return 1, _("A permanent mission in Geneva, as far as is recorded")


def _benefited(request: Request[Any], _balance: Balance, _on: date) -> tuple[int, str]:
    if request.earlier == 0:
        return 0, _("Never supported before")
    return request.earlier, ngettext(
        "Supported %(num)s time before", "Supported %(num)s times before", request.earlier
    )


def _gender(request: Request[Any], balance: Balance, _on: date) -> tuple[int, str]:
    counts = _("%(women)s women and %(men)s men so far", women=balance.women, men=balance.men)
    if request.woman is None or balance.women == balance.men:
        return 1, counts
    fewer_women = balance.women < balance.men
    return (0 if request.woman is fewer_women else 2), counts


def _region(request: Request[Any], balance: Balance, _on: date) -> tuple[int, str]:
    region = region_of(request.country)
    count = balance.of_region(region)
    return count, ngettext(
        "%(num)s award to this region so far", "%(num)s awards to this region so far", count
    )


def _received(request: Request[Any], _balance: Balance, _on: date) -> tuple[int, str]:
    since = int(request.received_at.timestamp() * 1_000_000)
    return since, _("Received on %(at)s UTC", at=f"{request.received_at:%Y-%m-%d %H:%M:%S}")


_STEPS: dict[str, Callable[[Request[Any], Balance, date], tuple[int, str]]] = {
    "ldc_sids_first": _flags("ldc", "sids"),
    "ldc_lldc_sids_first": _flags("ldc", "lldc", "sids"),
    "no_geneva_mission": _mission,
    "never_or_least_benefited": _benefited,
    "gender_balance": _gender,
    "regional_balance": _region,
    "first_received": _received,
}


def region_of(country: Country) -> str:
    """Return the code of a country's regional group; `observer` for the two without one."""
    return country.group.value if country.group else "observer"


@dataclass(frozen=True)
class Sheet(Generic[Key]):
    """A submitted score sheet: who, on what, and its score in percent."""

    reviewer: Key
    application: Hashable
    score: Fraction


def anomalies(sheets: Sequence[Sheet[Key]]) -> list[tuple[Key, int]]:
    """Return the readers whose scores lie far from the others', with by how much, in percent.

    Compared application by application with the mean of the other readers; somebody who read a
    single application together with others is not pointed out. Above zero: more generous.
    """
    by_application: dict[Hashable, list[Sheet[Key]]] = {}
    for sheet in sheets:
        by_application.setdefault(sheet.application, []).append(sheet)
    gaps: dict[Key, list[Fraction]] = {}
    for read in by_application.values():
        for sheet in read:
            others = [other.score for other in read if other.reviewer != sheet.reviewer]
            if others:
                gaps.setdefault(sheet.reviewer, []).append(sheet.score - mean(others))
    found = [
        (reviewer, round(mean(each)))
        for reviewer, each in gaps.items()
        if len(each) >= FEWEST_COMPARED and abs(mean(each)) > LENIENT_PERCENT
    ]
    return sorted(found, key=lambda pair: (-abs(pair[1]), str(pair[0])))


def all_alike(sheets: Sequence[Sheet[Key]]) -> list[Key]:
    """Return the readers who gave every one of three or more applications the same score."""
    scores: dict[Key, list[Fraction]] = {}
    for sheet in sheets:
        scores.setdefault(sheet.reviewer, []).append(sheet.score)
    return [
        reviewer
        for reviewer, given in scores.items()
        if len(given) > FEWEST_COMPARED and len(Counter(given)) == 1
    ]
