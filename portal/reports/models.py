"""Tables of reports and of what stands in them."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.applications.models import Sex
from portal.awards.models import Award, AwardBudgetLine
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.text import new_ref


class ReportStatus(Labelled):
    """Where a report stands. "Overdue" is computed from the due date, never stored (R27)."""

    DUE = "due", _l("To be written"), "neutral"
    SUBMITTED = "submitted", _l("Submitted"), "wait"
    RETURNED = "returned", _l("Returned with comments"), "stop"
    ACCEPTED = "accepted", _l("Accepted"), "good"


class ReportAction(StrEnum):
    """What moves a report."""

    SUBMIT = "submit"
    RETURN = "return"
    ACCEPT = "accept"


class Report(WithId, Versioned, Base):
    """One report that an award owes, by a key of the fund's profile."""

    __tablename__ = "report"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    award: Mapped[Award] = relationship(lazy="joined")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False)
    key: Mapped[str]
    due_on: Mapped[date]
    status: Mapped[ReportStatus] = mapped_column(
        enum_column(ReportStatus), default=ReportStatus.DUE
    )
    round: Mapped[int] = mapped_column(default=0)
    spending_revision: Mapped[int] = mapped_column(default=0)
    people_revision: Mapped[int] = mapped_column(default=0)
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    submitted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    digest: Mapped[str | None] = mapped_column(default=None)
    accepted_usd: Mapped[int | None] = mapped_column(BigInteger, default=None)
    accepted_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        UniqueConstraint("award_id", "key"),
        CheckConstraint("(status = 'accepted') = (accepted_at IS NOT NULL)", name="accepted_at"),
        CheckConstraint("accepted_usd IS NULL OR status = 'accepted'", name="accepted_amount"),
        CheckConstraint("(round > 0) = (submitted_at IS NOT NULL)", name="submitted_has_a_time"),
        CheckConstraint(
            "(submitted_at IS NULL) = (submitted_by_id IS NULL) "
            "AND (submitted_at IS NULL) = (digest IS NULL)",
            name="submitted_by_somebody",
        ),
        CheckConstraint("status = 'due' OR round > 0", name="only_due_before_round_1"),
        CheckConstraint("accepted_usd >= 0", name="accepted_not_negative"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id

    @property
    def is_overdue(self) -> bool:
        """Whether the due date has passed and nothing is in (R27)."""
        waiting = self.status in {ReportStatus.DUE, ReportStatus.RETURNED}
        return waiting and clock.today() > self.due_on


class ReportAnswer(WithId, Base):
    """The answer to one narrative question. Sensitive ones are sealed, never in `value`.

    `revision` grows by one with each change, so that two editors cannot overwrite each other
    unseen.
    """

    __tablename__ = "report_answer"

    report: Mapped[Report] = relationship()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), init=False)
    key: Mapped[str]
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True), default=None)
    sealed: Mapped[bytes | None] = mapped_column(default=None)
    revision: Mapped[int] = mapped_column(default=1)
    updated_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    updated_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        UniqueConstraint("report_id", "key"),
        CheckConstraint("value IS NULL OR sealed IS NULL", name="sealed_or_plain"),
    )


class Expenditure(WithId, Base):
    """What was spent on one approved budget line (R29).

    `spent` is in minor units of `currency`, `rate` in units per US$ 1, `spent_usd` in minor
    units of US$. `official_rate` is the UN's on the last day of the activities (None where there
    was none); another rate needs its reason.
    """

    __tablename__ = "expenditure"

    report: Mapped[Report] = relationship()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), init=False)
    line: Mapped[AwardBudgetLine] = relationship(lazy="joined")
    line_id: Mapped[UUID] = mapped_column(ForeignKey("award_budget_line.id"), init=False)
    spent: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    rate: Mapped[Decimal] = mapped_column(Numeric(20, 8))
    spent_usd: Mapped[int] = mapped_column(BigInteger)
    official_rate: Mapped[Decimal | None] = mapped_column(Numeric(20, 8), default=None)
    rate_reason: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("report_id", "line_id"),
        CheckConstraint("spent >= 0 AND spent_usd >= 0 AND rate > 0", name="not_negative"),
        CheckConstraint(
            "rate_reason <> '' OR rate IS NOT DISTINCT FROM official_rate",
            name="own_rate_has_a_reason",
        ),
        CheckConstraint(
            "currency <> 'USD' OR (rate = 1 AND spent = spent_usd)", name="dollars_are_dollars"
        ),
        CheckConstraint("length(currency) = 3", name="currency_is_iso"),
    )

    @property
    def money(self) -> Money:
        """What was spent, in the currency in which it was."""
        return Money(self.spent, self.currency)

    @property
    def dollars(self) -> Money:
        """What was spent, in US$."""
        return usd(self.spent_usd)


