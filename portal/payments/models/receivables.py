"""What grantees owe back (R25)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.awards.models import Award
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd


class ReceivableStatus(Labelled):
    """Where money that a grantee owes back stands (R25)."""

    OPEN = "open", _l("To be paid back"), "wait"
    PARTLY_PAID = "partly_paid", _l("Paid back in part"), "wait"
    SETTLED = "settled", _l("Paid back"), "good"
    WRITTEN_OFF = "written_off", _l("Written off"), "neutral"


OWED = (ReceivableStatus.OPEN, ReceivableStatus.PARTLY_PAID)
"""Where something has still to come back."""


class Receivable(WithId, Versioned, Base):
    """Unspent or ineligible money that comes back, with a due date (R25). All in US cents.

    `paid_usd` has come back, `written_off_usd` will not come any more: that takes two approvals
    of its own, and removes nothing.
    """

    __tablename__ = "receivable"

    award: Mapped[Award] = relationship(lazy="joined")
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), init=False, unique=True)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date]
    status: Mapped[ReceivableStatus] = mapped_column(
        enum_column(ReceivableStatus), default=ReceivableStatus.OPEN
    )
    paid_usd: Mapped[int] = mapped_column(BigInteger, default=0)
    written_off_usd: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    settled_on: Mapped[date | None] = mapped_column(default=None)
    settled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    bank_reference: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("(status = 'settled') = (settled_on IS NOT NULL)", name="settled_has_day"),
        CheckConstraint(
            "status NOT IN ('settled', 'partly_paid') OR bank_reference <> ''",
            name="paid_has_a_reference",
        ),
        CheckConstraint(
            "CASE status WHEN 'open' THEN paid_usd = 0 AND written_off_usd = 0 "
            "WHEN 'partly_paid' THEN paid_usd BETWEEN 1 AND amount_usd - 1 "
            "AND written_off_usd = 0 "
            "WHEN 'settled' THEN paid_usd = amount_usd AND written_off_usd = 0 "
            "ELSE paid_usd >= 0 AND written_off_usd > 0 "
            "AND paid_usd + written_off_usd = amount_usd END",
            name="status_is_its_sums",
        ),
    )

    @property
    def money(self) -> Money:
        """What was to come back at first, in US$."""
        return Money(self.amount_usd, "USD")

    @property
    def left_usd(self) -> int:
        """What has still to come back, in US cents."""
        return self.amount_usd - self.paid_usd - self.written_off_usd

    @property
    def left(self) -> Money:
        """What has still to come back, in US$."""
        return usd(self.left_usd)

    @property
    def is_owed(self) -> bool:
        """Whether something has still to come back."""
        return self.status in OWED

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.award.application_id
