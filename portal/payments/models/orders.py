"""Payment orders and their signatures: one attempt to pay one instalment, exactly as signed."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    literal,
    text,
)
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from portal.awards.models import Instalment
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money
from portal.core.stripe.models import StripeCall
from portal.core.text import new_ref
from portal.payments.models.bank import PaymentFile
from portal.payments.models.details import BankDetails

TRANSFER = "transfer:"
"""What stands before an order in the key of the call that transfers its money by card."""

AFTER_ALL = ":after-all"
"""How the books name a payment that the bank made after it had given it up: a booking anew."""


class OrderStatus(Labelled):
    """Where a payment order stands."""

    PREPARED = "prepared", _l("To be certified"), "wait"
    CERTIFIED = "certified", _l("To be approved"), "wait"
    APPROVED_ONCE = "approved_once", _l("To be approved a second time"), "wait"
    APPROVED = "approved", _l("To be released"), "wait"
    RELEASED = "released", _l("Released, not yet paid"), "wait"
    CONFIRMED = "confirmed", _l("Paid"), "good"
    REJECTED = "rejected", _l("Not paid"), "stop"
    RETURNED = "returned", _l("Paid and come back"), "stop"
    CANCELLED = "cancelled", _l("Cancelled"), "stop"


class OrderAction(StrEnum):
    """What moves a payment order."""

    CERTIFY = "certify"
    APPROVE = "approve"
    APPROVE_AGAIN = "approve_again"
    RELEASE = "release"
    CONFIRM = "confirm"
    REJECT = "reject"
    RETURN = "return"
    CANCEL = "cancel"


class PaymentOrder(WithId, Versioned, Base):
    """One attempt to pay one instalment. `amount` is in minor units of `currency`.

    `digest` covers payee, amount, currency and rail; each approval signs it. Triggers recompute it
    and let none of these change: another amount or payee is another order, with signatures of its
    own. `second_approval` is decided when it is prepared, by its amount. By the bank, an order
    leaves in a `file`, and by the card processor with its `transfer`; `accepted_at` is when the
    bank said that it would pay; `paid_after_all` that it debited a payment which it had refused,
    or given back.
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
    second_approval: Mapped[bool] = mapped_column(default=False)
    prepared_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    instruction: Mapped[StoredFile | None] = relationship(default=None)
    instruction_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), init=False)
    file: Mapped[PaymentFile | None] = relationship(back_populates="orders", default=None)
    file_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("payment_file.id"), init=False, index=True
    )
    transfer: Mapped[StripeCall | None] = relationship(
        primaryjoin=lambda: foreign(StripeCall.key) == literal(TRANSFER) + PaymentOrder.ref,
        viewonly=True,
        uselist=False,
        init=False,
    )
    accepted_at: Mapped[datetime | None] = mapped_column(default=None)
    agent_reference: Mapped[str | None] = mapped_column(default=None)
    paid_on: Mapped[date | None] = mapped_column(default=None)
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    acknowledged_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    returned_on: Mapped[date | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")
    paid_after_all: Mapped[bool] = mapped_column(default=False)
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
            "OR rail <> 'agent' OR instruction_id IS NOT NULL",
            name="released_has_an_instruction",
        ),
        CheckConstraint("file_id IS NULL OR rail = 'bank'", name="only_the_bank_takes_files"),
        CheckConstraint(
            "NOT paid_after_all OR rail = 'bank' AND status IN ('confirmed', 'returned')",
            name="only_the_bank_debits_after_all",
        ),
        CheckConstraint(
            "(status IN ('confirmed', 'returned')) = (confirmed_at IS NOT NULL)",
            name="confirmed_has_a_time",
        ),
        CheckConstraint(
            "confirmed_at IS NULL OR (agent_reference <> '' AND agent_reference IS NOT NULL "
            "AND paid_on IS NOT NULL AND (confirmed_by_id IS NOT NULL OR rail <> 'agent'))",
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
    def booking_ref(self) -> str:
        """The reference under which the books hold the payment that stands, or stood last."""
        return self.ref + AFTER_ALL if self.paid_after_all else self.ref

    @property
    def money(self) -> Money:
        """What is paid."""
        return Money(self.amount, self.currency)


class ApprovalStep(Labelled):
    """The three signatures of a payment (R23)."""

    CERTIFY = "certify", _l("Certified")
    APPROVE = "approve", _l("Approved")
    APPROVE_AGAIN = "approve_again", _l("Approved a second time")
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
