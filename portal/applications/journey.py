"""The line of stations of case files: where each one is, who has it, what comes next.

One SQL statement for any number of files, and one more where a file waits for something whose
date is known above this feature only (when a report is due), which is injected with `due_with`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from babel.support import LazyProxy
from sqlalchemy import select

from portal.applications.models import Application, ApplicationStatus
from portal.applications.queries import OVER
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.due import Due
from portal.core.i18n import _l
from portal.funds.stations import PAID, Station, stations, waits_for

Dues = Callable[[Sequence[UUID]], Mapping[UUID, Due]]
Event = tuple[str, datetime]

_injected: dict[str, Dues] = {}

UNDONE_BY = {
    "application.reopened": "application.submitted",
    "recommendation.returned": "recommendation.made",
    "decision.reserved": "recommendation.made",
}
"""Acts that take back what an earlier act had passed."""

CAME_BACK = "payment_order.return"
"""A payment that comes back takes back what was passed by it: both acts are of the same order."""

DEBT, ACCOUNT = "receivable", "bank_details"
WITH_GRANTEE = {
    DEBT: frozenset({"open", "partly_paid"}),
    ACCOUNT: frozenset({"doubted", "rejected"}),
}
"""Where money that is owed, and an account to pay to, stand while the grantee has to act."""

APPLICANT = _l("The applicant")
DEBTOR = _l("The grantee, who pays back what is owed")
PAYEE = _l("The grantee, who sees to the bank details")


@dataclass(frozen=True)
class Stop:
    """An end before the end, as the macros draw it."""

    label: str
    on: datetime | None
    key: str = "stopped"
    state: str = "stopped"
    actor: str = ""
    due: Due | None = None


@dataclass(frozen=True)
class Standing:
    """Where a whole file stands in one word: the application's status, or its grant's.

    `is_settling` says that the grant has ended, and reports, money and closing are still to come.
    """

    label: LazyProxy
    tone: str
    is_settling: bool = False


CLOSED = "award.closed"
STANDINGS = {
    "award.offered": Standing(_l("Offered"), "wait"),
    "offer.accepted": Standing(_l("Accepted by the grantee"), "wait"),
    "agreement.signed": Standing(_l("Grant in force"), "good"),
    "instalment.paid:1": Standing(_l("Grant in force"), "good"),
    "award.resume": Standing(_l("Grant in force"), "good"),
    "award.suspend": Standing(_l("Suspended"), "stop"),
    "award.terminate": Standing(_l("Terminated"), "stop", is_settling=True),
    "award.decline": Standing(_l("Declined by the grantee"), "stop"),
    "award.cancel": Standing(_l("Cancelled"), "stop"),
    CLOSED: Standing(_l("Closed"), "neutral"),
}
"""The acts after a decision that change the word at the head of a file; the latest one counts."""

ENDS = frozenset({"award.terminate", "award.decline", "award.cancel"})
"""Acts after which the coming stations are not reached any more."""

ENDED_BY = {
    ApplicationStatus.WITHDRAWN: "application.withdrawn",
    ApplicationStatus.INADMISSIBLE: "screening.inadmissible",
    ApplicationStatus.REFUSED: "decision.refused",
}
"""The act that ends a file at each status; nothing that happens to the file later moves its day."""


class Line(list[Station | Stop]):
    """The stations of one file, in order, with the word that stands beside them."""

    def __init__(self, found: Iterable[Station | Stop], standing: Standing) -> None:
        super().__init__(found)
        self.standing = standing


def due_with(name: str, dues: Dues) -> None:
    """Let a higher feature say when `name` (`report_due`) is due, for many applications at once."""
    _injected[name] = dues


def line(application: Application, *, asked_until: Due | None = None) -> Line:
    """Return the stations of one case file. One SQL statement, and those of the dues.

    While a clarification is open the present station is with the applicant; `asked_until` says
    by when it is to be answered.
    """
    found = lines([application])[application.id]
    if asked_until is None:
        return found
    dated = (
        replace(each, due=asked_until)
        if isinstance(each, Station) and each.state == "present"
        else each
        for each in found
    )
    return Line(dated, found.standing)


def lines(applications: Sequence[Application]) -> dict[UUID, Line]:
    """Return the stations of many case files by application. One SQL statement, and the dues."""
    wanted = [application.id for application in applications]
    rows = (
        select(
            AuditEvent.case_id,
            AuditEvent.action,
            AuditEvent.at,
            AuditEvent.subject_id,
            AuditEvent.to_status,
        )
        .where(AuditEvent.case_id.in_(wanted))
        .order_by(AuditEvent.number)
    )
    events: dict[UUID, list[Event]] = defaultdict(list)
    paid: dict[UUID, Event] = {}
    asked: dict[UUID, set[str]] = defaultdict(set)
    for case_id, action, at, subject_id, status in session.execute(rows) if wanted else ():
        if case_id is None:
            continue
        _count(events[case_id], action, at)
        if action.startswith(PAID):
            paid[subject_id] = (action, at)
        elif action == CAME_BACK and subject_id in paid:
            events[case_id].remove(paid.pop(subject_id))
        _ask(asked[case_id], action, status)
    dues = _dues(applications, events)
    return {
        each.id: _line(each, events[each.id], dues[each.id], asked[each.id])
        for each in applications
    }


def _dues(
    applications: Sequence[Application], events: Mapping[UUID, list[Event]]
) -> dict[UUID, dict[str, Due]]:
    """Return by application, then name, what higher features say of those who wait for it."""
    waiting: dict[str, list[UUID]] = defaultdict(list)
    for application in applications:
        name = waits_for(application.fund, events[application.id])
        if name in _injected:
            waiting[name].append(application.id)
    dues: dict[UUID, dict[str, Due]] = defaultdict(dict)
    for name, ids in waiting.items():
        for application_id, due in _injected[name](ids).items():
            dues[application_id][name] = due
    return dues


def _count(events: list[Event], action: str, at: datetime) -> None:
    """Add an act to those that still count, and strike out what it undoes."""
    undone = UNDONE_BY.get(action)
    if undone is not None:
        events[:] = [event for event in events if event[0] != undone]
    events.append((action, at))


def _ask(asked: set[str], action: str, status: str | None) -> None:
    """Keep in `asked` what the grantee has to see to, by the acts that say where it stands."""
    kind = action.partition(".")[0]
    if kind in WITH_GRANTEE and status is not None:
        asked.discard(kind)
        if status in WITH_GRANTEE[kind]:
            asked.add(kind)


def _line(
    application: Application, events: list[Event], dues: dict[str, Due], asked: set[str]
) -> Line:
    word, said_at = _word(application, events)
    over = application.status in OVER or any(action in ENDS for action, _at in events)
    found: list[Station | Stop] = list(
        stations(
            application.fund,
            events,
            stopped=str(word.label) if over else None,
            dues={"call_closes": application.call.closes_at, **dues},
        )
    )
    actor = _actor(application, found, asked)
    if actor is not None:
        found = [_with(actor, each) for each in found]
    if over:
        found[-1] = Stop(str(word.label), said_at)
    return Line(found, word)


def _word(application: Application, events: list[Event]) -> tuple[Standing, datetime | None]:
    """Return what the latest act on the grant made of the file, or else the status, and when.

    A grant that came to its end may still be paid what was on its way: only its closing changes
    the word then. The moment is None for a status that ends nothing.
    """
    acts = [event for event in events if event[0] in STANDINGS]
    ends = [event for event in acts if event[0] in ENDS]
    closed = [event for event in acts if event[0] == CLOSED]
    for action, at in (closed[-1:] or ends[-1:]) or acts[-1:]:
        return STANDINGS[action], at
    ending = ENDED_BY.get(application.status)
    ended_at = max((at for action, at in events if action == ending), default=None)
    return Standing(application.status.label, application.status.tone), ended_at


def _actor(
    application: Application, found: Iterable[Station | Stop], asked: set[str]
) -> LazyProxy | None:
    """Return who acts at the present station instead of whose it is, or None."""
    if application.status is ApplicationStatus.CLARIFICATION:
        return APPLICANT
    if DEBT in asked:
        return DEBTOR
    present = {each.key for each in found if each.state == "present"}
    pays = any(
        rule.key in present and rule.completed_by[0].startswith(PAID)
        for rule in application.fund.stations
    )
    return PAYEE if pays and ACCOUNT in asked else None


def _with(actor: LazyProxy, each: Station | Stop) -> Station | Stop:
    """Return the present station as one where somebody else acts first."""
    if isinstance(each, Station) and each.state == "present":
        return replace(each, actor=str(actor), due=None)
    return each
