"""What the card processor tells on its own: taken in at once, worked on by the worker.

A message is believed for its identifier only. Features register what they do about an object:

    stripe.handles("checkout.session", look_at_session)

The function reads the object again from the processor, so that neither the order of messages nor
what stands in them matters, and doing it twice changes nothing.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from portal.core import audit, clock, jobs
from portal.core.db import session
from portal.core.i18n import _
from portal.core.stripe.client import Declined, Unanswered, connection
from portal.core.stripe.models import EventState, StripeEvent
from portal.core.workflow import Refused

TOLERANCE_SECONDS = 300
"""How old a signature may be."""
PATIENCE = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
"""How long to wait after each failed attempt; after the last one the message has failed."""
MOST_REASON = 500
CONNECTED = "connected:"
"""What stands before the kinds of messages about accounts that are not our own."""

_CODE = re.compile(r"[A-Za-z0-9_.]{0,255}")

Handler = Callable[[StripeEvent], None]

log = logging.getLogger(__name__)
_handlers: dict[str, Handler] = {}


class BadSignature(Exception):
    """A message that was not signed by the processor, or not now, or is none."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotOurs(Exception):
    """A message about something that this portal did not ask for: nothing is to be done."""


class Later(Exception):
    """A message that came before what it rests on; it is tried again."""


def handles(kind: str, handler: Handler, *, connected: bool = False) -> None:
    """Have `handler` look at each object whose messages begin with `kind`.

    `connected` ones are about an account that is not our own: that of somebody who is paid.
    """
    _handlers[CONNECTED * connected + kind] = handler


def take(raw: bytes, signature: str | None) -> None:
    """Keep a delivered message, once. Raises BadSignature: then nothing is kept."""
    told = _verified(raw, signature)
    try:
        event = StripeEvent(
            event_id=_code(told["id"]),
            type=_code(told["type"]),
            object_id=_code(told["data"]["object"]["id"]),
            account=_code(told.get("account") or ""),
            livemode=told["livemode"] is True,
            created_at=datetime.fromtimestamp(int(told["created"]), UTC),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as odd:
        raise BadSignature(_("This is no message of the card processor.")) from odd
    row = {column.key: getattr(event, column.key) for column in StripeEvent.__table__.columns}
    session.execute(insert(StripeEvent).values(row).on_conflict_do_nothing())


def _verified(raw: bytes, signature: str | None) -> dict[str, Any]:
    import stripe

    here = connection()
    try:
        here.client.construct_event(raw, signature, here.webhook_secret, TOLERANCE_SECONDS)
        told = json.loads(raw)
    except (stripe.SignatureVerificationError, ValueError, AttributeError, TypeError) as bad:
        log.warning("a message with a bad signature was refused: %s", type(bad).__name__)
        raise BadSignature(
            _("The signature of this message is missing, wrong or too old. Nothing was kept.")
        ) from bad
    if not isinstance(told, dict):
        raise BadSignature(_("This is no message of the card processor."))
    return told


def _code(value: object) -> str:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise ValueError("not a code")
    return value


@jobs.sweep("stripe_events", eager=True)
def work_on_next() -> object:
    """Work on one message that is due, in a transaction of its own, and ask to be called again."""
    due = (
        select(StripeEvent)
        .where(StripeEvent.state == EventState.WAITING)
        .where(StripeEvent.next_attempt_at <= clock.now())
        .order_by(StripeEvent.next_attempt_at, StripeEvent.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    event = session.scalars(due).one_or_none()
    if event is None:
        return None
    _work_on(event)
    return jobs.AGAIN


def try_again(event: StripeEvent, *, by: UUID) -> None:
    """Have a message that failed, or waits for its next attempt, worked on now."""
    session.refresh(event, with_for_update=True)
    if event.state not in {EventState.WAITING, EventState.FAILED}:
        return
    event.state, event.attempts, event.next_attempt_at = EventState.WAITING, 0, clock.now()
    audit.record("stripe_event.retried", event, actor_id=by, facts={"event": event.event_id})


def _work_on(event: StripeEvent) -> None:
    """Do what `event` asks for, all or nothing, and note how it went."""
    handler = _handler(event.type, CONNECTED if event.account else "")
    if event.livemode is not connection().livemode:
        _finish(event, EventState.IGNORED, _("It is of the processor's other mode."))
        return
    if handler is None:
        _finish(event, EventState.IGNORED, _("The portal does nothing about such messages."))
        return
    try:
        with session.begin_nested():
            handler(event)
            session.flush()
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    except NotOurs as other:
        _finish(event, EventState.IGNORED, str(other))
    except Exception as problem:
        log.warning("message %s was not worked on", event.event_id, exc_info=problem)
        _postpone(event, _reason(problem))
    else:
        _finish(event, EventState.DONE, "")


def _handler(kind: str, whose: str) -> Handler | None:
    """Return who looks at messages of `kind`: the longest name that it begins with."""
    parts = kind.split(".")
    names = (whose + ".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_handlers[name] for name in names if name in _handlers), None)


def _finish(event: StripeEvent, state: EventState, reason: str) -> None:
    event.state, event.reason, event.finished_at = state, reason[:MOST_REASON], clock.now()
    session.flush()


def _postpone(event: StripeEvent, reason: str) -> None:
    event.reason = reason[:MOST_REASON]
    if event.attempts >= len(PATIENCE):
        event.state = EventState.FAILED
    else:
        event.next_attempt_at = clock.now() + PATIENCE[event.attempts]
    event.attempts += 1
    session.flush()


def _reason(problem: Exception) -> str:
    if isinstance(problem, Refused | Declined):
        return problem.sentence
    if isinstance(problem, Later | Unanswered):
        return str(problem)
    return type(problem).__name__
