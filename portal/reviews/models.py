"""Tables of screening, declarations of interest, scores, recommendations and decisions."""

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
from portal.funds.models import Call


class Finding(Labelled):
    """What screening found on one item of the checklist."""

    OPEN = "open", _l("Not checked yet"), "neutral"
    MET = "met", _l("Met"), "good"
    NOT_MET = "not_met", _l("Not met"), "stop"
    WAIVED = "waived", _l("Waived, with a reason"), "wait"


class ScreeningItem(WithId, Versioned, Base):
    """One item of the checklist that the fund's rules produce for an application."""

    __tablename__ = "screening_item"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    key: Mapped[str]
    rule: Mapped[str]
    finding: Mapped[Finding] = mapped_column(enum_column(Finding), default=Finding.OPEN)
    note: Mapped[str] = mapped_column(default="")
    checked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        UniqueConstraint("application_id", "key"),
        CheckConstraint("(finding = 'open') = (checked_by_id IS NULL)", name="checked_by_somebody"),
        CheckConstraint("finding <> 'waived' OR note <> ''", name="waiver_has_a_reason"),
    )


class InterestDeclaration(WithId, Base):
    """A reviewer's word that there is no conflict. A conflict becomes a `Recusal` instead."""

    __tablename__ = "interest_declaration"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    person: Mapped[Person] = relationship()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False)
    declared_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (UniqueConstraint("person_id", "application_id"),)


class SheetStatus(Labelled):
    """Whether a score sheet counts yet."""

    DRAFT = "draft", _l("In progress"), "wait"
    SUBMITTED = "submitted", _l("Submitted"), "good"


class SheetAction(StrEnum):
    """What moves a score sheet."""

    SUBMIT = "submit"


class ScoreSheet(WithId, Versioned, Base):
    """One reviewer's scores for one application (R17). Hidden from others until they are in."""

    __tablename__ = "score_sheet"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    reviewer: Mapped[Person] = relationship()
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False)
    status: Mapped[SheetStatus] = mapped_column(enum_column(SheetStatus), default=SheetStatus.DRAFT)
    comment: Mapped[str] = mapped_column(default="")
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    scores: Mapped[list["Score"]] = relationship(
        back_populates="sheet", init=False, default_factory=list, lazy="selectin"
    )

    __table_args__ = (
        UniqueConstraint("application_id", "reviewer_id"),
        CheckConstraint("(status = 'submitted') = (submitted_at IS NOT NULL)", name="has_a_time"),
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
    application: Mapped[Application] = relationship()
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
    )


class Decision(WithId, Base):
    """What an applicant is told in writing, with reasons (R20). One per application."""

    __tablename__ = "decision"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, unique=True
    )
    approved: Mapped[bool]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    reasons: Mapped[str]
    rule: Mapped[str] = mapped_column(default="")
    decided_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        CheckConstraint("approved = (amount_usd > 0)", name="approved_has_an_amount"),
        CheckConstraint("reasons <> ''", name="has_reasons"),
    )
