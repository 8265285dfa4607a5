"""Reads of people, of messages and of the audit. Each runs a fixed number of SQL statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import aliased, lazyload, selectinload

from portal.accounts.models import Person, Role, RoleGrant
from portal.admin import policy
from portal.applications.models import Application
from portal.core.audit import FIRST, AuditEvent
from portal.core.db import session
from portal.core.outbox import Message, MessageState
from portal.core.paging import Page, select_page

AUDIT_ROWS = 50
EXPORT_ROWS = 20_000


def people(text: str = "", role: Role | None = None, number: int = 1) -> Page[Person]:
    """Return accounts by name, narrowed by name or address and by a role not yet ended.

    Three SQL statements.
    """
    rows = select(Person).options(selectinload(Person.roles), lazyload(Person.memberships))
    if text.strip():
        wanted = text.strip()
        rows = rows.where(
            or_(
                Person.name.icontains(wanted, autoescape=True),
                Person.email.icontains(wanted, autoescape=True),
            )
        )
    if role is not None:
        holds = exists().where(
            RoleGrant.person_id == Person.id,
            RoleGrant.role == role,
            RoleGrant.ended_at.is_(None),
        )
        rows = rows.where(holds)
    return select_page(rows.order_by(Person.name, Person.id), number)


def person(person_id: UUID) -> Person | None:
    """Return somebody with their roles. Two SQL statements."""
    return session.scalar(
        select(Person)
        .where(Person.id == person_id)
        .options(selectinload(Person.roles), lazyload(Person.memberships))
    )


def names(ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of people by their ids. One SQL statement."""
    rows = select(Person.id, Person.name).where(Person.id.in_(ids))
    return {row.id: row.name for row in session.execute(rows)}


def messages(text: str = "", state: MessageState | None = None, number: int = 1) -> Page[Message]:
    """Return messages, the latest first, narrowed by recipient or subject and state.

    Two SQL statements.
    """
    rows = select(Message)
    if text.strip():
        wanted = text.strip()
        rows = rows.where(
            or_(
                Message.recipient.icontains(wanted, autoescape=True),
                Message.subject.icontains(wanted, autoescape=True),
            )
        )
    if state is not None:
        rows = rows.where(Message.state == state)
    return select_page(rows.order_by(Message.created_at.desc(), Message.id), number)


def message(message_id: UUID) -> Message | None:
    """Return a message, locked until the transaction ends. One SQL statement."""
    return session.scalar(select(Message).where(Message.id == message_id).with_for_update())


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How the audit is narrowed; None and empty mean all. Days are whole days in UTC."""

    actions: Sequence[str] | None = None
    person: str = ""
    case: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Line:
    """One event as the audit shows it. `ref` names its case file where the reader may open it.

    `follows`: the event before it in the chain is the one that it names.
    """

    event: AuditEvent
    name: str | None
    ref: str | None
    follows: bool


@dataclass(frozen=True)
class Stretch:
    """A page of the audit, the latest first; where it goes on in both directions."""

    lines: Sequence[Line]
    newer: int | None
    older: int | None


def audit_rows(reader: Person, wanted: Wanted) -> Select[AuditEvent, str, str, str]:
    """Return events with actor, case file and the digest before: those in the reader's audit."""
    before = AuditEvent.__table__.alias("before")
    digest_before = (
        select(before.c.digest)
        .where(before.c.number < AuditEvent.number)
        .order_by(before.c.number.desc())
        .limit(1)
        .correlate(AuditEvent)
        .scalar_subquery()
    )
    file = aliased(Application)
    seen = file.submitted_at.is_not(None)
    rows = (
        select(AuditEvent, Person.name, file.ref, digest_before)
        .outerjoin(Person, Person.id == AuditEvent.actor_id)
        .outerjoin(file, (file.id == AuditEvent.case_id) & seen)
        .where(policy.auditable_by(reader))
    )
    if wanted.actions is not None:
        rows = rows.where(func.split_part(AuditEvent.action, ":", 1).in_(wanted.actions))
    if wanted.person.strip():
        text = wanted.person.strip()
        rows = rows.where(
            or_(
                Person.name.icontains(text, autoescape=True),
                Person.email.icontains(text, autoescape=True),
            )
        )
    if wanted.case.strip():
        rows = rows.where(file.ref == wanted.case.strip().upper())
    if wanted.since is not None:
        rows = rows.where(AuditEvent.at >= _midnight(wanted.since))
    if wanted.until is not None:
        rows = rows.where(AuditEvent.at < _midnight(wanted.until) + timedelta(days=1))
    return rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def stretch(
    reader: Person, wanted: Wanted, *, before: int | None = None, after: int | None = None
) -> Stretch:
    """Return the fifty events before the number `before`, or after `after`, or the latest.

    One SQL statement, whatever the length of the chain: pages are found by number, not by count.
    """
    rows = audit_rows(reader, wanted)
    if after is not None:
        rows = rows.where(AuditEvent.number > after).order_by(AuditEvent.number)
    elif before is not None:
        rows = rows.where(AuditEvent.number < before).order_by(AuditEvent.number.desc())
    else:
        rows = rows.order_by(AuditEvent.number.desc())
    found = _lines(rows.limit(AUDIT_ROWS + 1))
    more, found = len(found) > AUDIT_ROWS, found[:AUDIT_ROWS]
    if after is not None:
        found.reverse()
    if not found:
        return Stretch([], None, None)
    first, last = found[0].event.number, found[-1].event.number
    newer = more if after is not None else before is not None
    older = more if after is None else True
    return Stretch(found, first if newer else None, last if older else None)


def export(reader: Person, wanted: Wanted) -> list[Line]:
    """Return the narrowed audit, the latest first, EXPORT_ROWS at most. One SQL statement."""
    rows = audit_rows(reader, wanted)
    return _lines(rows.order_by(AuditEvent.number.desc()).limit(EXPORT_ROWS))


def _lines(rows: Select[AuditEvent, str, str, str]) -> list[Line]:
    return [
        Line(event, name, ref, event.previous == (digest or FIRST))
        for event, name, ref, digest in session.execute(
            rows.execution_options(populate_existing=True)
        )
    ]
