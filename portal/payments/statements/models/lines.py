"""Tables of the lines of statements, and of what each was booked as."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.payments.models import PaymentOrder, Receivable
from portal.payments.statements.models.files import Statement


class LineStatus(Labelled):
    """Where a line of a statement stands."""

    WAITING = "waiting", _l("To be booked"), "wait"
    BOOKED = "booked", _l("Booked"), "good"
    SUSPENSE = "suspense", _l("In suspense"), "stop"


class Purpose(Labelled):
    """What a line is, or a part of it."""

    PAYMENT = "payment", _l("Payment to a grantee")
    RETURN = "return", _l("Payment that came back")
    CONTRIBUTION = "contribution", _l("Contribution of a donor")
    DONOR_REFUND = "donor_refund", _l("Contribution sent back to its donor")
    REFUND = "refund", _l("Refund from a grantee")
    RECOVERY = "recovery", _l("Refund that had been written off")
    CARD_PAYOUT = "card_payout", _l("Payout of the card processor")
    CARD_PAYOUT_BACK = "card_payout_back", _l("Payout of the card processor taken back")
    TRANSFER = "transfer", _l("Card gifts sent on between funds")
    BANK_CHARGE = "bank_charge", _l("Bank charge")
    SUPPORT_COSTS = "support_costs", _l("Support costs paid over")
    AGENT = "agent", _l("Reimbursement of a paying agent")
    SEND_BACK = "send_back", _l("To go back where it came from")
    SENT_BACK = "sent_back", _l("Gone back where it came from")


class StatementLine(WithId, Versioned, Base):
    """One movement of the account: an entry of the statement, or one transaction of an entry.

    `reference` is the bank's own for the entry, `part` the place of the transaction in it. Who the
    other side is and what they wrote is sealed (`particulars`); `named` are the references found in
    it. `amount_usd` is the amount at the UN rate of the day, of the row `rate_id`. `purpose` and
    what it leads to is what was found by machine; allocations tell what was booked.
    """

    __tablename__ = "statement_line"

    statement: Mapped[Statement] = relationship(lazy="joined")
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("statement.id"), init=False)
    bank_account_id: Mapped[UUID] = mapped_column(ForeignKey("bank_account.id"))
    number: Mapped[int]
    reference: Mapped[str]
    part: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    rate_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_rate.id"))
    booked_on: Mapped[date]
    value_on: Mapped[date | None]
    end_to_end_id: Mapped[str]
    batch_id: Mapped[str]
    bank_code: Mapped[str]
    is_return: Mapped[bool]
    return_code: Mapped[str]
    named: Mapped[list[str]] = mapped_column(ARRAY(String))
    particulars: Mapped[bytes]
    status: Mapped[LineStatus] = mapped_column(enum_column(LineStatus), default=LineStatus.WAITING)
    purpose: Mapped[Purpose | None] = mapped_column(enum_column(Purpose), default=None)
    order: Mapped[PaymentOrder | None] = relationship(init=False)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_order.id"), default=None)
    receivable: Mapped[Receivable | None] = relationship(init=False)
    receivable_id: Mapped[UUID | None] = mapped_column(ForeignKey("receivable.id"), default=None)
    target_ref: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    allocations: Mapped[list["Allocation"]] = relationship(
        back_populates="line",
        foreign_keys="Allocation.line_id",
        init=False,
        default_factory=list,
        order_by="Allocation.number",
    )

    __table_args__ = (
        UniqueConstraint("bank_account_id", "reference", "part"),
        UniqueConstraint("statement_id", "number"),
        Index(
            "ix_statement_line_open",
            "status",
            "bank_account_id",
            postgresql_where=text("status <> 'booked'"),
        ),
        Index(
            "ix_statement_line_end_to_end_id",
            "end_to_end_id",
            postgresql_where=text("end_to_end_id <> ''"),
        ),
        Index("ix_statement_line_order_id", "order_id"),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        CheckConstraint("sign(amount_usd) IN (0, sign(amount))", name="same_side_in_dollars"),
        CheckConstraint("currency <> 'USD' OR amount_usd = amount", name="dollars_are_dollars"),
        CheckConstraint("reference <> ''", name="has_a_reference"),
        CheckConstraint("number > 0 AND part >= 0", name="counted_from_one"),
    )

    @property
    def case_id(self) -> None:
        """Lines belong to no case file; what they lead to does."""
        return

    @property
    def money(self) -> Money:
        """The amount: a credit is positive, a debit below zero."""
        return Money(self.amount, self.currency)

    @property
    def dollars(self) -> Money:
        """The amount in US$ at the rate of its day."""
        return usd(self.amount_usd)

    @property
    def is_credit(self) -> bool:
        """Whether money came in."""
        return self.amount > 0

    @property
    def booking_ref(self) -> str:
        """The reference under which the line stands in the suspense account."""
        return f"line:{self.id}"

    @property
    def live(self) -> list["Allocation"]:
        """What stands of what was booked, in its order."""
        return [each for each in self.allocations if each.undone_at is None]

    @property
    def covering(self) -> list["Allocation"]:
        """What stands and takes its part of the amount; a decision to send back takes none."""
        return [each for each in self.live if each.purpose is not Purpose.SEND_BACK]

    @property
    def waits_to_go_back(self) -> bool:
        """Whether somebody said that it goes back, and the bank did not show yet that all went."""
        said = any(each.purpose is Purpose.SEND_BACK for each in self.live)
        return said and self.left.minor != 0

    @property
    def gone_back(self) -> bool:
        """Whether the opposite line showed that it went back where it came from."""
        return any(each.purpose is Purpose.SENT_BACK for each in self.live)

    @property
    def left(self) -> Money:
        """What of the amount nobody has said yet what it is; signed as the amount."""
        return Money(self.amount - sum(each.amount for each in self.covering), self.currency)


class Allocation(WithId, Base):
    """What a line, or a part of it, was booked as: by machine (`by_id` none) or by a person.

    `amount` is signed as the line's. `booking_ref` names the booking in the ledger, and is empty
    where there is none; of several lines that are a payment together, the second and later have its
    name with their number. It is undone once, with a reason, and never removed.
    """

    __tablename__ = "statement_allocation"

    line: Mapped[StatementLine] = relationship(
        back_populates="allocations", foreign_keys="Allocation.line_id"
    )
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_line.id"), init=False)
    number: Mapped[int]
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose))
    amount: Mapped[int] = mapped_column(BigInteger)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    booking_ref: Mapped[str]
    from_suspense: Mapped[bool]
    reason: Mapped[str]
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    order: Mapped[PaymentOrder | None] = relationship(default=None)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_order.id"), init=False)
    receivable: Mapped[Receivable | None] = relationship(default=None)
    receivable_id: Mapped[UUID | None] = mapped_column(ForeignKey("receivable.id"), init=False)
    target_ref: Mapped[str] = mapped_column(default="")
    counterpart: Mapped[StatementLine | None] = relationship(
        foreign_keys="Allocation.counterpart_id", default=None
    )
    counterpart_id: Mapped[UUID | None] = mapped_column(ForeignKey("statement_line.id"), init=False)
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    undone_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("line_id", "number"),
        Index(
            "uq_statement_allocation_order_paid_once",
            "order_id",
            "booking_ref",
            unique=True,
            postgresql_where=text("purpose = 'payment' AND undone_at IS NULL"),
        ),
        Index(
            "uq_statement_allocation_order_returned_once",
            "order_id",
            "booking_ref",
            unique=True,
            postgresql_where=text("purpose = 'return' AND undone_at IS NULL"),
        ),
        Index("ix_statement_allocation_receivable_id", "receivable_id"),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        CheckConstraint(
            "(purpose IN ('payment', 'return')) = (order_id IS NOT NULL)", name="orders_are_paid"
        ),
        CheckConstraint(
            "(purpose IN ('refund', 'recovery')) = (receivable_id IS NOT NULL)",
            name="receivables_are_refunded",
        ),
        CheckConstraint(
            "(purpose = 'sent_back') = (counterpart_id IS NOT NULL)", name="sent_back_is_a_pair"
        ),
        CheckConstraint(
            "purpose NOT IN ('contribution', 'donor_refund') OR target_ref <> ''",
            name="contributions_are_named",
        ),
        CheckConstraint("by_id IS NULL OR reason <> ''", name="people_give_a_reason"),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_by_id IS NULL) "
            "AND (undone_at IS NULL) = (undone_reason = '')",
            name="undone_by_somebody",
        ),
    )

    @property
    def money(self) -> Money:
        """The part of the line's amount, signed as it."""
        return Money(self.amount, self.line.currency)
