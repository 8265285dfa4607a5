"""Tables of screening, scores, recommendations and decisions."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.text import sha256_hex
from portal.funds.models import Call


class Finding(Labelled):
    """What screening found on one item of the checklist."""

    OPEN = "open", _l("Not checked yet"), "neutral"
    MET = "met", _l("Met"), "good"
    NOT_MET = "not_met", _l("Not met"), "stop"
    WAIVED = "waived", _l("Waived, with a reason"), "wait"


class ScreeningItem(WithId, Versioned, Base):
    """One item of the checklist that the fund's rules produce for an application.

    `outcome` is what the machine found when the checklist was drawn up (None: a person judges).
    """

    __tablename__ = "screening_item"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    position: Mapped[int]
    key: Mapped[str]
    rule: Mapped[str]
    outcome: Mapped[bool | None] = mapped_column(default=None)
    finding: Mapped[Finding] = mapped_column(enum_column(Finding), default=Finding.OPEN)
    note: Mapped[str] = mapped_column(default="")
    checked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        UniqueConstraint("application_id", "key"),
        CheckConstraint(
            "(finding = 'open') = (checked_by_id IS NULL) "
            "AND (checked_by_id IS NULL) = (checked_at IS NULL)",
            name="checked_by_somebody",
        ),
        CheckConstraint("finding <> 'waived' OR note <> ''", name="waiver_has_a_reason"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.application_id


class EntitlementCheck(WithId, Base):
    """The officer's word that a State is entitled to support, for funds without a body (R15).

    `facts` are what the priority order rests on, as they stood on the call's reference day.
    """

    __tablename__ = "entitlement_check"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, unique=True
    )
    checked_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    checked_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    note: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default_factory=dict)

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.application_id


class SheetStatus(Labelled):
    """Whether a score sheet counts yet."""

    DRAFT = "draft", _l("In progress"), "wait"
    SUBMITTED = "submitted", _l("Submitted"), "good"
    SET_ASIDE = "set_aside", _l("Set aside: a conflict was declared"), "stop"


class SheetAction(StrEnum):
    """What moves a score sheet."""

    SUBMIT = "submit"
    SET_ASIDE = "set_aside"


class ScoreSheet(WithId, Versioned, Base):
    """One reviewer's scores for one application (R17). Hidden from others until they are in."""

    __tablename__ = "score_sheet"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    reviewer: Mapped[Person] = relationship(lazy="joined")
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False)
    status: Mapped[SheetStatus] = mapped_column(enum_column(SheetStatus), default=SheetStatus.DRAFT)
    comment: Mapped[str] = mapped_column(default="")
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    scores: Mapped[list["Score"]] = relationship(
        back_populates="sheet", init=False, default_factory=list, lazy="selectin"
    )

    __table_args__ = (
        UniqueConstraint("application_id", "reviewer_id"),
        CheckConstraint(
            "CASE status WHEN 'submitted' THEN submitted_at IS NOT NULL "
            "WHEN 'draft' THEN submitted_at IS NULL ELSE true END",
            name="submitted_has_a_time",
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.application_id


class Score(WithId, Base):
    """Points on one published criterion, with the justification. `points` None: not scored yet."""

    __tablename__ = "score"

    sheet: Mapped[ScoreSheet] = relationship(back_populates="scores")
    sheet_id: Mapped[UUID] = mapped_column(ForeignKey("score_sheet.id"), init=False)
    criterion: Mapped[str]
    points: Mapped[int | None] = mapped_column(default=None)
    justification: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("sheet_id", "criterion"),
        CheckConstraint("points >= 0", name="points_not_negative"),
    )


class RecommendationStatus(Labelled):
    """Where a body's recommendation stands."""

    DRAFT = "draft", _l("Being prepared"), "wait"
    MADE = "made", _l("Before the approving authority"), "wait"
    APPROVED = "approved", _l("Approved"), "good"
    RETURNED = "returned", _l("Sent back"), "stop"


class RecommendationAction(StrEnum):
    """What moves a recommendation."""

    MAKE = "make"
    APPROVE = "approve"
    SEND_BACK = "send_back"


class Recommendation(WithId, Versioned, Base):
    """The ranked list that goes from the body to the approving authority (R14)."""

    __tablename__ = "recommendation"

    call: Mapped[Call] = relationship(lazy="joined")
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), init=False)
    round: Mapped[int] = mapped_column(default=1)
    status: Mapped[RecommendationStatus] = mapped_column(
        enum_column(RecommendationStatus), default=RecommendationStatus.DRAFT
    )
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    made_at: Mapped[datetime | None] = mapped_column(default=None)
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    remarks: Mapped[str] = mapped_column(default="")
    lines: Mapped[list["RecommendationLine"]] = relationship(
        back_populates="recommendation",
        init=False,
        default_factory=list,
        order_by="RecommendationLine.rank",
    )

    __table_args__ = (
        UniqueConstraint("call_id", "round"),
        Index(
            "uq_recommendation_live_per_call",
            "call_id",
            unique=True,
            postgresql_where=text("status IN ('draft', 'made')"),
        ),
        CheckConstraint("decided_by_id <> made_by_id", name="another_person_decides"),
        CheckConstraint(
            "(made_by_id IS NULL) = (made_at IS NULL) "
            "AND (status = 'draft') = (made_by_id IS NULL)",
            name="made_by_somebody",
        ),
        CheckConstraint(
            "(decided_by_id IS NULL) = (decided_at IS NULL) "
            "AND (status IN ('draft', 'made')) = (decided_by_id IS NULL)",
            name="decided_by_somebody",
        ),
        CheckConstraint("status <> 'returned' OR remarks <> ''", name="returned_with_remarks"),
    )

    @property
    def case_id(self) -> None:
        """A recommendation stands above the case files of its lines."""
        return


