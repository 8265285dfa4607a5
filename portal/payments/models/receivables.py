"""What grantees owe back (R25)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.awards.models import Award
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money


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
