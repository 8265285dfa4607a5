"""What comes next, and by when."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.app.home import grouped
from portal.core import clock
from portal.core.due import Due
from portal.core.todo import Todo

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def todo(title: str, due: Due | None = None) -> Todo:
    """Return a task."""
    return Todo(title, "home.show", due=due)


def test_tasks_stand_by_urgency_in_groups_that_are_not_empty() -> None:
    tasks = [
        todo("some day"),
        todo("in a month", NOW + timedelta(days=30)),
        todo("tomorrow", NOW + timedelta(days=1)),
        todo("today", NOW + timedelta(hours=1)),
        todo("yesterday", NOW - timedelta(days=1)),
    ]
    groups = grouped(tasks, now=NOW, zone="UTC")
    assert [[task.title for task in group.todos] for group in groups] == [
        ["yesterday"],
        ["today", "tomorrow"],
        ["in a month"],
        ["some day"],
    ]
    assert [group.tone for group in groups] == ["stop", "wait", "neutral", "neutral"]
    assert [group.heading for group in groups[2:]] == ["Later", "Without a date"]
    assert grouped([], now=NOW, zone="UTC") == []


@pytest.mark.parametrize(("zone", "tone"), [("UTC", "wait"), ("Pacific/Kiritimati", "wait")])
def test_seven_days_are_the_readers(zone: str, tone: str) -> None:
    last = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)
    assert grouped([todo("x", last)], now=NOW, zone=zone)[0].tone == tone


def test_a_day_begins_earlier_in_the_east() -> None:
    due = datetime(2026, 11, 29, 1, tzinfo=UTC)
    assert grouped([todo("x", due)], now=NOW, zone="UTC")[0].tone == "neutral"
    assert grouped([todo("x", due)], now=NOW, zone="Pacific/Kiritimati")[0].tone == "wait"


def test_a_day_is_over_at_its_end_in_utc_and_sorts_among_moments() -> None:
    day = date(2026, 11, 21)
    tasks = [
        todo("the day", day),
        todo("that evening", datetime(2026, 11, 21, 23, tzinfo=UTC)),
        todo("the night after", datetime(2026, 11, 22, 1, tzinfo=UTC)),
        todo("the day before", day - timedelta(days=1)),
    ]
    groups = grouped(tasks, now=NOW, zone="UTC")
    assert [[task.title for task in group.todos] for group in groups] == [
        ["the day before"],
        ["that evening", "the day", "the night after"],
    ]
    with clock.at(NOW):
        assert [task.title for task in tasks if task.is_overdue] == ["the day before"]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_seven_days_are_counted_on_days_as_they_stand(zone: str) -> None:
    today = NOW.astimezone(ZoneInfo(zone)).date()
    within, later = (today + timedelta(days=days) for days in (7, 8))
    assert grouped([todo("x", within)], now=NOW, zone=zone)[0].tone == "wait"
    assert grouped([todo("x", later)], now=NOW, zone=zone)[0].tone == "neutral"
