"""What happens when: steps with their moments, taken in the order of time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from portal.accounts.models import Organisation, Person
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core import clock
from portal.demo import content
from portal.funds.models import Call

Step = Callable[[], object]


@dataclass
class Case:
    """One file of the story: what was written, and what became of it."""

    key: str
    words: content.Application
    call: str
    application: Application = field(init=False)
    award: Award = field(init=False)


@dataclass
class Story:
    """Everybody and everything in the story, by key, and the steps that are still to be taken."""

    today: date = field(default_factory=clock.today)
    people: dict[str, Person] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    steps: list[tuple[datetime, int, Step]] = field(default_factory=list)

    def day(self, offset: int) -> date:
        """Return the day `offset` days from today; below zero it has passed."""
        return self.today + timedelta(days=offset)

    def moment(self, offset: int, hour: int = 9, minute: int = 0) -> datetime:
        """Return a moment of that day, in UTC."""
        return datetime.combine(self.day(offset), time(hour, minute), UTC)

    def on(self, offset: int, step: Step, hour: int = 9, minute: int = 0) -> None:
        """Plan `step` for a day that has passed. Raises ValueError for any other."""
        if offset >= 0:
            raise ValueError("the story ends yesterday")
        self.steps.append((self.moment(offset, hour, minute), len(self.steps), step))

    def run(self) -> None:
        """Take every step at its moment, the earliest first."""
        for moment, _number, step in sorted(self.steps, key=lambda each: each[:2]):
            with clock.at(moment):
                step()
        self.steps.clear()
