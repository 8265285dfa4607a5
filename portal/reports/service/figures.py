"""The figures of a report: spending by budget line, and the people reached. The server counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete

from portal.accounts.models import Person
from portal.applications.models import Sex
from portal.awards.models import AwardBudgetLine
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money, to_usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger.queries import rate_on
from portal.ledger.rules import NoRate
from portal.reports import rules
from portal.reports.models import AgeBand, Expenditure, Group, PeopleReached, Report
from portal.reports.service.writing import demand_writer, hold

REASON_LIMIT = 2_000


@dataclass(frozen=True)
class Spending:
    """What was spent on one line, as it was read from the form.

    `rate` None stands for the UN's rate on the last day of the activities; another one needs
    `rate_reason`. `reason` explains a difference from the budget.
    """

    line_id: UUID
    spent: Money
    rate: Decimal | None = None
    rate_reason: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Count:
    """So many people of a sex and an age band; `group` None for everybody."""

    sex: Sex
    age_band: AgeBand
    people: int
    group: Group | None = None


@dataclass(frozen=True)
class FiguresResult:
    """What became of saving figures. With `conflict`, nothing was saved."""

    saved_at: datetime
    revision: int
    conflict: bool = False


def rate_for(report: Report, currency: str) -> Decimal | None:
    """Return the UN's rate on the last day of the activities (today, before it); None without."""
    try:
        return rate_on(currency, rate_day(report)).units_per_usd
    except NoRate:
        return None


def rate_day(report: Report) -> date:
    """Return the day whose rate of exchange holds for the report."""
    return min(report.award.ends_on, clock.today())


def save_expenditure(
    report: Report, entries: Sequence[Spending], *, by: Person, revision: int | None = None
) -> FiguresResult:
    """Put `entries` in place of the spending told so far; US$ are worked out by the server.

    A line that is not among them counts as not yet told. `revision` is the one that the writer had
    seen (`report.spending_revision`): if somebody else saved since, nothing is changed. Raises
    Refused for a line of another award, a line twice, a rate without its reason (R29), and once
    the report was handed in.
    """
    hold(report)
    demand_writer(report, by)
    if revision is not None and revision != report.spending_revision:
        return FiguresResult(clock.now(), report.spending_revision, conflict=True)
    lines = {line.id: line for line in report.award.budget}
    if len({entry.line_id for entry in entries}) != len(entries):
        raise Refused(_("A budget line stands twice."), "R29")
    rows = [_expenditure(report, lines, entry) for entry in entries]
    session.execute(delete(Expenditure).where(Expenditure.report_id == report.id))
    session.add_all(rows)
    report.spending_revision += 1
    session.flush()
    return FiguresResult(clock.now(), report.spending_revision)


def _expenditure(
    report: Report, lines: dict[UUID, AwardBudgetLine], entry: Spending
) -> Expenditure:
    line = lines.get(entry.line_id)
    if line is None:
        raise Refused(_("Spending is told on the lines of the approved budget."), "R29")
    if entry.spent.minor < 0:
        raise Refused(_("An amount cannot be below zero."), "R29")
    official = rate_for(report, entry.spent.currency)
    rate = official if entry.rate is None else entry.rate
    if rate is None:
        raise Refused(
            _(
                "There is no UN rate for %(currency)s on that day. Give the rate at which the "
                "bank changed the money, and say so.",
                currency=entry.spent.currency,
            ),
            "R29",
        )
    why = _words(entry.rate_reason)
    _refuse_rate(entry, rate, official, why)
    return Expenditure(
        report=report,
        line=line,
        spent=entry.spent.minor,
        currency=entry.spent.currency,
        rate=rate,
        official_rate=official,
        rate_reason=why if rate != official else "",
        spent_usd=to_usd(entry.spent, rate).minor,
        reason=_words(entry.reason),
    )


def _refuse_rate(entry: Spending, rate: Decimal, official: Decimal | None, why: str) -> None:
    if not (rate.is_finite() and 0 < rate <= rules.HIGHEST_RATE):
        raise Refused(_("A rate of exchange is above zero: units of currency for US$ 1."), "R29")
    if entry.spent.currency == "USD" and rate != 1:
        raise Refused(_("The rate of US dollars is 1."), "R29")
    if rate != official and not why:
        raise Refused(
            _("Say why you use another rate than the UN’s: for example “bank slip of 3 May”."),
            "R29",
        )


def _words(text: str) -> str:
    words = normalise(text).strip()
    if len(words) > REASON_LIMIT:
        raise Refused(_("Keep each reason to %(limit)s characters.", limit=REASON_LIMIT))
    return words


def save_people(
    report: Report, counts: Sequence[Count], *, by: Person, revision: int | None = None
) -> FiguresResult:
    """Put `counts` in place of those given so far (R28). Zero is a count.

    `revision` works as with spending (`report.people_revision`). Raises Refused for a number below
    zero, a group larger than the whole that it is a part of, and once the report was handed in.
    """
    hold(report)
    demand_writer(report, by)
    if revision is not None and revision != report.people_revision:
        return FiguresResult(clock.now(), report.people_revision, conflict=True)
    whole = {(each.sex, each.age_band): each.people for each in counts if each.group is None}
    for each in counts:
        if not 0 <= each.people <= rules.MOST_PEOPLE:
            raise Refused(_("Give numbers of people from zero upwards."), "R28")
        if each.group is not None and each.people > whole.get((each.sex, each.age_band), 0):
            raise Refused(
                _(
                    "%(group)s, %(sex)s, %(age)s: this is more than all people reached of that "
                    "sex and age.",
                    group=each.group.label,
                    sex=each.sex.label,
                    age=each.age_band.label,
                ),
                "R28",
            )
    session.execute(delete(PeopleReached).where(PeopleReached.report_id == report.id))
    session.add_all(
        PeopleReached(
            report=report,
            sex=each.sex,
            age_band=each.age_band,
            group=each.group.value if each.group else "",
            people=each.people,
        )
        for each in counts
    )
    report.people_revision += 1
    session.flush()
    return FiguresResult(clock.now(), report.people_revision)
