"""By when: a day, or a moment.

What is due on a day is due on that day for everybody who reads it, wherever they are: a day is
never converted, and it is over at its end in UTC, as the rules say. A moment is one instant, shown
in the reader's zone.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from portal.core import clock

Due = date | datetime


def over_at(due: Due) -> datetime:
    """Return the moment at which `due` has passed: for a day, its end in UTC."""
    if isinstance(due, datetime):
        return due
    return datetime.combine(due + timedelta(days=1), time(), UTC)


def is_over(due: Due) -> bool:
    """Say whether `due` has passed."""
    return over_at(due) <= clock.now()


def day_of(due: Due, zone: tzinfo) -> date:
    """Return the day on which `due` stands in the calendar of a reader in `zone`."""
    return due.astimezone(zone).date() if isinstance(due, datetime) else due
