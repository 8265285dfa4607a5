"""The audit chain as a whole: whether it is intact, and a copy that anybody can verify.

The copy is one line of JSON for each event. `standalone_verifier.py` reads it with nothing but
Python's standard library, and trusts nothing of the portal.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from sqlalchemy import select

from portal.core.audit import FIRST, AuditEvent, event_digest
from portal.core.db import session

AT_ONCE = 1_000


@dataclass(frozen=True)
class Verdict:
    """What became of a walk along the chain. `broken_at` is the first event that does not fit.

    `last` is the digest of the last event that did, and its moment.
    """

    count: int
    broken_at: int | None
    last: str
    last_at: datetime | None

    @property
    def intact(self) -> bool:
        """Whether every event is unaltered and follows the one before it."""
        return self.broken_at is None


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
    count, last, last_at = 0, FIRST, None
    for event in events:
        count += 1
        if event.previous != last or not is_unaltered(event):
            return Verdict(count, event.number, last, last_at)
        last, last_at = event.digest, event.at
    return Verdict(count, None, last, last_at)


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
