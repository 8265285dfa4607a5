"""The line of stations of case files: where each one is, who has it, what comes next.

One SQL statement for any number of files. When a report is due is known above this feature and
injected with `due_with`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.applications.models import Application, ApplicationStatus
from portal.applications.queries import OVER
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _l
from portal.funds.stations import Station, stations

Dues = Callable[[Sequence[UUID]], Mapping[UUID, datetime]]
Event = tuple[str, datetime]

_injected: dict[str, Dues] = {}

UNDONE_BY = {
    "application.reopened": "application.submitted",
    "application.return": "recommendation.made",
}
"""Acts that take back what an earlier act had passed."""

APPLICANT = _l("The applicant")


@dataclass(frozen=True)
class Stop:
    """An end before the end, as the macros draw it."""

    label: str
    on: datetime | None
    key: str = "stopped"
    state: str = "stopped"
    actor: str = ""
    due: datetime | None = None


def due_with(name: str, dues: Dues) -> None:
    """Let a higher feature say when `name` (`report_due`) is due, for many applications at once."""
    _injected[name] = dues


def line(application: Application, *, asked_until: datetime | None = None) -> list[Station | Stop]:
    """Return the stations of one case file. One SQL statement, and those of the dues.

    While a clarification is open the present station is with the applicant; `asked_until` says
    by when it is to be answered.
    """
    found = lines([application])[application.id]
    if asked_until is None:
        return found
    return [
        replace(each, due=asked_until)
        if isinstance(each, Station) and each.state == "present"
        else each
        for each in found
    ]


def lines(applications: Sequence[Application]) -> dict[UUID, list[Station | Stop]]:
    """Return the stations of many case files by application. One SQL statement, and the dues."""
    wanted = [application.id for application in applications]
    rows = (
        select(AuditEvent.case_id, AuditEvent.action, AuditEvent.at)
        .where(AuditEvent.case_id.in_(wanted))
        .order_by(AuditEvent.number)
    )
    events: dict[UUID, list[Event]] = defaultdict(list)
    for case_id, action, at in session.execute(rows) if wanted else ():
        if case_id is not None:
            _count(events[case_id], action, at)
    dues = {name: answer(wanted) for name, answer in _injected.items()} if wanted else {}
    return {
        application.id: _line(
            application,
            events[application.id],
            {
                name: by_case[application.id]
                for name, by_case in dues.items()
                if application.id in by_case
            },
        )
        for application in applications
    }


def _count(events: list[Event], action: str, at: datetime) -> None:
    """Add an act to those that still count, and strike out what it undoes."""
    undone = UNDONE_BY.get(action)
    if undone is not None:
        events[:] = [event for event in events if event[0] != undone]
    events.append((action, at))


def _line(
    application: Application, events: list[Event], dues: dict[str, datetime]
) -> list[Station | Stop]:
    over = application.status in OVER
    found: list[Station | Stop] = list(
        stations(
            application.fund,
            events,
            stopped=str(application.status.label) if over else None,
            dues={"call_closes": application.call.closes_at, **dues},
        )
    )
    if application.status is ApplicationStatus.CLARIFICATION:
        found = [_with_applicant(each) for each in found]
    if over:
        found[-1] = Stop(str(application.status.label), events[-1][1] if events else None)
    return found


def _with_applicant(each: Station | Stop) -> Station | Stop:
    """Return the present station as one where the applicant acts: a question is open."""
    if isinstance(each, Station) and each.state == "present":
        return replace(each, actor=str(APPLICANT), due=None)
    return each
