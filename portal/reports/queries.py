"""Reads of reports: what is owed, what stands in one, who must act. Fixed numbers of statements."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.applications.rules import Value
from portal.awards.models import Award, AwardStatus
from portal.awards.rules import report_due_on
from portal.core import clock
from portal.core.crypto import Unreadable, unseal
from portal.core.db import session
from portal.core.formats import format_day
from portal.core.i18n import _, translated
from portal.core.todo import Todo
from portal.funds.profile import ReportRule
from portal.reports import policy
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

IN_FORCE = (AwardStatus.ACTIVE, AwardStatus.SUSPENDED, AwardStatus.TERMINATED)
"""While an award is in one of these, it owes its reports."""

AHEAD = timedelta(days=45)
"""How long before its day a report stands on the home page."""


@dataclass(frozen=True)
class Owed:
    """A report that an award owes. `due_on` is None before the signatures that it counts from."""

    rule: ReportRule
    due_on: date | None
    report: Report | None

    @property
    def status(self) -> ReportStatus:
        """Where it stands; one that nobody opened is still to be written."""
        return self.report.status if self.report else ReportStatus.DUE

    @property
    def is_waiting(self) -> bool:
        """Whether the grantee has to act."""
        return self.status in {ReportStatus.DUE, ReportStatus.RETURNED}

    @property
    def is_overdue(self) -> bool:
        """Whether its day has passed and nothing is in (R27). Computed, never stored."""
        return self.is_waiting and self.due_on is not None and clock.today() > self.due_on


def agreed_on(award: Award) -> date | None:
    """Return the day of the last signature that the fund asks for, in UTC."""
    if award.agreement is None:
        return None
    countersigned = award.fund.process.countersigned
    at = award.agreement.countersigned_at if countersigned else award.agreement.signed_at
    return at.astimezone(UTC).date() if at else None


def obligations(award: Award) -> list[Owed]:
    """Return the reports that an award owes, in the order of the profile. One SQL statement."""
    return _owed(award, session.scalars(select(Report).where(Report.award_id == award.id)))


def _owed(award: Award, reports: Iterable[Report]) -> list[Owed]:
    opened = {report.key: report for report in reports}
    return [
        Owed(rule, report_due_on(rule, award.ends_on, agreed_on(award)), opened.get(rule.key))
        for rule in award.fund.reports
    ]


def owed_by(awards: Sequence[Award]) -> list[tuple[Award, Owed]]:
    """Return what awards owe. One SQL statement for all of them."""
    ids = [award.id for award in awards]
    found: dict[UUID, list[Report]] = {key: [] for key in ids}
    for report in session.scalars(select(Report).where(Report.award_id.in_(ids))) if ids else ():
        found[report.award_id].append(report)
    return [(award, owed) for award in awards for owed in _owed(award, found[award.id])]


def awards_in_force(organisation_ids: Iterable[UUID] | None = None) -> list[Award]:
    """Return awards that owe reports, of some organisations or of all. One SQL statement."""
    rows = (
        select(Award)
        .join(Award.application)
        .where(Award.status.in_(IN_FORCE))
        .options(joinedload(Award.agreement))
        .order_by(Award.ends_on, Award.ref)
    )
    if organisation_ids is not None:
        rows = rows.where(Application.organisation_id.in_(list(organisation_ids)))
    return list(session.scalars(rows))


def outstanding(organisation_id: UUID) -> list[str]:
    """Return a sentence for each report that is overdue (R4); two SQL statements.

    A report that is in and waits for the fund's word is not outstanding.
    """
    return [
        _(
            "%(title)s of the grant %(ref)s, due on %(day)s",
            title=translated(owed.rule.title),
            ref=award.ref,
            day=format_day(owed.due_on) if owed.due_on else "",
        )
        for award, owed in owed_by(awards_in_force([organisation_id]))
        if owed.is_overdue
    ]


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


def waiting_for(person: Person) -> list[tuple[Report, set[ReviewSide]]]:
    """Return submitted reports that wait for the person's word, oldest first.

    Two SQL statements, and those that the recusals of all of them need at once.
    """
    visible = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    rows = (
        select(Report)
        .join(Report.award)
        .join(Award.application)
        .where(Report.status == ReportStatus.SUBMITTED, Application.id.in_(visible))
        .options(
            joinedload(Report.award)
            .joinedload(Award.application)
            .selectinload(Application.recusals)
        )
        .order_by(Report.submitted_at)
    )
    reports = list(session.scalars(rows))
    said = _said([report.id for report in reports])
    found = []
    for report in reports:
        words = [word for word in said if (word.report_id, word.round) == (report.id, report.round)]
        if any(word.by_id == person.id for word in words):
            continue
        sides = policy.sides(person, report) & sides_wanted(rule_of(report))
        sides -= {word.side for word in words}
        if sides:
            found.append((report, sides))
    return found


def _said(report_ids: Sequence[UUID]) -> list[ReportReview]:
    if not report_ids:
        return []
    return list(session.scalars(select(ReportReview).where(ReportReview.report_id.in_(report_ids))))


def overdue(person: Person) -> list[tuple[Award, Owed]]:
    """Return overdue reports of awards that exist for the person. Three SQL statements at most."""
    visible = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    rows = (
        select(Award)
        .join(Award.application)
        .where(Award.status.in_(IN_FORCE), Application.id.in_(visible))
        .options(joinedload(Award.agreement))
        .order_by(Award.ends_on)
    )
    return [pair for pair in owed_by(list(session.scalars(rows))) if pair[1].is_overdue]


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do with reports: to write, or to give a word on."""
    own = person.organisation_ids()
    found = [_to_write(award, owed) for award, owed in owed_by(awards_in_force(own))] if own else []
    tasks = [task for task in found if task is not None]
    if not policy.reviews_somewhere(person):
        return tasks
    return tasks + [_to_review(report) for report, _sides in waiting_for(person)]


def _to_write(award: Award, owed: Owed) -> Todo | None:
    if not owed.is_waiting or owed.due_on is None or owed.due_on - clock.today() > AHEAD:
        return None
    return Todo(
        _(
            "%(title)s of %(ref)s",
            title=translated(owed.rule.title),
            ref=award.application.ref,
        ),
        "reports.reports_tab",
        {"ref": award.application.ref},
        end_of(owed.due_on),
        award.application.title,
    )


def _to_review(report: Report) -> Todo:
    return Todo(
        _(
            "Look at the report on %(ref)s: %(title)s",
            ref=report.award.application.ref,
            title=translated(rule_of(report).title),
        ),
        "reports.read",
        {"ref": report.award.application.ref, "key": report.key},
    )


def end_of(day: date) -> datetime:
    """Return the end of a day in UTC: the moment when what was due on it is late."""
    return datetime.combine(day, time(23, 59, 59), UTC)
