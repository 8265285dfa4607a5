"""Tables of bank details, payment orders, their approvals, and receivables."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money
from portal.core.text import new_ref


class BankStatus(Labelled):
    """Where bank details stand. Only verified ones are ever paid to."""

    ENTERED = "entered", _l("To be verified"), "wait"
    VERIFIED = "verified", _l("Verified"), "good"
    REJECTED = "rejected", _l("Not accepted"), "stop"
    REPLACED = "replaced", _l("Replaced by newer ones"), "neutral"


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
    details that were verified once waits before it is payable (`payable_from`).
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

    __table_args__ = (
        Index(
            "uq_bank_details_current_per_award",
            "award_id",
            unique=True,
            postgresql_where=text("status IN ('entered', 'verified')"),
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
        CheckConstraint("payable_from >= entered_at", name="payable_after_it_was_entered"),
        CheckConstraint(
            "fingerprint ~ '^[0-9a-f]{64}$' AND digest ~ '^[0-9a-f]{64}$'", name="digests"
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id


class OrderStatus(Labelled):
    """Where a payment order stands."""

    PREPARED = "prepared", _l("To be certified"), "wait"
    CERTIFIED = "certified", _l("To be approved"), "wait"
    APPROVED = "approved", _l("To be released"), "wait"
    RELEASED = "released", _l("With the paying agent"), "wait"
    CONFIRMED = "confirmed", _l("Paid"), "good"
    REJECTED = "rejected", _l("Not paid"), "stop"
    RETURNED = "returned", _l("Paid and come back"), "stop"
    CANCELLED = "cancelled", _l("Cancelled"), "stop"


LIVE_ORDER = (
    OrderStatus.PREPARED,
    OrderStatus.CERTIFIED,
    OrderStatus.APPROVED,
    OrderStatus.RELEASED,
    OrderStatus.CONFIRMED,
)


class OrderAction(StrEnum):
    """What moves a payment order."""

    CERTIFY = "certify"
    APPROVE = "approve"
    RELEASE = "release"
    CONFIRM = "confirm"
    REJECT = "reject"
    RETURN = "return"
    CANCEL = "cancel"


class PaymentOrder(WithId, Versioned, Base):
    """One attempt to pay one instalment. `amount` is in minor units of `currency`.

    `digest` covers payee, amount, currency and rail; each approval signs it. Triggers recompute it
    and let none of these change: another amount or payee is another order, with signatures of its
    own.
    """

    __tablename__ = "payment_order"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    instalment: Mapped[Instalment] = relationship(lazy="joined")
    instalment_id: Mapped[UUID] = mapped_column(ForeignKey("instalment.id"), init=False)
    bank_details: Mapped[BankDetails] = relationship()
    bank_details_id: Mapped[UUID] = mapped_column(ForeignKey("bank_details.id"), init=False)
    attempt: Mapped[int] = mapped_column(default=1)
    rail: Mapped[str] = mapped_column(default="agent")
    status: Mapped[OrderStatus] = mapped_column(
        enum_column(OrderStatus), default=OrderStatus.PREPARED
    )
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str]
    prepared_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    prepared_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    instruction: Mapped[StoredFile | None] = relationship(default=None)
    instruction_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), init=False)
    agent_reference: Mapped[str | None] = mapped_column(default=None)
    paid_on: Mapped[date | None] = mapped_column(default=None)
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    acknowledged_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    returned_on: Mapped[date | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")
    approvals: Mapped[list["PaymentApproval"]] = relationship(
        back_populates="order", init=False, default_factory=list, lazy="selectin"
    )

    __table_args__ = (
        Index(
            "uq_payment_order_live_per_instalment",
            "instalment_id",
            unique=True,
            postgresql_where=text("status NOT IN ('rejected', 'returned', 'cancelled')"),
        ),
        Index("ix_payment_order_status", "status"),
        UniqueConstraint("instalment_id", "attempt"),
        CheckConstraint("amount > 0 AND amount_usd > 0", name="amount_positive"),
        CheckConstraint("currency <> 'USD' OR amount = amount_usd", name="dollars_are_dollars"),
        CheckConstraint(
            "status NOT IN ('released', 'confirmed', 'rejected', 'returned') "
            "OR instruction_id IS NOT NULL",
            name="released_has_an_instruction",
        ),
        CheckConstraint(
            "(status IN ('confirmed', 'returned')) = (confirmed_at IS NOT NULL)",
            name="confirmed_has_a_time",
        ),
        CheckConstraint(
            "confirmed_at IS NULL OR (agent_reference <> '' AND agent_reference IS NOT NULL "
            "AND paid_on IS NOT NULL AND confirmed_by_id IS NOT NULL)",
            name="confirmed_has_a_reference",
        ),
        CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by_id IS NULL) "
            "AND (acknowledged_at IS NULL OR confirmed_at IS NOT NULL)",
            name="acknowledged_by_somebody",
        ),
        CheckConstraint(
            "(status = 'returned') = (returned_on IS NOT NULL)", name="returned_has_a_day"
        ),
        CheckConstraint(
            "status NOT IN ('rejected', 'returned') OR remark <> ''", name="unpaid_has_a_remark"
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.instalment.award.application_id

    @property
    def money(self) -> Money:
        """What is paid."""
        return Money(self.amount, self.currency)


class ApprovalStep(Labelled):
    """The three signatures of a payment (R23)."""

    CERTIFY = "certify", _l("Certified")
    APPROVE = "approve", _l("Approved")
    RELEASE = "release", _l("Released")


class PaymentApproval(WithId, Base):
    """One signature over the digest of an order. Three steps, three people, held here too.

    Triggers also refuse whoever entered the bank details or works for the grantee, a role that is
    not the step's, a step before its turn, and a digest that is not the order's.
    """

    __tablename__ = "payment_approval"

    order: Mapped[PaymentOrder] = relationship(back_populates="approvals")
    order_id: Mapped[UUID] = mapped_column(ForeignKey("payment_order.id"), init=False)
    step: Mapped[ApprovalStep] = mapped_column(enum_column(ApprovalStep))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    digest: Mapped[str]
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        UniqueConstraint("order_id", "step"),
        UniqueConstraint("order_id", "person_id"),
    )


class ReceivableStatus(Labelled):
    """Where money that a grantee owes back stands (R25)."""

    OPEN = "open", _l("To be paid back"), "wait"
    SETTLED = "settled", _l("Paid back"), "good"


class ReceivableAction(StrEnum):
    """What moves a receivable."""

    SETTLE = "settle"


class Receivable(WithId, Versioned, Base):
    """Unspent or ineligible money that comes back, with a due date (R25)."""

    __tablename__ = "receivable"

    award: Mapped[Award] = relationship(lazy="joined")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False, unique=True)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date]
    status: Mapped[ReceivableStatus] = mapped_column(
        enum_column(ReceivableStatus), default=ReceivableStatus.OPEN
    )
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    settled_on: Mapped[date | None] = mapped_column(default=None)
    settled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    bank_reference: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("(status = 'settled') = (settled_on IS NOT NULL)", name="settled_has_day"),
        CheckConstraint(
            "status <> 'settled' OR (settled_by_id IS NOT NULL AND bank_reference <> '')",
            name="settled_by_somebody",
        ),
    )

    @property
    def money(self) -> Money:
        """What is owed, in US$."""
        return Money(self.amount_usd, "USD")

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id