class Verdict(Labelled):
    """What the body recommends for one application."""

    FUND = "fund", _l("Fund"), "good"
    RESERVE = "reserve", _l("Reserve list"), "wait"
    DECLINE = "decline", _l("Do not fund"), "stop"


class RecommendationLine(WithId, Versioned, Base):
    """One application in the ranked list. `mean` and `spread` are percent of the highest score."""

    __tablename__ = "recommendation_line"

    recommendation: Mapped[Recommendation] = relationship(back_populates="lines")
    recommendation_id: Mapped[UUID] = mapped_column(ForeignKey("recommendation.id"), init=False)
    application: Mapped[Application] = relationship(lazy="joined")
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    rank: Mapped[int]
    mean: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), default=None)
    spread: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), default=None)
    basis: Mapped[dict[str, Any]] = mapped_column(JSONB, default_factory=dict)
    requested_usd: Mapped[int] = mapped_column(BigInteger)
    recommended_usd: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict))
    reasons: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("recommendation_id", "application_id"),
        CheckConstraint("recommended_usd >= 0", name="not_negative"),
        CheckConstraint("recommended_usd <= requested_usd", name="not_above_request"),
        CheckConstraint("(verdict = 'fund') = (recommended_usd > 0)", name="funded_has_an_amount"),
        CheckConstraint("rank > 0", name="rank_positive"),
    )

    @property
    def requested(self) -> Money:
        """What was asked for, in US$."""
        return usd(self.requested_usd)

    @property
    def recommended(self) -> Money:
        """What the body recommends, in US$."""
        return usd(self.recommended_usd)


class Decision(WithId, Base):
    """What an applicant is told in writing, with reasons (R20). One per application.

    `recommendation_id` names what was decided on; an inadmissible application has none, its `rule`
    says why. A trigger refuses every later change.
    """

    __tablename__ = "decision"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, unique=True
    )
    approved: Mapped[bool]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    reasons: Mapped[str]
    rule: Mapped[str] = mapped_column(default="")
    recommendation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("recommendation.id"), default=None
    )
    decided_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        CheckConstraint("approved = (amount_usd > 0)", name="approved_has_an_amount"),
        CheckConstraint("reasons <> ''", name="has_reasons"),
        CheckConstraint("recommendation_id IS NOT NULL OR rule <> ''", name="rests_on_something"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.application_id

    @property
    def amount(self) -> Money:
        """What is granted, in US$."""
        return usd(self.amount_usd)

    @property
    def reasons_digest(self) -> str:
        """The SHA-256 of the reasons, in hex, that the audit chain keeps in their place."""
        return sha256_hex(self.reasons.encode())
