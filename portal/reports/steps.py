"""What somebody has to do about the reports of one file, for the page of that file."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core.db import session
from portal.core.i18n import _, translated
from portal.core.todo import Todo
from portal.reports import policy, queries
from portal.reports.queries import Owed


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return the report to write, or those that wait for the person. Three SQL statements."""
    if applications.is_member(person, application):
        return _to_write(application)
    if not policy.reviews_somewhere(person):
        return []
    return [
        queries.review_step(
            report,
            _("Look at the report: %(title)s", title=translated(queries.rule_of(report).title)),
        )
        for report, _sides in queries.waiting_for(person)
        if report.award.application_id == application.id
    ]


def _to_write(application: Application) -> list[Todo]:
    rows = select(Award).where(
        Award.application_id == application.id, Award.status.in_(queries.IN_FORCE)
    )
    award = session.scalar(rows.options(joinedload(Award.agreement)))
    owed = queries.obligations(award) if award else []
    return [_todo(each, application.ref) for each in owed if each.is_waiting][:1]


def _todo(owed: Owed, ref: str) -> Todo:
    title = _("Write the report: %(title)s", title=translated(owed.rule.title))
    return Todo(title, "reports.reports_tab", {"ref": ref}, owed.due_on)
