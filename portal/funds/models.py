"""Tables of fund profiles as they were loaded, and of calls for applications."""

import json
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import String

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.text import new_ref
from portal.funds import rules
from portal.funds.profile import Profile

MICRO_GRANT_HAS_ITS_CEILING = (
    "content->'micro_grant' IS DISTINCT FROM 'true'::jsonb "
    "OR COALESCE((content#>>'{budget,ceiling_usd_minor}')::bigint, 500001) <= 500000"
)

_parsed: dict[str, Profile] = {}
"""One parse per profile: a digest names its content for good."""


class ProfileVersion(WithId, Base):
    """A fund's profile as one file said it. A changed file becomes a new row.

    `current` marks the one that the file says today; a trigger freezes everything else. `content`
    is read only for a digest that was not parsed yet: lists of calls leave it in the database.
    """

    __tablename__ = "profile_version"

    fund_code: Mapped[str]
    digest: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, deferred=True)
    current: Mapped[bool] = mapped_column(default=True)
    loaded_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        UniqueConstraint("fund_code", "digest"),
        CheckConstraint(text(MICRO_GRANT_HAS_ITS_CEILING), name="micro_grant_ceiling"),
        Index(
            "uq_profile_version_current", "fund_code", unique=True, postgresql_where=text("current")
        ),
    )

    @property
    def profile(self) -> Profile:
        """The profile itself, parsed once per digest."""
        found = _parsed.get(self.digest)
        if found is None:
            found = _parsed[self.digest] = self.reread()
        return found

    def reread(self) -> Profile:
        """Return the profile parsed anew from what the database holds."""
        return Profile.model_validate_json(json.dumps(self.content))


class CallStatus(Labelled):
    """Where a call stands. Whether an open call still takes applications is asked of the clock."""

    DRAFT = "draft", _l("Draft"), "neutral"
    OPEN = "open", _l("Published"), "good"
    DECIDED = "decided", _l("Decided"), "neutral"
    CANCELLED = "cancelled", _l("Cancelled"), "stop"


class CallAction(StrEnum):
    """What can be done with a call."""

    OPEN = "open"
    DECIDE = "decide"
    CANCEL = "cancel"


class Call(WithId, Versioned, Base):
    """A call for applications of one fund, with the profile frozen into it when it opens (R17).

    `fund_code` and `reviewer_role` repeat the frozen profile, so that lists can ask the database.
    """

    __tablename__ = "call"

    title: Mapped[str]
    profile_version: Mapped[ProfileVersion] = relationship(lazy="joined")
    profile_version_id: Mapped[UUID] = mapped_column(ForeignKey("profile_version.id"), init=False)
    fund_code: Mapped[str]
    reviewer_role: Mapped[str | None]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    reference_day: Mapped[date]
    envelope_usd: Mapped[int] = mapped_column(BigInteger)
    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    status: Mapped[CallStatus] = mapped_column(enum_column(CallStatus), default=CallStatus.DRAFT)
    time_zone: Mapped[str] = mapped_column(default="UTC")
    ceiling_usd: Mapped[int | None] = mapped_column(BigInteger, default=None)
    countries: Mapped[list[str]] = mapped_column(ARRAY(String(3)), default_factory=list)
    languages: Mapped[list[str]] = mapped_column(ARRAY(String(8)), default_factory=lambda: ["en"])
    session_label: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    published_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint(
            "CASE status WHEN 'draft' THEN published_at IS NULL "
            "WHEN 'cancelled' THEN true ELSE published_at IS NOT NULL END",
            name="published_has_a_time",
        ),
        Index("ix_call_status_closes_at", "status", "closes_at"),
        CheckConstraint("closes_at > opens_at", name="closes_after_it_opens"),
        CheckConstraint("envelope_usd >= 0", name="envelope_not_negative"),
        CheckConstraint("ceiling_usd IS NULL OR ceiling_usd > 0", name="ceiling_positive"),
    )

    @property
    def case_id(self) -> None:
        """A call stands above the case files."""
        return

    @property
    def fund(self) -> Profile:
        """The fund's profile as frozen into this call."""
        return self.profile_version.profile

    @property
    def ceiling(self) -> int | None:
        """The most that one award may be, in minor units of US$; None where nobody set one.

        A call may lower its fund's ceiling; nothing may raise it (R9, the mission's US$ 5,000).
        """
        return rules.effective_ceiling(self.fund, self.ceiling_usd)

    @property
    def ceiling_money(self) -> Money | None:
        """The ceiling as an amount in US$, for people."""
        return None if self.ceiling is None else usd(self.ceiling)

    @property
    def envelope(self) -> Money:
        """What the call has to give, in US$."""
        return usd(self.envelope_usd)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the call's dates were set."""
        return ZoneInfo(self.time_zone)

    @property
    def takes_applications(self) -> bool:
        """Whether the server's clock stands between opening and deadline of a published call (R7).

        The deadline itself is late.
        """
        return self.status is CallStatus.OPEN and self.opens_at <= clock.now() < self.closes_at

    @property
    def is_published(self) -> bool:
        """Whether the public may read the call: it was opened once, whatever became of it."""
        return self.published_at is not None
