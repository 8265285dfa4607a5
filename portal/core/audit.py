"""The audit chain: who did what, when, on what, and by which rule.

Each act appends one row in the same transaction as its change. A row carries the SHA-256 of
the one before it, so an edit, a removal or an insertion shows; triggers refuse all three anyway.
A trigger keeps the head beside it, so that a chain that lost its end shows too. Rows hold
identifiers, codes, digests and amounts, never personal content.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.db import Base, session
from portal.core.text import canonical_json, sha256_hex

FIRST = "0" * 64
SAME_MOMENT = timedelta(minutes=5)
"""The most that lies between a record and its event: they are written in one transaction."""

_CHAIN_LOCK = 0x_AD17


class Subject(Protocol):
    """Whatever an act can be about: a row with an identifier and a table."""

    __tablename__: Any

    @property
    def id(self) -> Any:
        """The row's identifier."""


class AuditEvent(Base):
    """One link of the chain."""

    __tablename__ = "audit_event"

    number: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), primary_key=True, init=False
    )
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    case_id: Mapped[UUID | None]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    rule: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    previous: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)

    __table_args__ = (
        Index("ix_audit_event_case_id_number", "case_id", "number"),
        Index("ix_audit_event_subject_id_number", "subject_id", "number"),
    )


class AuditHead(Base):
    """Where the chain ends, in one row: how many events it has, and the last one's digest.

    A trigger moves it on with each event; others refuse every other change. Whoever cuts the
    chain's end off, past its own triggers, leaves this behind.
    """

    __tablename__ = "audit_head"

    one: Mapped[bool] = mapped_column(primary_key=True, default=True)
    count: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str]

    __table_args__ = (CheckConstraint("one", name="one_row"),)


def event_digest(event: AuditEvent) -> str:
    """Return the SHA-256, in hex, of everything that `event` says and of its predecessor."""
    return sha256_hex(
        canonical_json(
            {
                "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "actor": str(event.actor_id) if event.actor_id else None,
                "action": event.action,
                "subject": [event.subject_kind, str(event.subject_id)],
                "case": str(event.case_id) if event.case_id else None,
                "status": [event.from_status, event.to_status],
                "rule": event.rule,
                "facts": event.facts,
                "previous": event.previous,
            }
        )
    )


def take_turn() -> None:
    """Queue for the end of the chain, and hold it until the transaction ends.

    Whoever locks rows that acts of others lock too, and then records, takes their turn first:
    two who wait for each other's lock would otherwise never end.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})


def record(
    action: str,
    subject: Subject,
    *,
    actor_id: UUID | None,
    case_id: UUID | None = None,
    from_status: str | None = None,
    to_status: str | None = None,
    rule: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Append an event and return it.

    `case_id` is the application at the head of the case file; `facts` takes identifiers, codes,
    digests and amounts in minor units. Writers queue behind each other until the transaction
    ends: a chain has one end.
    """
    session.flush()
    take_turn()
    last = select(AuditEvent.digest).order_by(AuditEvent.number.desc()).limit(1)
    event = AuditEvent(
        at=clock.now(),
        actor_id=actor_id,
        action=action,
        subject_kind=str(subject.__tablename__),
        subject_id=subject.id,
        case_id=case_id,
        from_status=from_status,
        to_status=to_status,
        rule=rule,
        facts=dict(facts or {}),
        previous=session.scalar(last) or FIRST,
        digest="",
    )
    event.digest = event_digest(event)
    session.add(event)
    session.flush()
    return event


def head() -> AuditHead | None:
    """Return where the chain ends by its head; None where somebody removed it. One statement."""
    return session.scalar(select(AuditHead).execution_options(populate_existing=True))


def at_once(event: AuditEvent, moment: datetime | None) -> bool:
    """Say whether a record that bears `moment` was written together with its event."""
    return moment is not None and abs(event.at - moment) <= SAME_MOMENT


def untold(claims: str, *, by_anybody: Sequence[str] = ()) -> tuple[int, list[tuple[str, str]]]:
    """Hold what records say was done against the chain: how many claims, and those it denies.

    `claims` is a SELECT of (id, ref, act, person_id, at, fact, value): the event `act` on the row
    `id` was made by `person_id` (or by nobody where that is empty), within `SAME_MOMENT` of `at`,
    and names `value` as its `fact`; a claim without `at` or `value` leaves that open.
    `by_anybody` are acts whose record does not say by whom. Returns (ref, act) of each claim
    without its event. Two SQL statements.
    """
    total = session.scalar(text(f"SELECT count(*) FROM ({claims}) AS said"))  # noqa: S608 — ours
    denied = session.execute(
        text(f"""
            SELECT said.ref, said.act FROM ({claims}) AS said
            WHERE NOT EXISTS (
                SELECT FROM audit_event e
                WHERE e.subject_id = said.id AND e.action = said.act
                AND (said.act = ANY(:by_anybody)
                    OR e.actor_id IS NOT DISTINCT FROM said.person_id)
                AND (said.at IS NULL OR abs(extract(epoch FROM e.at - said.at)) <= :seconds)
                AND (said.value IS NULL OR e.facts ->> said.fact = said.value)
            ) ORDER BY said.ref, said.act
        """),  # noqa: S608 — constants of the features
        {"by_anybody": list(by_anybody), "seconds": SAME_MOMENT.total_seconds()},
    )
    return total or 0, [(ref, act) for ref, act in denied]


def first_break(events: Iterable[AuditEvent]) -> int | None:
    """Return the number of the first event that does not follow from the one before it."""
    previous = FIRST
    for event in events:
        if event.previous != previous or event.digest != event_digest(event):
            return event.number
        previous = event.digest
    return None


def case_events(case_id: UUID) -> list[AuditEvent]:
    """Return the events of one case file, oldest first. One SQL statement."""
    rows = select(AuditEvent).where(AuditEvent.case_id == case_id).order_by(AuditEvent.number)
    return list(session.scalars(rows))
