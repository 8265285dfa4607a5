"""The table of what a first person said of a line, and waits for a second one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, WithId
from portal.core.money import Money
from portal.payments.models import PaymentOrder
from portal.payments.statements.models.lines import StatementLine


class ReturnProposal(WithId, Base):
    """Somebody said that a credit which names no payment is one that came back: another confirms.

    `amount` is as much of the line as it is. It stands as it was said until it is withdrawn, and
    books nothing.
    """

    __tablename__ = "return_proposal"

    line: Mapped[StatementLine] = relationship()
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_line.id"), init=False)
    order: Mapped[PaymentOrder] = relationship()
    order_id: Mapped[UUID] = mapped_column(ForeignKey("payment_order.id"), init=False)
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    withdrawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    withdrawn_reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        Index(
            "uq_return_proposal_line_id_order_id_amount_by_id",
            *("line_id", "order_id", "amount", "by_id"),
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL) "
            "AND (withdrawn_at IS NULL) = (withdrawn_reason = '')",
            name="withdrawn_by_somebody",
        ),
    )

    @property
    def money(self) -> Money:
        """As much as came back."""
        return Money(self.amount, self.line.currency)
