"""One report and what stands in it."""

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.applications.models import Application
from portal.applications.rules import Value
from portal.awards.models import Award
from portal.core.crypto import Unreadable, unseal
from portal.core.db import session
from portal.funds.profile import ReportRule
from portal.reports.models import (
    Evidence,
    Expenditure,
    PeopleReached,
    Report,
    ReportAnswer,
    ReportReview,
    ReportStatus,
    ReviewSide,
)
from portal.reports.rules import Spent


def award_of(application: Application) -> Award | None:
    """Return the award of a file with its signatures, None before the offer. One SQL statement."""
    rows = select(Award).where(Award.application_id == application.id)
    return session.scalar(rows.options(joinedload(Award.agreement)))


def report_of(award: Award, key: str) -> Report | None:
    """Return the award's report of this key, if it was opened. One SQL statement."""
    return session.scalar(select(Report).where(Report.award_id == award.id, Report.key == key))


def report_in(ref: str, key: str) -> Report | None:
    """Return a report by the reference of its file, with all that its pages and policy ask of.

    One SQL statement: the budget and the recusals are few enough to come along.
    """
    award = joinedload(Report.award)
    rows = (
        select(Report)
        .join(Report.award)
        .join(Award.application)
        .where(Application.ref == ref, Report.key == key)
        .options(
            award.joinedload(Award.budget),
            award.joinedload(Award.application).joinedload(Application.recusals),
        )
    )
    return session.scalars(rows).unique().one_or_none()


def rule_of(report: Report) -> ReportRule:
    """Return what the fund's profile says about this report."""
    return report.award.fund.report(report.key)


def is_last(report: Report) -> bool:
    """Say whether no other report of the award comes after this one."""
    return report.award.fund.reports[-1].key == report.key


def sealed_place(report: Report, key: str) -> str:
    """Return the place that a sealed answer is bound to."""
    return f"report:{report.id}:answer:{key}"


def answer_rows(report: Report) -> dict[str, ReportAnswer]:
    """Return the rows of the answers by key. One SQL statement."""
    rows = select(ReportAnswer).where(ReportAnswer.report_id == report.id)
    return {row.key: row for row in session.scalars(rows)}


def opened(report: Report, row: ReportAnswer) -> Value:
    """Return the answer in a row, unsealed; None once the key is destroyed."""
    if row.sealed is None:
        return row.value
    key = report.award.application.sealing_key
    try:
        text = unseal(key, row.sealed, sealed_place(report, row.key))
    except Unreadable:
        return None
    value: Value = json.loads(text)
    return value


def answers(report: Report) -> dict[str, Value]:
    """Return all answers by key, sealed ones opened. One SQL statement."""
    return {key: opened(report, row) for key, row in answer_rows(report).items()}


def open_answers(report: Report) -> dict[str, Value]:
    """Return the answers that are not sealed, by key. One SQL statement."""
    return {key: row.value for key, row in answer_rows(report).items() if row.sealed is None}


@dataclass(frozen=True)
class Figures:
    """What was spent by budget line: in this report, and as earlier reports were accepted (cents).

    `accepted_before` is what finance accepted in those; it may be less than they told.
    """

    told: dict[UUID, Expenditure]
    before: dict[UUID, int]
    accepted_before: int

    @property
    def spent_usd(self) -> int:
        """What this report tells was spent in all, in US cents."""
        return sum(row.spent_usd for row in self.told.values())


def figures(report: Report) -> Figures:
    """Return the spending of a report and what was accepted before it. One SQL statement."""
    rows = (
        select(Expenditure, Report.accepted_usd)
        .join(Report, Report.id == Expenditure.report_id)
        .where(
            Report.award_id == report.award_id,
            (Report.id == report.id) | (Report.status == ReportStatus.ACCEPTED),
        )
    )
    told: dict[UUID, Expenditure] = {}
    before: dict[UUID, int] = {}
    accepted: dict[UUID, int] = {}
    for row, accepted_usd in session.execute(rows):
        if row.report_id == report.id:
            told[row.line_id] = row
        else:
            before[row.line_id] = before.get(row.line_id, 0) + row.spent_usd
            accepted[row.report_id] = accepted_usd or 0
    return Figures(told, before, sum(accepted.values()))


def expenditures(report: Report) -> dict[UUID, Expenditure]:
    """Return what was spent, by budget line. One SQL statement."""
    return figures(report).told


def spending(report: Report, known: Figures) -> list[Spent]:
    """Return each budget line with what was spent on it."""
    staff = {each.key for each in report.award.fund.budget.categories if each.staff}
    return [
        Spent(
            line=str(line.id),
            budget_usd=line.amount_usd,
            before_usd=known.before.get(line.id, 0),
            spent_usd=known.told[line.id].spent_usd if line.id in known.told else None,
            staff=line.category in staff,
            reason=known.told[line.id].reason if line.id in known.told else "",
        )
        for line in report.award.budget
    ]


def spent_total(report: Report) -> int:
    """Return what the report tells was spent, in US cents. One SQL statement."""
    return figures(report).spent_usd


def people(report: Report) -> list[PeopleReached]:
    """Return the counts of people reached, the whole before its groups. One SQL statement."""
    rows = (
        select(PeopleReached)
        .where(PeopleReached.report_id == report.id)
        .order_by(PeopleReached.group, PeopleReached.sex, PeopleReached.age_band)
    )
    return list(session.scalars(rows))


def evidence(report: Report) -> list[Evidence]:
    """Return the files of a report that were not removed, oldest first. One SQL statement."""
    rows = select(Evidence).where(Evidence.report_id == report.id, Evidence.removed_at.is_(None))
    return list(session.scalars(rows.order_by(Evidence.added_at, Evidence.id)))


def accepted_before(report: Report) -> int:
    """Return what was accepted as spent in the award's other reports, in US cents."""
    return figures(report).accepted_before


@dataclass(frozen=True)
class Contents:
    """Everything that stands in a report, as it is stored."""

    rows: dict[str, ReportAnswer]
    figures: Figures
    people: list[PeopleReached]
    evidence: list[Evidence]


def contents(report: Report) -> Contents:
    """Return everything that stands in a report. Four SQL statements."""
    return Contents(answer_rows(report), figures(report), people(report), evidence(report))


def reviews(report: Report) -> list[ReportReview]:
    """Return the words on a report, oldest first. One SQL statement."""
    rows = select(ReportReview).where(ReportReview.report_id == report.id)
    return list(session.scalars(rows.order_by(ReportReview.round, ReportReview.at)))


def sides_wanted(rule: ReportRule) -> set[ReviewSide]:
    """Return the sides that accept a report: finance where there are figures (R30)."""
    return set(ReviewSide) if rule.financial else {ReviewSide.PROGRAMME}
