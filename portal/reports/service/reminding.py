"""Reminders of reports, before and after their day (R27)."""

from portal.applications.queries import representatives
from portal.awards.models import Award
from portal.core import clock, outbox
from portal.core.formats import format_day
from portal.core.i18n import speaking
from portal.reports import queries, rules
from portal.reports.queries import Owed


def send_reminders() -> int:
    """Queue every reminder that is due today, each once, and return how many there were.

    A day that was moved, by an amendment, has reminders of its own.
    """
    return sum(_remind(award, owed) for award, owed in queries.owed_in_force() if owed.is_waiting)


def _remind(award: Award, owed: Owed) -> int:
    if owed.due_on is None:
        return 0
    days = rules.reminder_for(owed.due_on, clock.today())
    if days is None:
        return 0
    people = representatives(award.application.organisation_id)
    for person in people:
        with speaking(person.language):
            due = format_day(owed.due_on)
        outbox.queue(
            person.email,
            "report_overdue" if days > 0 else "report_reminder",
            key=f"report-reminder:{award.id}:{owed.rule.key}:{owed.due_on}:{days}:{person.id}",
            link=f"/files/{award.application.ref}/reports",
            locale=person.language,
            person_id=person.id,
            reference=award.application.ref,
            due=due,
        )
    return len(people)
