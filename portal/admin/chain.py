"""The audit chain as a whole: whether it is intact, and a copy that anybody can verify.

The copy is one line of JSON for each event. `standalone_verifier.py` reads it with nothing but
Python's standard library, and trusts nothing of the portal.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from sqlalchemy import select, true

from portal.core.audit import FIRST, AuditEvent, AuditHead, event_digest, head
from portal.core.db import session

AT_ONCE = 1_000


@dataclass(frozen=True)
class Verdict:
    """What became of a walk along the chain. `broken_at` is the first event that does not fit.

    `last` is the digest of the last event that did, `number` and `last_at` its number and moment.
    """

    count: int
    broken_at: int | None
    last: str
    number: int
    last_at: datetime | None

    @property
    def intact(self) -> bool:
        """Whether every event is unaltered and follows the one before it."""
        return self.broken_at is None

    def ends_at(self, known: AuditHead | None) -> bool:
        """Say whether the walk came as far as the head of the chain, over as many events."""
        return known is not None and (
            (self.count, self.number, self.last) == (known.count, known.number, known.digest)
        )


def whole() -> Iterator[AuditEvent]:
    """Yield every event as it stands in the database, oldest first. One SQL statement.

    A thousand are in memory at a time.
    """
    rows = select(AuditEvent).order_by(AuditEvent.number)
    found = session.scalars(rows.execution_options(yield_per=AT_ONCE, populate_existing=True))
    try:
        yield from found
    finally:
        found.close()


def is_unaltered(event: AuditEvent) -> bool:
    """Say whether an event has the digest of what it says."""
    try:
        return event.digest == event_digest(event)
    except (TypeError, ValueError):  # something stands in it that no event can hold
        return False


def verify(events: Iterable[AuditEvent]) -> Verdict:
    """Walk along `events` from the beginning of the chain to the first that does not fit."""
    count, last, number, last_at = 0, FIRST, 0, None
    for event in events:
        count += 1
        if event.previous != last or not is_unaltered(event):
            return Verdict(count, event.number, last, number, last_at)
        last, number, last_at = event.digest, event.number, event.at
    return Verdict(count, None, last, number, last_at)


def verify_whole() -> tuple[Verdict, AuditHead | None]:
    """Walk along the whole chain; return how far it fits, and the head, None where it is gone.

    Both are read at one moment, whoever records meanwhile. At most two SQL statements.
    """
    rows = select(AuditEvent, AuditHead).outerjoin(AuditHead, true()).order_by(AuditEvent.number)
    found = session.execute(rows.execution_options(yield_per=AT_ONCE, populate_existing=True))
    known: list[AuditHead | None] = []

    def events() -> Iterator[AuditEvent]:
        for event, at_the_end in found:
            known[:] = [at_the_end]
            yield event

    try:
        verdict = verify(events())
    finally:
        found.close()
    return verdict, known[0] if known else head()


def line_of(event: AuditEvent) -> dict[str, Any]:
    """Return an event as a line of the copy says it: exactly what its digest covers, and that."""
    return {
        "number": event.number,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": str(event.actor_id) if event.actor_id else None,
        "action": event.action,
        "subject": [event.subject_kind, str(event.subject_id)],
        "case": str(event.case_id) if event.case_id else None,
        "status": [event.from_status, event.to_status],
        "rule": event.rule,
        "facts": event.facts,
        "previous": event.previous,
        "digest": event.digest,
    }


def export_chain(stream: TextIO) -> int:
    """Write the whole chain to `stream`, a line of JSON for each event; return their number.

    One SQL statement.
    """
    count = 0
    for event in whole():
        stream.write(json.dumps(line_of(event)) + "\n")
        count += 1
    return count
