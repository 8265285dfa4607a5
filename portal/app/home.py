"""The home page: what must I do next, and by when.

Each feature says what it expects of a person in its `queries.todos`; the list of those that are
asked is `TASK_SOURCES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounting.queries import rates as accounting
from portal.accounts import guard
from portal.accounts import queries as accounts
from portal.accounts.models import Person
from portal.app import processor
from portal.applications import queries as applications
from portal.awards import queries as awards
from portal.awards.amendments import queries as amendments
from portal.contributions import queries as contributions
from portal.core import clock
from portal.core.due import day_of, over_at
from portal.core.i18n import _
from portal.core.todo import Todo, by_urgency
from portal.funds import queries as funds
from portal.payments import late
from portal.payments import steps as payments
from portal.payments.statements import queries as statements
from portal.payments.write_offs import queries as write_offs
from portal.reports import queries as reports
from portal.reviews import queries as reviews

blueprint = Blueprint("home", __name__)

TaskSource = Callable[[Person], Sequence[Todo]]
TASK_SOURCES: tuple[TaskSource, ...] = (
    accounts.todos,
    payments.todos,
    processor.todos,
    statements.todos,
    statements.to_confirm,
    late.to_confirm,
    write_offs.todos,
    contributions.todos,
    funds.todos,
    applications.todos,
    reviews.todos,
    awards.todos,
    amendments.todos,
    reports.todos,
    accounting.todos,
)

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Group:
    """Tasks that press equally, under one heading."""

    heading: str
    tone: str
    todos: list[Todo]


def grouped(tasks: Sequence[Todo], *, now: datetime, zone: str) -> list[Group]:
    """Return the tasks as overdue, due within seven days of the reader's calendar, and later.

    Those without a date stand last. Groups without a task are left out; within a group the
    nearest deadline comes first.
    """
    here = ZoneInfo(zone)
    week_ends = now.astimezone(here).date() + WEEK
    groups = [
        Group(_("Overdue"), "stop", []),
        Group(_("Within seven days"), "wait", []),
        Group(_("Later"), "neutral", []),
        Group(_("Without a date"), "neutral", []),
    ]
    for task in by_urgency(list(tasks)):
        if task.due is None:
            place = 3
        elif over_at(task.due) <= now:
            place = 0
        else:
            place = 1 if day_of(task.due, here) <= week_ends else 2
        groups[place].todos.append(task)
    return [group for group in groups if group.todos]


@blueprint.get("/home")
@guard.members_only
def show() -> ResponseReturnValue:
    """Show what the person must do next, and by when."""
    person = guard.signed_in()
    tasks = [task for source in TASK_SOURCES for task in source(person)]
    groups = grouped(tasks, now=clock.now(), zone=person.time_zone)
    unconfirmed = any(task.unconfirmed for task in tasks)
    return render_template("app/home.html", groups=groups, person=person, unconfirmed=unconfirmed)
