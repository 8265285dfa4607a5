"""Tables of applications and of what stands in them."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.core import clock
from portal.core.crypto import SealingKey, Unreadable, unseal
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.text import new_ref
from portal.funds.models import Call
from portal.funds.profile import Profile


class ApplicationStatus(Labelled):
    """Where an application stands (R13)."""

    DRAFT = "draft", _l("Draft"), "neutral"
    SUBMITTED = "submitted", _l("Submitted"), "wait"
    CLARIFICATION = "clarification", _l("Clarification asked"), "wait"
    INADMISSIBLE = "inadmissible", _l("Inadmissible"), "stop"
    IN_REVIEW = "in_review", _l("In review"), "wait"
    RECOMMENDED = "recommended", _l("Recommended"), "wait"
    APPROVED = "approved", _l("Approved"), "good"
    REFUSED = "refused", _l("Not selected"), "stop"
    WITHDRAWN = "withdrawn", _l("Withdrawn"), "stop"


class ApplicationAction(StrEnum):
    """What moves an application. The table of who and when is in `workflow.py`."""

    SUBMIT = "submit"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    ASK = "ask"
    ANSWER = "answer"
    COMPLETE_SCREENING = "complete_screening"
    DECLARE_INADMISSIBLE = "declare_inadmissible"
    RECOMMEND = "recommend"
    RETURN = "return"
    APPROVE = "approve"
    REFUSE = "refuse"


class Application(WithId, Versioned, Base, kw_only=True):
    """One applicant's request under one call, and the head of its case file."""

    __tablename__ = "application"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    call: Mapped[Call] = relationship(lazy="joined")
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), init=False, index=True)
    organisation: Mapped[Organisation] = relationship(lazy="joined")
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisation.id"), init=False, index=True
    )
    sealing_key: Mapped[SealingKey] = relationship(lazy="joined")
    sealing_key_id: Mapped[UUID] = mapped_column(ForeignKey("sealing_key.id"), init=False)
    status: Mapped[ApplicationStatus] = mapped_column(
        enum_column(ApplicationStatus), default=ApplicationStatus.DRAFT
    )
    title: Mapped[str] = mapped_column(default="")
    country: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    currency: Mapped[str] = mapped_column(default="USD")
    requested: Mapped[int] = mapped_column(BigInteger, default=0)
    requested_usd: Mapped[int] = mapped_column(BigInteger, default=0)
    budget_revision: Mapped[int] = mapped_column(default=0)
    sensitive: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    recusals: Mapped[list["Recusal"]] = relationship(
        back_populates="application", init=False, default_factory=list
    )
    declarations: Mapped[list["InterestDeclaration"]] = relationship(
        back_populates="application", init=False, default_factory=list
    )

    __table_args__ = (
        CheckConstraint(
            "submitted_at IS NOT NULL OR status IN ('draft', 'withdrawn')",
            name="submitted_has_a_time",
        ),
        CheckConstraint("requested >= 0 AND requested_usd >= 0", name="amounts_not_negative"),
        CheckConstraint("length(country) = 3", name="country_is_iso3"),
        CheckConstraint("length(currency) = 3", name="currency_is_iso"),
        Index("ix_application_call_id_status", "call_id", "status"),
        Index(
            "uq_application_one_per_call",
            "call_id",
            "organisation_id",
            unique=True,
            postgresql_where=text("status <> 'withdrawn'"),
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application heads its own case file."""
        return self.id

    @property
    def fund(self) -> Profile:
        """The profile of the fund, as frozen into the call."""
        return self.call.fund

    @property
    def requested_money(self) -> Money:
        """What is asked for, in the currency of the budget."""
        return Money(self.requested, self.currency)

    @property
    def requested_dollars(self) -> Money:
        """What is asked for in US$, at the rate of the call's reference day (R9)."""
        return usd(self.requested_usd)


class Answer(WithId, Base, kw_only=True):
    """The answer to one question of the profile. Sensitive ones are sealed, never in `value`.

    `revision` grows by one with each change, so that two editors cannot overwrite each other
    unseen.
    """

    __tablename__ = "answer"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    key: Mapped[str]
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True), default=None)
    sealed: Mapped[bytes | None] = mapped_column(default=None)
    revision: Mapped[int] = mapped_column(default=1)
    updated_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    updated_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        UniqueConstraint("application_id", "key"),
        CheckConstraint("value IS NULL OR sealed IS NULL", name="sealed_or_plain"),
    )


class BudgetLine(WithId, Base, kw_only=True):
    """One line of the budget: quantity × unit cost, in the application's currency (R10)."""

    __tablename__ = "budget_line"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, index=True
    )
    position: Mapped[int]
    category: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[int]
    unit_cost: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("quantity > 0 AND unit_cost >= 0", name="not_negative"),
        CheckConstraint("amount = quantity * unit_cost", name="arithmetic"),
    )


