"""The table of amendments: what an award becomes, and who signed for it."""

from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.awards.models import Award
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd


class AmendmentStatus(Labelled):
    """Where an amendment stands."""

    ASKED = "asked", _l("Asked for by the grantee"), "wait"
    PROPOSED = "proposed", _l("Proposed to the grantee"), "wait"
    ACCEPTED = "accepted", _l("Accepted by the grantee"), "wait"
    IN_FORCE = "in_force", _l("In force"), "good"
    DECLINED = "declined", _l("Declined"), "stop"
    WITHDRAWN = "withdrawn", _l("Withdrawn"), "neutral"


OPEN = (AmendmentStatus.ASKED, AmendmentStatus.PROPOSED, AmendmentStatus.ACCEPTED)
"""Where an amendment waits for somebody: an award has one such at a time."""

ISSUED = (AmendmentStatus.PROPOSED, AmendmentStatus.ACCEPTED)
"""Where its text is issued and not in force."""


class AmendmentAction(StrEnum):
    """What moves an amendment."""

    PROPOSE = "propose"
    ACCEPT = "accept"
    COUNTERSIGN = "countersign"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


class BudgetTerm(TypedDict):
    """A line of the budget as an amendment leaves it, in US cents; `before` is what it was."""

    position: int
    category: str
    description: str
    before: int
    usd: int


class InstalmentTerm(TypedDict):
    """An instalment as an amendment leaves it, in US cents; `before` is what was planned."""

    number: int
    before: int
    usd: int


class Amendment(WithId, Versioned, Base):
    """A change of an award in force. Amounts in minor units of US$ (cents).

    It begins where the award stands (`from_…`) and says the whole of what it becomes: triggers
    let the award change to exactly that, once it is in force, and to nothing else. `micro_grant`
    repeats the award's word, so that the database holds US$ 5,000 here too. While the grantee has
    only asked, the terms are those of the award and there is no text.
    """

    __tablename__ = "amendment"

    award: Mapped[Award] = relationship(lazy="joined")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False)
    number: Mapped[int]
    status: Mapped[AmendmentStatus] = mapped_column(enum_column(AmendmentStatus))
    micro_grant: Mapped[bool]
    from_amount_usd: Mapped[int] = mapped_column(BigInteger)
    from_ends_on: Mapped[date]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    ends_on: Mapped[date]
    budget: Mapped[list[BudgetTerm]] = mapped_column(JSONB)
    instalments: Mapped[list[InstalmentTerm]] = mapped_column(JSONB)
    asked_reason: Mapped[str] = mapped_column(default="")
    asked_ends_on: Mapped[date | None] = mapped_column(default=None)
    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    asked_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")
    file: Mapped[StoredFile | None] = relationship(lazy="joined", default=None)
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), init=False)
    digest: Mapped[str | None] = mapped_column(default=None)
    issued_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    issued_at: Mapped[datetime | None] = mapped_column(default=None)
    signed_name: Mapped[str | None] = mapped_column(default=None)
    signed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    signed_at: Mapped[datetime | None] = mapped_column(default=None)
    countersigned_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    countersigned_at: Mapped[datetime | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        UniqueConstraint("award_id", "number"),
        Index(
            "uq_amendment_open",
            "award_id",
            unique=True,
            postgresql_where=text("status IN ('asked', 'proposed', 'accepted')"),
        ),
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("NOT micro_grant OR amount_usd <= 500000", name="micro_grant_ceiling"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest_is_sha256"),
        CheckConstraint(
            "(asked_at IS NULL) = (asked_by_id IS NULL) "
            "AND (asked_at IS NULL) = (asked_reason = '')",
            name="asked_by_somebody",
        ),
        CheckConstraint(
            "(issued_at IS NULL) = (issued_by_id IS NULL) "
            "AND (issued_at IS NULL) = (file_id IS NULL) "
            "AND (issued_at IS NULL) = (digest IS NULL) AND (issued_at IS NULL) = (reason = '')",
            name="issued_whole",
        ),
        CheckConstraint(
            "(signed_at IS NULL) = (signed_by_id IS NULL) "
            "AND (signed_at IS NULL) = (signed_name IS NULL)",
            name="signed_by_somebody",
        ),
        CheckConstraint(
            "(countersigned_at IS NULL) = (countersigned_by_id IS NULL)",
            name="countersigned_by_somebody",
        ),
        CheckConstraint(
            "CASE status WHEN 'asked' THEN asked_at IS NOT NULL AND issued_at IS NULL "
            "WHEN 'proposed' THEN issued_at IS NOT NULL AND signed_at IS NULL "
            "WHEN 'accepted' THEN issued_at IS NOT NULL AND signed_at IS NOT NULL "
            "WHEN 'in_force' THEN signed_at IS NOT NULL AND countersigned_at IS NOT NULL "
            "ELSE remark <> '' END AND (status = 'in_force') = (countersigned_at IS NOT NULL) "
            "AND (signed_at IS NULL OR issued_at IS NOT NULL)",
            name="as_far_as_its_signatures",
        ),
        CheckConstraint(
            "issued_by_id <> signed_by_id AND issued_by_id <> countersigned_by_id "
            "AND signed_by_id <> countersigned_by_id",
            name="three_people",
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id

    @property
    def amount(self) -> Money:
        """What the award becomes, in US$."""
        return usd(self.amount_usd)

    @property
    def from_amount(self) -> Money:
        """What the award was, in US$."""
        return usd(self.from_amount_usd)

    @property
    def change_usd(self) -> int:
        """By how much the award grows, in cents; below zero, by how much it shrinks."""
        return self.amount_usd - self.from_amount_usd

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody."""
        return self.status in OPEN

    @property
    def movement_ref(self) -> str:
        """The reference of what it moves in the commitment of the award."""
        return f"{self.award.ref}:amendment:{self.number}"
