"""One line of a home page: what a person must do next, and by when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.core import clock


@dataclass(frozen=True)
class Todo:
    """A task with the page that does it. `due` is UTC, or None where nothing presses."""

    title: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    due: datetime | None = None
    note: str = ""

    @property
    def is_overdue(self) -> bool:
        """Whether its moment has passed."""
        return self.due is not None and self.due < clock.now()


def by_urgency(tasks: list[Todo]) -> list[Todo]:
    """Return `tasks` with the nearest deadline first and those without one last."""
    return sorted(tasks, key=lambda task: (task.due is None, task.due, task.title))
