"""Payments by card that came back once something rests on them, and what people said they are."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.payments.models.orders import PaymentOrder


class LateReturn(WithId, Versioned, Base):
    """What the card processor gave back of a payment that stays paid. All in US cents.

    `transaction_id` is the line of our account there, `reason` what the processor said of it.
    `settled_usd` is how much of it people said what it is; the rest lies in suspense.
    """

    __tablename__ = "late_return"

    order: Mapped[PaymentOrder] = relationship()
    order_id: Mapped[UUID] = mapped_column(ForeignKey("payment_order.id"), init=False, unique=True)
    transaction_id: Mapped[str] = mapped_column(unique=True)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    came_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    settled_usd: Mapped[int] = mapped_column(BigInteger, default=0)
    told_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    outcomes: Mapped[list["LateOutcome"]] = relationship(
        back_populates="late", init=False, default_factory=list, order_by="LateOutcome.number"
    )

    __table_args__ = (
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("settled_usd BETWEEN 0 AND amount_usd", name="settled_of_it"),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.order.case_id

    @property
    def booking_ref(self) -> str:
        """The reference under which it lies in the suspense account."""
        return f"late:{self.order.ref}"

    @property
    def left(self) -> Money:
        """What waits in suspense, in US$."""
        return usd(self.amount_usd - self.settled_usd)

    @property
    def open_outcome(self) -> "LateOutcome | None":
        """What somebody said and somebody else has still to do; at most one."""
        return next((each for each in self.outcomes if each.is_open), None)


class LateWay(Labelled):
    """What a late return can be."""

    REFUND = "refund", _l("The refund that the grantee owes")
    AGAIN = "again", _l("Not received: the payment is made anew")
    KEPT = "kept", _l("To stay with the fund: the grant costs less")


class LateOutcome(WithId, Base):
    """What somebody said that a late return is, or `amount_usd` of it, with a reason.

    A refund is booked at once, under `booking_ref`; what stays with the fund, or is made anew, once
    a second person confirms it. A payment made anew is owed to the grantee, who then owes nothing
    of it: `netted_usd` of a debt falls away. It is undone once, with a reason, and never removed.
    """

    __tablename__ = "late_outcome"

    late: Mapped[LateReturn] = relationship(back_populates="outcomes")
    late_id: Mapped[UUID] = mapped_column(ForeignKey("late_return.id"), init=False)
    number: Mapped[int]
    way: Mapped[LateWay] = mapped_column(enum_column(LateWay))
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    booking_ref: Mapped[str] = mapped_column(default="")
    netted_usd: Mapped[int] = mapped_column(BigInteger, default=0)
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("late_id", "number"),
        Index(
            "uq_late_outcome_open",
            "late_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL AND booking_ref = ''"),
        ),
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint(
            "(booking_ref <> '') = (way = 'refund' OR confirmed_at IS NOT NULL)",
            name="booked_by_its_way",
        ),
        CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by_id IS NULL) "
            "AND (confirmed_at IS NULL OR way <> 'refund') AND confirmed_by_id <> by_id",
            name="confirmed_by_another",
        ),
        CheckConstraint(
            "netted_usd BETWEEN 0 AND amount_usd "
            "AND (netted_usd = 0 OR way = 'again' AND booking_ref <> '')",
            name="netted_by_what_is_made_anew",
        ),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_by_id IS NULL) "
            "AND (undone_at IS NULL) = (undone_reason = '')",
            name="undone_by_somebody",
        ),
    )

    @property
    def money(self) -> Money:
        """How much of the late return it is about, in US$."""
        return usd(self.amount_usd)

    @property
    def refund(self) -> Money:
        """How much of a debt of the grantee it settled, in US$."""
        return usd(self.netted_usd) if self.way is LateWay.AGAIN else self.money

    @property
    def can_be_taken_back(self) -> bool:
        """Whether it stands, and is no payment that counts as come back."""
        return self.undone_at is None and (self.is_open or self.way is not LateWay.AGAIN)

    @property
    def is_open(self) -> bool:
        """Whether it was said, and nothing is booked by it."""
        return self.undone_at is None and not self.booking_ref
