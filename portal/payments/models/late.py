"""Payments by card that came back after something rested on them: the money waits in suspense."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Versioned, WithId
from portal.core.money import Money, usd
from portal.payments.models.orders import PaymentOrder


class LateReturn(WithId, Versioned, Base):
    """What the card processor gave back of a payment that stays paid. All in US cents.

    `transaction_id` is the line of our account there. `refunded_usd` of it was said to be what the
    grantee owes back, by `by_id` with a `reason`; the rest lies in suspense.
    """

    __tablename__ = "late_return"

    order: Mapped[PaymentOrder] = relationship()
    order_id: Mapped[UUID] = mapped_column(ForeignKey("payment_order.id"), init=False, unique=True)
    transaction_id: Mapped[str] = mapped_column(unique=True)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    came_on: Mapped[date]
    refunded_usd: Mapped[int] = mapped_column(BigInteger, default=0)
    reason: Mapped[str] = mapped_column(default="")
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    told_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("refunded_usd BETWEEN 0 AND amount_usd", name="refunded_of_it"),
        CheckConstraint(
            "(refunded_usd > 0) = (by_id IS NOT NULL) AND (refunded_usd > 0) = (reason <> '')",
            name="refunded_by_somebody",
        ),
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
        return usd(self.amount_usd - self.refunded_usd)
