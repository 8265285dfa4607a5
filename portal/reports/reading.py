"""A report as people read it: words, spending against the budget, people in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from portal.applications.models import Sex
from portal.applications.reading import in_words
from portal.applications.rules import Value
from portal.awards.document import category_label
from portal.core.i18n import translated
from portal.core.money import Money, usd
from portal.funds.profile import ReportRule
from portal.reports.models import AgeBand, Expenditure, Group, PeopleReached, Report


@dataclass(frozen=True)
class Told:
    """One question with its answer. `hidden`: sealed, and not opened for this reader."""

    label: str
    text: str
    hidden: bool


@dataclass(frozen=True)
class SpendingRow:
    """One budget line: budget, earlier reports, spent, rate, US$, balance, reasons (R29)."""

    category: str
    description: str
    budget: Money
    before: Money
    spent: Money | None
    rate: Decimal | None
    rate_reason: str
    dollars: Money | None
    balance: Money
    reason: str


@dataclass(frozen=True)
class SpendingTable:
    """The spending of a report with its sums, in US$."""

    rows: Sequence[SpendingRow]
    budget: Money
    before: Money
    spent: Money
    balance: Money


@dataclass(frozen=True)
class PeopleTable:
    """Counts by sex (rows) and age band (columns), of everybody or of a group."""

    title: str | None
    rows: Sequence[tuple[str, Sequence[int], int]]
    total: int


def told(rule: ReportRule, answers: Mapping[str, Value], *, with_sealed: bool) -> list[Told]:
    """Return the narrative in words; sealed answers only where the reader may have them."""
    return [
        Told(
            translated(question.label),
            ""
            if question.sealed and not with_sealed
            else in_words(question, answers.get(question.key)),
            question.sealed and not with_sealed,
        )
        for question in rule.sections
    ]


def spending_table(
    report: Report, rows: Mapping[UUID, Expenditure], before: Mapping[UUID, int]
) -> SpendingTable:
    """Return the spending line by line; the server does the arithmetic."""
    listed = []
    for line in report.award.budget:
        row = rows.get(line.id)
        spent = row.spent_usd if row else 0
        earlier = before.get(line.id, 0)
        listed.append(
            SpendingRow(
                category=category_label(report.award.fund, line.category),
                description=line.description,
                budget=usd(line.amount_usd),
                before=usd(earlier),
                spent=row.money if row else None,
                rate=row.rate if row else None,
                rate_reason=row.rate_reason if row else "",
                dollars=row.dollars if row else None,
                balance=usd(line.amount_usd - earlier - spent),
                reason=row.reason if row else "",
            )
        )
    spent_in_all = sum(row.spent_usd for row in rows.values())
    budget = report.award.budgeted_usd
    earlier_in_all = sum(before.values())
    return SpendingTable(
        listed,
        usd(budget),
        usd(earlier_in_all),
        usd(spent_in_all),
        usd(budget - earlier_in_all - spent_in_all),
    )


def people_tables(counts: Sequence[PeopleReached]) -> list[PeopleTable]:
    """Return the counts of everybody, then of each group that was counted."""
    found = {(each.group, each.sex, each.age_band): each.people for each in counts}
    tables = []
    for group in (None, *Group):
        key = group.value if group else ""
        if not any(place[0] == key for place in found):
            continue
        rows = []
        for sex in Sex:
            cells = [found.get((key, sex, band), 0) for band in AgeBand]
            rows.append((str(sex.label), cells, sum(cells)))
        title = str(group.label) if group else None
        tables.append(PeopleTable(title, rows, sum(total for _sex, _cells, total in rows)))
    return tables
