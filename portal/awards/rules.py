"""Pure decisions about awards: budget in US$, instalments, ceilings. Amounts in US cents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.core.money import Money, split, usd
from portal.funds.profile import ReportRule

LONGEST_DAYS = 5 * 366
"""No grant runs longer than five years: above it, the year is a slip of the hand."""

WHOLE = 100
"""Per cent of the whole."""

REFUND_DAYS = 60
"""Days within which unspent money comes back (R25), as the agreement says; the term is ours, to be
confirmed by the fund secretariat."""


def dollars(lines: Sequence[Money], total: Money) -> list[int]:
    """Return budget lines of one currency in cents that sum to `total` exactly.

    `total` is the request in US$ as it was submitted, at the rate of the call's reference day (R9).
    Each line gets its share of it, cut to whole cents; what is left over goes, a cent each, to the
    lines that lost most by the cut: none is below zero, or more than two cents away from its own
    conversion.
    """
    whole = sum(line.minor for line in lines)
    if not whole:
        return [0] * len(lines)
    cut = [divmod(total.minor * line.minor, whole) for line in lines]
    found = [cents for cents, _lost in cut]
    most_lost = sorted(range(len(cut)), key=lambda at: (-cut[at][1], at))
    for at in most_lost[: total.minor - sum(found)]:
        found[at] += 1
    return found


def plan(amount_usd: int, percents: Sequence[int]) -> list[int]:
    """Return the planned instalments in cents; the remainder goes to the last (R22)."""
    return [part.minor for part in split(usd(amount_usd), percents)]


def most_of_line(requested_usd: int, shift_percent: int, *, staff: bool) -> int:
    """Return the most that a line of a revised budget may be, in cents (R18, R26).

    What was asked for it and the free shift of the fund; a line for staff may not grow.
    """
    return requested_usd if staff else requested_usd + requested_usd * shift_percent // WHOLE


@dataclass(frozen=True)
class Fault:
    """What is wrong with a revised budget.

    `kind` is `lines` for other lines than requested; `negative`; `above` for a line above the
    most that it may be, named by `line`; `sum` for lines that are `cents` above the award, below
    zero: under it.
    """

    kind: str
    cents: int = 0
    line: str = ""


def revision_fault(
    most: Mapping[str, int], revised: Mapping[str, int], award_usd: int
) -> Fault | None:
    """Return the first thing that is wrong with a revised budget (R18), or None.

    `most` holds the highest amount of each requested line: see `most_of_line`.
    """
    if set(most) != set(revised):
        return Fault("lines")
    if any(amount < 0 for amount in revised.values()):
        return Fault("negative")
    for line, highest in most.items():
        if revised[line] > highest:
            return Fault("above", line=line)
    difference = sum(revised.values()) - award_usd
    return Fault("sum", cents=difference) if difference else None


def report_due_on(rule: ReportRule, ends_on: date, agreed_on: date | None) -> date | None:
    """Return the day on which a report is due; None before the signatures that it counts from.

    The end of travel is the last day of the award.
    """
    start = agreed_on if rule.due_from == "agreement" else ends_on
    return None if start is None else start + timedelta(days=rule.due_days)


def day_or_none(text: object) -> date | None:
    """Return an answer as a day of the calendar; None where it is none."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def days_fault(
    starts_on: date, ends_on: date, today: date, latest: date | None = None
) -> str | None:
    """Return what is wrong with the days of an offer: `order`, `over`, `limit`, `long`, or None.

    `latest` is the last day that the fund allows activities that begin so to end on (R9).
    """
    if ends_on < starts_on:
        return "order"
    if ends_on < today:
        return "over"
    if latest is not None and ends_on > latest:
        return "limit"
    return "long" if (ends_on - starts_on).days > LONGEST_DAYS else None
