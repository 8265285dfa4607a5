"""Pure decisions about awards: budget in US$, instalments, ceilings. Amounts in US cents."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from portal.core.money import Money, split, usd
from portal.funds.profile import ReportRule

LONGEST_DAYS = 5 * 366
"""No grant runs longer than five years: above it, the year is a slip of the hand."""

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


def revision_fault(
    requested: Mapping[str, int], revised: Mapping[str, int], award_usd: int
) -> tuple[str, int] | None:
    """Return what is wrong with a revised budget (R18), or None.

    The answer is (`lines`, 0) for other lines than requested, (`negative`, 0), or (`sum`, cents
    by which the lines are above, below zero: under, the award).
    """
    if set(requested) != set(revised):
        return "lines", 0
    if any(amount < 0 for amount in revised.values()):
        return "negative", 0
    difference = sum(revised.values()) - award_usd
    return ("sum", difference) if difference else None


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


def days_fault(starts_on: date, ends_on: date, today: date) -> str | None:
    """Return what is wrong with the days of an offer: `order`, `over`, `long`, or None."""
    if ends_on < starts_on:
        return "order"
    if ends_on < today:
        return "over"
    return "long" if (ends_on - starts_on).days > LONGEST_DAYS else None
