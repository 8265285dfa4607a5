"""What comes next, and by when."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.app.home import grouped
from portal.core.todo import Todo

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def todo(title: str, due: datetime | None = None) -> Todo:
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
        ["in a month", "some day"],
    ]
    assert [group.tone for group in groups] == ["stop", "wait", "neutral"]
    assert grouped([], now=NOW, zone="UTC") == []


@pytest.mark.parametrize(("zone", "tone"), [("UTC", "wait"), ("Pacific/Kiritimati", "wait")])
def test_seven_days_are_the_readers(zone: str, tone: str) -> None:
    last = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)
    assert grouped([todo("x", last)], now=NOW, zone=zone)[0].tone == tone


def test_a_day_begins_earlier_in_the_east() -> None:
    due = datetime(2026, 11, 29, 1, tzinfo=UTC)
    assert grouped([todo("x", due)], now=NOW, zone="UTC")[0].tone == "neutral"
    assert grouped([todo("x", due)], now=NOW, zone="Pacific/Kiritimati")[0].tone == "wait"
