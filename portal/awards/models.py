"""Tables of awards, their budgets, agreements and instalments."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.applications.models import Application
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money
from portal.core.text import new_ref
from portal.funds.profile import Profile


class AwardStatus(Labelled):
    """Where a grant stands once it was awarded."""

    OFFERED = "offered", _l("Offered"), "wait"
    ACCEPTED = "accepted", _l("Accepted by the grantee"), "wait"
    ACTIVE = "active", _l("Active"), "good"
    CLOSED = "closed", _l("Closed"), "neutral"
    DECLINED = "declined", _l("Declined by the grantee"), "stop"
    SUSPENDED = "suspended", _l("Suspended"), "stop"
    TERMINATED = "terminated", _l("Terminated"), "stop"
    CANCELLED = "cancelled", _l("Cancelled"), "stop"


class AwardAction(StrEnum):
    """What moves an award."""

    ACCEPT = "accept"
    DECLINE = "decline"
    COUNTERSIGN = "countersign"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"
    CANCEL = "cancel"
    CLOSE = "close"


class PayingAgent(Labelled):
    """Who pays on the portal's instruction (R24)."""

    UNDP = "undp", _l("UNDP country office")
    UNOPS = "unops", _l("UNOPS")
    HEADQUARTERS = "hq", _l("Headquarters")


class Award(WithId, Versioned, Base):
    """A grant. `amount_usd` is in minor units of US$.

    `micro_grant` repeats the fund's own word so that the database itself can hold the ceiling
    of US$ 5,000; a trigger keeps it equal to the call's frozen profile.
    """

    __tablename__ = "award"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    application: Mapped[Application] = relationship(lazy="joined")
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, unique=True
    )
    status: Mapped[AwardStatus] = mapped_column(
        enum_column(AwardStatus), default=AwardStatus.OFFERED
    )
    micro_grant: Mapped[bool]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    paying_agent: Mapped[PayingAgent] = mapped_column(enum_column(PayingAgent))
    decided_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    offered_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")
    agreement: Mapped["Agreement | None"] = relationship(
        back_populates="award", init=False, default=None, uselist=False
    )
    budget: Mapped[list["AwardBudgetLine"]] = relationship(
        back_populates="award",
        init=False,
        default_factory=list,
        order_by="AwardBudgetLine.position",
        cascade="all, delete-orphan",
    )
    instalments: Mapped[list["Instalment"]] = relationship(
        back_populates="award", init=False, default_factory=list, order_by="Instalment.number"
    )

    __table_args__ = (
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("NOT micro_grant OR amount_usd <= 500000", name="micro_grant_ceiling"),
        CheckConstraint("ends_on >= starts_on", name="days_in_order"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_has_a_time"),
        Index("ix_award_status_ends_on", "status", "ends_on"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.application_id

    @property
    def fund(self) -> Profile:
        """The profile of the fund, as frozen into the call."""
        return self.application.fund

    @property
    def amount(self) -> Money:
        """The award in US$."""
        return Money(self.amount_usd, "USD")

    @property
    def budgeted_usd(self) -> int:
        """The sum of the award's budget lines, in minor units of US$."""
        return sum(line.amount_usd for line in self.budget)

    @property
    def needs_revised_budget(self) -> bool:
        """Whether the budget must still be brought down to the award (R18)."""
        return self.budgeted_usd != self.amount_usd


class AwardBudgetLine(WithId, Base):
    """One line of the approved budget, in minor units of US$."""

    __tablename__ = "award_budget_line"

    award: Mapped[Award] = relationship(back_populates="budget")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False)
    position: Mapped[int]
    category: Mapped[str]
    description: Mapped[str]
    requested_usd: Mapped[int] = mapped_column(BigInteger)
    amount_usd: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint("award_id", "position"),
        CheckConstraint("amount_usd >= 0 AND requested_usd >= 0", name="not_negative"),
    )


class Agreement(WithId, Versioned, Base):
    """The document that both sides sign. `digest` is the SHA-256 of the PDF, in hex.

    A trigger freezes file and digest; signatures can be added, never changed.
    """

    __tablename__ = "agreement"

    award: Mapped[Award] = relationship(back_populates="agreement")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False, unique=True)
    file: Mapped[StoredFile] = relationship(lazy="joined")
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), init=False)
    digest: Mapped[str]
    issued_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    issued_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    signed_name: Mapped[str | None] = mapped_column(default=None)
    signed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    signed_at: Mapped[datetime | None] = mapped_column(default=None)
    countersigned_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    countersigned_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest_is_sha256"),
        CheckConstraint("(signed_at IS NULL) = (signed_by_id IS NULL)", name="signed_by_somebody"),
        CheckConstraint(
            "(countersigned_at IS NULL) = (countersigned_by_id IS NULL)",
            name="countersigned_by_somebody",
        ),
        CheckConstraint("(signed_at IS NULL) = (signed_name IS NULL)", name="signed_with_a_name"),
        CheckConstraint("countersigned_at IS NULL OR signed_at IS NOT NULL", name="grantee_first"),
        CheckConstraint("countersigned_by_id <> signed_by_id", name="two_people_sign"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id


class InstalmentStatus(Labelled):
    """What became of a planned payment. Whether it is due is asked of its gates (R21)."""

    PLANNED = "planned", _l("Planned"), "neutral"
    ORDERED = "ordered", _l("Payment in preparation"), "wait"
    PAID = "paid", _l("Paid"), "good"
    LAPSED = "lapsed", _l("Nothing left to pay"), "neutral"


class Instalment(WithId, Versioned, Base):
    """One planned payment of an award, in minor units of US$ (R22)."""

    __tablename__ = "instalment"

    award: Mapped[Award] = relationship(back_populates="instalments")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False)
    number: Mapped[int]
    percent: Mapped[int]
    trigger: Mapped[str]
    report_key: Mapped[str | None]
    planned_usd: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[InstalmentStatus] = mapped_column(
        enum_column(InstalmentStatus), default=InstalmentStatus.PLANNED
    )
    paid_usd: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (
        UniqueConstraint("award_id", "number"),
        CheckConstraint("paid_usd >= 0 AND paid_usd <= planned_usd", name="within_plan"),
        CheckConstraint("(status = 'paid') = (paid_usd > 0)", name="paid_has_an_amount"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id
