"""One line of a home page: what a person must do next, and by when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.core.due import Due, is_over, over_at


@dataclass(frozen=True)
class Todo:
    """A task with the page that does it.

    `due` is a day or a moment, or None where nothing presses; `since` is the moment (UTC) from
    which on it waits for the person, where that is worth saying. `unconfirmed` marks a `due` that
    rests on a term which the fund secretariat has still to confirm.
    """

    title: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    due: Due | None = None
    note: str = ""
    since: datetime | None = None
    unconfirmed: bool = False

    @property
    def is_overdue(self) -> bool:
        """Whether its day or moment has passed."""
        return self.due is not None and is_over(self.due)


def by_urgency(tasks: list[Todo]) -> list[Todo]:
    """Return `tasks` with the nearest deadline first and those without one last."""
    dated = [task for task in tasks if task.due is not None]
    undated = [task for task in tasks if task.due is None]
    dated.sort(key=lambda task: (task.due and over_at(task.due), task.title))
    return dated + sorted(undated, key=lambda task: task.title)
