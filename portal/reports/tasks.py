"""Background work of reports: reminders."""

from portal.core import jobs
from portal.reports import service


@jobs.sweep("report reminders", every_minutes=60)
def remind() -> None:
    """Queue the reminders of the day; an hour later the same ones are the same messages."""
    service.send_reminders()
