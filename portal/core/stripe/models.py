"""Tables of the card processor: what it told, and what it was asked.

Neither holds anything about a person. What it told is kept by identifier only: the object is read
again when it is worked on.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.db import Base, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled


class EventState(Labelled):
    """Where a message of the card processor is."""

    WAITING = "waiting", _l("Waiting"), "wait"
    DONE = "done", _l("Done"), "good"
    IGNORED = "ignored", _l("Nothing to do"), "neutral"
    FAILED = "failed", _l("Failed"), "stop"


class StripeEvent(WithId, Base):
    """One message of the card processor, taken in once however often it is delivered.

    `account` is the connected account that it is about, empty for our own. `reason` says why it
    waits again, failed, or needed nothing. Attempts that failed move `next_attempt_at` on.
    """

    __tablename__ = "stripe_event"

    event_id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    object_id: Mapped[str] = mapped_column(index=True)
    account: Mapped[str] = mapped_column(default="")
    livemode: Mapped[bool]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    state: Mapped[EventState] = mapped_column(enum_column(EventState), default=EventState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        CheckConstraint("event_id ~ '^[A-Za-z0-9_]{1,255}$'", name="event_id_is_a_code"),
        CheckConstraint("type ~ '^[a-z0-9_.]{1,255}$'", name="type_is_a_code"),
        CheckConstraint("object_id ~ '^[A-Za-z0-9_]{1,255}$'", name="object_id_is_a_code"),
        CheckConstraint(
            "(state IN ('done', 'ignored')) = (finished_at IS NOT NULL)", name="finished_when_done"
        ),
        CheckConstraint("state <> 'failed' OR reason <> ''", name="failed_has_a_reason"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_stripe_event_state_next_attempt_at", "state", "next_attempt_at"),
    )

    @property
    def case_id(self) -> None:
        """Messages of the card processor belong to no case file."""
        return


class CallState(Labelled):
    """What is known of a call that makes something at the card processor."""

    READY = "ready", _l("Kept, not answered yet"), "wait"
    ANSWERED = "answered", _l("Answered"), "good"
    DECLINED = "declined", _l("Declined"), "stop"


class StripeCall(WithId, Base):
    """One call that makes something: its key and its exact content, stored before it leaves.

    `key` is derived from the row that it is made for, so the same purpose is the same call. As
    long as nothing answered, whether anything was made is unknown, and never taken for "no".
    """

    __tablename__ = "stripe_call"

    key: Mapped[str] = mapped_column(unique=True)
    path: Mapped[str]
    account: Mapped[str] = mapped_column(default="")
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    state: Mapped[CallState] = mapped_column(enum_column(CallState), default=CallState.READY)
    object_id: Mapped[str | None] = mapped_column(default=None, unique=True)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        CheckConstraint("key ~ '^[A-Za-z0-9:_-]{1,200}$'", name="key_is_a_code"),
        CheckConstraint("path ~ '^/v1/[A-Za-z0-9_/]{1,200}$'", name="path_is_a_path"),
        CheckConstraint("(state = 'answered') = (object_id IS NOT NULL)", name="answered_object"),
        CheckConstraint("(state = 'ready') = (answered_at IS NULL)", name="answered_at"),
        CheckConstraint("state <> 'declined' OR reason <> ''", name="declined_has_a_reason"),
    )
