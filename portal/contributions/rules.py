"""Pure decisions about schedules, what is due, and how money is divided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from portal.contributions.models import AgreementInstalment, ContributionStatus
from portal.core.i18n import _, ngettext
from portal.core.money import Money, format_money, total, usd

DUE_SOON_DAYS = 14
"""How many days before its day a receivable becomes a task for the donor-relations officer."""

MOST_INSTALMENTS = 24

MOST_BY_HAND = usd(100_000_00)
"""What of a fund is recorded by hand, without statement or agreement, in `BY_HAND_WITHIN`.

One person does it alone, and no bank is asked: an agreement is confirmed by two people.
"""

BY_HAND_WITHIN = timedelta(days=365)

MOST_PER_SETTLED = Fraction(6, 5)
"""How much a transfer recorded by hand may be worth of what it settles, at the UN rates: banks
exchange at rates of their own, but not at any."""

Schedule = Sequence[tuple[date, Money]]
"""Instalments of an agreement: the day by which each is due, and how much."""


def schedule_problem(
    amount: Money, schedule: Schedule, signed_on: date, locale: str = "en"
) -> str | None:
    """Return why `schedule` is none for `amount`, in a sentence, or None where it is sound."""
    if not schedule:
        return _("Say at least one day on which money is due.")
    if len(schedule) > MOST_INSTALMENTS:
        return ngettext(
            "A schedule has %(num)s instalment at most.",
            "A schedule has %(num)s instalments at most.",
            MOST_INSTALMENTS,
        )
    problem = _day_problem([day for day, _part in schedule], signed_on)
    if problem:
        return problem
    if any(part.minor <= 0 for _day, part in schedule):
        return _("Each instalment is above zero.")
    planned = total((part for _day, part in schedule), amount.currency)
    if planned != amount:
        return _(
            "The instalments sum to %(planned)s, the agreement is over %(amount)s.",
            planned=format_money(planned, locale),
            amount=format_money(amount, locale),
        )
    return None


def _day_problem(days: Sequence[date], signed_on: date) -> str | None:
    if list(days) != sorted(set(days)):
        return _("The days of the instalments come in order, each later than the one before.")
    if days[0] < signed_on:
        return _("No instalment is due before the agreement is signed.")
    return None


@dataclass(frozen=True, slots=True)
class Due:
    """One instalment as it stands: what of it is still `open`, and whether its day has passed."""

    number: int
    due_on: date
    amount: Money
    open: Money
    is_overdue: bool


def dues(
    instalments: Iterable[AgreementInstalment], settled: int, currency: str, today: date
) -> list[Due]:
    """Return each instalment with what is still open of it. Money settles the earliest first."""
    found, left = [], settled
    for each in instalments:
        taken = min(left, each.amount)
        left -= taken
        still = Money(each.amount - taken, currency)
        found.append(
            Due(
                each.number,
                each.due_on,
                Money(each.amount, currency),
                still,
                is_overdue=bool(still) and each.due_on < today,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """A part of money that arrived: `amount` as it came, in US$, and what it settles of a debt."""

    amount: Money
    dollars: Money
    settles: Money | None


def divided(amount: Money, dollars: Money, settles: Money, owed: Money) -> list[Part]:
    """Divide money that arrived for an agreement of which `owed` is open.

    `settles` is what all of it would settle, in the agreement's currency. What is above the
    agreement becomes a part of its own, unless it is too little to be booked in US cents.
    """
    if not owed:
        return [Part(amount, dollars, None)]
    if settles <= owed:
        return [Part(amount, dollars, settles)]
    share = Fraction(owed.minor, settles.minor)
    first = Part(
        Money(round(amount.minor * share), amount.currency),
        Money(round(dollars.minor * share), dollars.currency),
        owed,
    )
    rest = Part(amount - first.amount, dollars - first.dollars, None)
    parts = [first, rest]
    if any(part.amount.minor <= 0 or part.dollars.minor <= 0 for part in parts):
        return [Part(amount, dollars, owed)]
    return parts


def part_of(left_usd: int, part: int, kept: int) -> int:
    """Return at how many US cents a part of what is kept goes back: the last part takes the rest.

    `left_usd` are the US cents of `kept`, in minor units as `part` is. Nothing goes back at less
    than a cent, and what stays keeps one.
    """
    if part == kept:
        return left_usd
    return max(1, min(proportion(left_usd, part, kept), left_usd - 1))


def proportion(whole_usd: int, part: int, whole: int) -> int:
    """Return the US cents of `part` of `whole`, that is `whole_usd` in all; rounded once."""
    return round(Fraction(whole_usd * part, whole))


def standing(
    amount: int, refunded: int, *, contested: bool, lost: bool, annulled: bool = False
) -> ContributionStatus:
    """Return what became of a contribution by its refunds and disputes; triggers say the same."""
    if annulled:
        return ContributionStatus.ANNULLED
    if contested:
        return ContributionStatus.DISPUTED
    if lost:
        return ContributionStatus.LOST
    if refunded == amount:
        return ContributionStatus.REFUNDED
    return ContributionStatus.PARTLY_REFUNDED if refunded else ContributionStatus.RECEIVED
