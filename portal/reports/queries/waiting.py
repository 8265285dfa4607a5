"""Who must act on which report, and by when."""

from collections import defaultdict
from datetime import timedelta

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, translated
from portal.core.todo import Todo
from portal.funds.terms import within_term
from portal.reports import policy
from portal.reports.models import (
    Report,
    ReportReview,
    ReportStatus,
    ReviewSide,
)
from portal.reports.queries.inside import rule_of, sides_wanted
from portal.reports.queries.owing import IN_FORCE, Owed, owed_by, owed_in_force

AHEAD = timedelta(days=45)
"""How long before its day a report stands on the home page."""


def waiting_for(person: Person) -> list[tuple[Report, set[ReviewSide]]]:
    """Return submitted reports that wait for the person's word, oldest first.

    One SQL statement.
    """
    visible = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    rows = (
        select(Report, ReportReview)
        .join(Report.award)
        .join(Award.application)
        .outerjoin(
            ReportReview,
            and_(ReportReview.report_id == Report.id, ReportReview.round == Report.round),
        )
        .where(Report.status == ReportStatus.SUBMITTED, Application.id.in_(visible))
        .options(
            joinedload(Report.award).joinedload(Award.application).joinedload(Application.recusals)
        )
        .order_by(Report.submitted_at)
    )
    said: dict[Report, list[ReportReview]] = defaultdict(list)
    for report, word in session.execute(rows).unique():
        said[report].extend([word] if word is not None else [])
    found = []
    for report, words in said.items():
        if any(word.by_id == person.id for word in words):
            continue
        sides = policy.sides(person, report) & sides_wanted(rule_of(report))
        sides -= {word.side for word in words}
        if sides:
            found.append((report, sides))
    return found


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
    found = [_to_write(award, owed) for award, owed in owed_in_force(own)] if own else []
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
        owed.due_on,
        award.application.title,
    )


def _to_review(report: Report) -> Todo:
    title = _(
        "Look at the report on %(ref)s: %(title)s",
        ref=report.award.application.ref,
        title=translated(rule_of(report).title),
    )
    return review_step(report, title)


def review_step(report: Report, title: str) -> Todo:
    """Return the task to give a word on a report that was handed in."""
    values = {"ref": report.award.application.ref, "key": report.key}
    fund, since = report.award.fund, report.submitted_at
    return within_term(Todo(title, "reports.read", values), fund, "report_review", since)