class AgeBand(Labelled):
    """The age bands in which people reached are counted (R28)."""

    CHILDREN = "0-17", _l("Children (0–17)")
    YOUTH = "18-24", _l("Young people (18–24)")
    ADULTS = "25-59", _l("Adults (25–59)")
    OLDER = "60+", _l("Older people (60 and above)")


class Group(Labelled):
    """Groups in which people reached are counted besides, each by sex and age like the whole.

    A fixed list: what nobody can type can name nobody.
    """

    DISABILITY = "disability", _l("Persons with disabilities")
    INDIGENOUS = "indigenous", _l("Indigenous peoples and minorities")
    DISPLACED = "displaced", _l("Refugees, migrants and displaced people")
    DEFENDERS = "defenders", _l("Human-rights defenders and journalists")
    OFFICIALS = "officials", _l("Police, justice and other officials")


class PeopleReached(WithId, Base):
    """A count of people by sex, age band and group. Counts only, never names (R28).

    `group` is empty for everybody, else the value of a `Group`: of whom so many.
    """

    __tablename__ = "people_reached"

    report: Mapped[Report] = relationship()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), init=False)
    sex: Mapped[Sex] = mapped_column(enum_column(Sex))
    age_band: Mapped[AgeBand] = mapped_column(enum_column(AgeBand))
    group: Mapped[str] = mapped_column(default="")
    people: Mapped[int]

    __table_args__ = (
        UniqueConstraint("report_id", "sex", "age_band", "group"),
        CheckConstraint("people >= 0", name="not_negative"),
    )


class EvidenceKind(Labelled):
    """What a file in a report shows."""

    PHOTOGRAPH = "photograph", _l("Photograph")
    RECEIPT = "receipt", _l("Receipt or proof of payment")
    DOCUMENT = "document", _l("Other document")


class Evidence(WithId, Base):
    """A photograph, a receipt or a document that belongs to a report."""

    __tablename__ = "evidence"

    report: Mapped[Report] = relationship()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), init=False, index=True)
    kind: Mapped[EvidenceKind] = mapped_column(enum_column(EvidenceKind))
    caption: Mapped[str] = mapped_column(default="")
    file: Mapped[StoredFile] = relationship(lazy="joined")
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), init=False)
    added_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)


class ReviewSide(Labelled):
    """Who accepts a report: both sides must (R30)."""

    PROGRAMME = "programme", _l("Programme: the narrative")
    FINANCE = "finance", _l("Finance: the spending")


class ReportReview(WithId, Base):
    """One side's word on one round of a report. `accepted_usd`: what finance accepts as spent."""

    __tablename__ = "report_review"

    report: Mapped[Report] = relationship()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), init=False)
    round: Mapped[int]
    side: Mapped[ReviewSide] = mapped_column(enum_column(ReviewSide))
    accepted: Mapped[bool]
    accepted_usd: Mapped[int | None] = mapped_column(BigInteger, default=None)
    comment: Mapped[str] = mapped_column(default="")
    by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        UniqueConstraint("report_id", "round", "side"),
        UniqueConstraint("report_id", "round", "by_id"),
        CheckConstraint(
            "(accepted_usd IS NOT NULL) = (accepted AND side = 'finance')",
            name="finance_accepts_an_amount",
        ),
        CheckConstraint("accepted_usd >= 0", name="amount_not_negative"),
        CheckConstraint("accepted OR comment <> ''", name="return_has_a_comment"),
    )
