"""Tables of fund profiles as they were loaded, and of calls for applications."""

from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import String

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.text import canonical_json
from portal.funds.profile import Profile
from portal.funds.rules import MICRO_GRANT_CEILING


class ProfileVersion(WithId, Base):
    """A fund's profile as one file said it. A changed file becomes a new row."""

    __tablename__ = "profile_version"

    fund_code: Mapped[str]
    digest: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    loaded_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (UniqueConstraint("fund_code", "digest"),)


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

    ref: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    profile_version: Mapped[ProfileVersion] = relationship(lazy="joined")
    profile_version_id: Mapped[UUID] = mapped_column(ForeignKey("profile_version.id"), init=False)
    fund_code: Mapped[str]
    reviewer_role: Mapped[str | None]
    status: Mapped[CallStatus] = mapped_column(enum_column(CallStatus), default=CallStatus.DRAFT)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    time_zone: Mapped[str] = mapped_column(default="UTC")
    reference_day: Mapped[date]
    envelope_usd: Mapped[int] = mapped_column(BigInteger)
    ceiling_usd: Mapped[int | None] = mapped_column(BigInteger, default=None)
    countries: Mapped[list[str]] = mapped_column(ARRAY(String(3)), default_factory=list)
    languages: Mapped[list[str]] = mapped_column(ARRAY(String(8)), default_factory=lambda: ["en"])
    session_label: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)

    __table_args__ = (
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
        return _parsed(self.profile_version.digest, canonical_json(self.profile_version.content))

    @property
    def ceiling(self) -> int | None:
        """The most that one award may be, in minor units of US$; None where nobody set one.

        A call may lower its fund's ceiling; nothing may raise it (R9, the mission's US$ 5,000).
        """
        limits = [self.ceiling_usd, self.fund.budget.ceiling_usd_minor]
        if self.fund.micro_grant:
            limits.append(MICRO_GRANT_CEILING)
        given = [limit for limit in limits if limit is not None]
        return min(given) if given else None

    @property
    def takes_applications(self) -> bool:
        """Whether the server's clock stands between opening and deadline of a published call."""
        return self.status is CallStatus.OPEN and self.opens_at <= clock.now() < self.closes_at


@lru_cache(maxsize=256)
def _parsed(digest: str, content: bytes) -> Profile:
    """Return the profile in `content`; `digest` keeps one parse per version."""
    del digest
    return Profile.model_validate_json(content)
