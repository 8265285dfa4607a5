"""Bank details of grantees: sealed, checked by a second person, replaced and never edited."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.awards.models import Award
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled


class BankStatus(Labelled):
    """Where bank details stand. Only verified ones are ever paid to."""

    ENTERED = "entered", _l("To be verified"), "wait"
    VERIFIED = "verified", _l("Verified"), "good"
    DOUBTED = "doubted", _l("To be verified again"), "stop"
    REJECTED = "rejected", _l("Not accepted"), "stop"
    REPLACED = "replaced", _l("Replaced by newer ones"), "neutral"


STANDING = (BankStatus.ENTERED, BankStatus.VERIFIED, BankStatus.DOUBTED)
"""The details of an award that stand: one row at most, paid to only while it is verified."""

UNVERIFIED = (BankStatus.ENTERED, BankStatus.DOUBTED)
"""Details that wait for a second person."""


class BankAction(StrEnum):
    """What moves bank details."""

    VERIFY = "verify"
    REJECT = "reject"
    REPLACE = "replace"


class BankDetails(WithId, Versioned, Base):
    """Where a grantee's money goes, sealed under the application's key.

    `fingerprint` is a keyed hash of the account, which finds the same account used by two
    grantees (R12) without reading either; `digest` one of everything that is sealed, which orders
    carry on. `verified_at` stays once it was set, whatever becomes of the row: what follows
    details that were verified once waits before it is payable (`payable_from`). Where a bank could
    not pay to the account, verified details are doubted since `doubted_at`, for the reason in
    `remark`, until a second person verifies them again.
    """

    __tablename__ = "bank_details"

    award: Mapped[Award] = relationship(lazy="joined")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False, index=True)
    status: Mapped[BankStatus] = mapped_column(enum_column(BankStatus), default=BankStatus.ENTERED)
    sealed: Mapped[bytes]
    last_four: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    entered_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    payable_from: Mapped[datetime] = mapped_column(default_factory=clock.now)
    checked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)
    verified_at: Mapped[datetime | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")
    doubted_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        Index(
            "uq_bank_details_current_per_award",
            "award_id",
            unique=True,
            postgresql_where=text("status IN ('entered', 'verified', 'doubted')"),
        ),
        CheckConstraint("checked_by_id <> entered_by_id", name="a_second_person_checks"),
        CheckConstraint(
            "(checked_by_id IS NULL) = (checked_at IS NULL)", name="checked_by_somebody"
        ),
        CheckConstraint("status <> 'verified' OR verified_at IS NOT NULL", name="verified_at"),
        CheckConstraint(
            "(verified_at IS NULL AND status <> 'rejected') OR checked_at IS NOT NULL",
            name="verified_by",
        ),
        CheckConstraint("status <> 'rejected' OR remark <> ''", name="rejected_has_a_remark"),
        CheckConstraint(
            "status <> 'doubted' OR (doubted_at IS NOT NULL AND remark <> '')",
            name="doubted_has_a_reason",
        ),
        CheckConstraint("payable_from >= entered_at", name="payable_after_it_was_entered"),
        CheckConstraint(
            "fingerprint ~ '^[0-9a-f]{64}$' AND digest ~ '^[0-9a-f]{64}$'", name="digests"
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id
