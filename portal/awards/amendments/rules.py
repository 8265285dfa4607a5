"""Pure decisions about amendments. Amounts in US cents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.awards.rules import most_of_line
from portal.funds.profile import Budget


@dataclass(frozen=True)
class Part:
    """An instalment: what is planned, its share in per cent, and whether it may still change."""

    number: int
    percent: int
    planned: int
    is_open: bool


@dataclass(frozen=True)
class Line:
    """A line of the budget as it is to be. `position` is None for one that is new."""

    position: int | None
    category: str
    description: str
    amount_usd: int


@dataclass(frozen=True)
class Terms:
    """What an award is to become: its amount, its last day, the whole of its budget."""

    amount_usd: int
    ends_on: date
    lines: Sequence[Line]


def settled(parts: Sequence[Part]) -> int:
    """Return what was ordered, paid or lapsed: no amendment brings the award below it."""
    return sum(part.planned for part in parts if not part.is_open)


def replan(parts: Sequence[Part], amount_usd: int) -> dict[int, int] | None:
    """Return the planned amounts by number that sum to `amount_usd` (R22).

    The change goes to the instalments not yet ordered, by their shares, the remainder to the
    last. Where none is left, an increase is one instalment more, that waits for what the last one
    waited for. None for less than what is settled, and where nothing is left to lower.
    """
    now = {part.number: part.planned for part in parts}
    if amount_usd == sum(now.values()):
        return now
    rest = amount_usd - settled(parts)
    left = [part for part in parts if part.is_open]
    if rest < 0 or not (left or rest):
        return None
    if not left:
        return now | {max(now) + 1: rest}
    return now | _shared(left, rest)


def _shared(parts: Sequence[Part], cents: int) -> dict[int, int]:
    weights = [part.percent for part in parts]
    if not any(weights):
        weights = [1] * len(parts)
    whole = sum(weights)
    cut = [cents * weight // whole for weight in weights]
    cut[-1] += cents - sum(cut)
    return {part.number: each for part, each in zip(parts, cut, strict=True)}


def is_beyond_shift(before: Mapping[int, int], terms: Terms, budget: Budget) -> bool:
    """Say whether a line grows by more than the fund lets move without asking, or is new (R26).

    `before` holds the amounts of the lines by position.
    """
    staff = {each.key for each in budget.categories if each.staff}
    return any(
        line.position is None
        or line.amount_usd
        > most_of_line(before[line.position], budget.shift_percent, staff=line.category in staff)
        for line in terms.lines
    )


def lines_fault(before: Mapping[int, int], terms: Terms, budget: Budget) -> str | None:
    """Return what is wrong with the lines of an amended budget, or None.

    `lines` for others than there are; `negative`; `empty` for a new one without words or amount;
    `category` for one outside of the fund's categories, `many` for more lines than the fund takes
    (R10); `audit` for a budget above the fund's threshold without a line for an audit (R10).
    """
    old = [line for line in terms.lines if line.position is not None]
    new = [line for line in terms.lines if line.position is None]
    allowed = {each.key for each in budget.categories}
    audited = any(
        line.category == budget.audit_category and line.amount_usd > 0 for line in terms.lines
    )
    wanted = budget.audit_category is not None
    faults = {
        "lines": sorted(line.position or 0 for line in old) != sorted(before),
        "negative": any(line.amount_usd < 0 for line in terms.lines),
        "empty": any(not line.description or line.amount_usd <= 0 for line in new),
        "category": any(line.category not in allowed for line in new),
        "many": bool(new) and len(terms.lines) > budget.lines_max,
        "audit": wanted and not audited and terms.amount_usd > budget.audit_line_above_usd_minor,
    }
    return next((fault for fault, found in faults.items() if found), None)