class Attachment(WithId, Base, kw_only=True):
    """A file that belongs to an application, under one of the profile's attachment keys (R7)."""

    __tablename__ = "attachment"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, index=True
    )
    key: Mapped[str]
    file: Mapped[StoredFile] = relationship(lazy="joined")
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), init=False)
    added_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def case_id(self) -> UUID:
        """A file belongs to the application's case file."""
        return self.application_id


class Sex(Labelled):
    """As the funds' public statistics count."""

    FEMALE = "female", _l("Woman")
    MALE = "male", _l("Man")
    OTHER = "other", _l("Other or not stated")


class NomineeKind(Labelled):
    """How an official takes part (LDC-SIDS counts delegates and fellows)."""

    DELEGATE = "delegate", _l("Delegate")
    FELLOW = "fellow", _l("Fellow")


class Nominee(WithId, Versioned, Base, kw_only=True):
    """The official for whom a State asks for travel. Name and contact are sealed."""

    __tablename__ = "nominee"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, unique=True
    )
    sealed_name: Mapped[bytes]
    function: Mapped[str]
    sex: Mapped[Sex] = mapped_column(enum_column(Sex))
    kind: Mapped[NomineeKind] = mapped_column(enum_column(NomineeKind))
    travel_from: Mapped[date]
    travel_until: Mapped[date]

    __table_args__ = (CheckConstraint("travel_until >= travel_from", name="travel_days_in_order"),)


class Submission(WithId, Base, kw_only=True):
    """Exactly what was submitted, frozen by a trigger.

    `digest` is the SHA-256, in hex, of the canonical JSON; `sealed_body` is that JSON under the
    application's key, so that erasing the key erases it and the digest stays.
    """

    __tablename__ = "submission"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    sealed_body: Mapped[bytes]
    digest: Mapped[str]

    __table_args__ = (
        UniqueConstraint("application_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest_is_sha256"),
    )

    @property
    def case_id(self) -> UUID:
        """A submission belongs to the application's case file."""
        return self.application_id


class Clarification(WithId, Versioned, Base, kw_only=True):
    """A question of the programme officer about one section, and its answer.

    Both are sealed: a section may be the one on risk. `question` and `answer` open them.
    """

    __tablename__ = "clarification"

    application: Mapped[Application] = relationship()
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id"), init=False, index=True
    )
    section: Mapped[str]
    sealed_question: Mapped[bytes]
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    due_at: Mapped[datetime]
    sealed_answer: Mapped[bytes | None] = mapped_column(default=None)
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint(
            "(answered_at IS NULL) = (answered_by_id IS NULL) "
            "AND (answered_at IS NULL) = (sealed_answer IS NULL)",
            name="answered_by_somebody",
        ),
    )

    @property
    def case_id(self) -> UUID:
        """A clarification belongs to the application's case file."""
        return self.application_id

    @property
    def due_on(self) -> date:
        """The day by which the answer is wanted: `due_at` is its last second in UTC."""
        return self.due_at.astimezone(UTC).date()

    @property
    def place(self) -> str:
        """Where its texts are sealed to."""
        return f"application:{self.application_id}:clarification:{self.id}"

    @property
    def question(self) -> str:
        """What was asked; nothing once the application's key is destroyed."""
        return self._opened(self.sealed_question, "question")

    @property
    def answer(self) -> str:
        """What was answered; nothing before it was, or once the key is destroyed."""
        return self._opened(self.sealed_answer, "answer") if self.sealed_answer else ""

    def _opened(self, sealed: bytes, part: str) -> str:
        try:
            return unseal(self.application.sealing_key, sealed, f"{self.place}:{part}")
        except Unreadable:
            return ""


class Recusal(WithId, Base, kw_only=True):
    """A person for whom an application does not exist, in totals and counts included (R16)."""

    __tablename__ = "recusal"

    application: Mapped[Application] = relationship(back_populates="recusals")
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    person: Mapped[Person] = relationship()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False)
    declared_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    sealed_reason: Mapped[bytes]

    __table_args__ = (UniqueConstraint("person_id", "application_id"),)


class InterestDeclaration(WithId, Base, kw_only=True):
    """A reviewer's word that there is no conflict: only with it the application exists for them.

    A conflict becomes a `Recusal` instead.
    """

    __tablename__ = "interest_declaration"

    application: Mapped[Application] = relationship(back_populates="declarations")
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), init=False)
    person: Mapped[Person] = relationship()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False)
    declared_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (UniqueConstraint("person_id", "application_id"),)

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.application_id
