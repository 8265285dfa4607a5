"""Proposals to write off what a grantee owes, and their two approvals."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.payments.models import Receivable


class WriteOffStatus(Labelled):
    """Where a proposal to write off stands."""

    PROPOSED = "proposed", _l("To be approved"), "wait"
    APPROVED_ONCE = "approved_once", _l("To be approved by the approving authority"), "wait"
    APPROVED = "approved", _l("Written off"), "good"
    REJECTED = "rejected", _l("Not approved"), "stop"
    WITHDRAWN = "withdrawn", _l("Withdrawn"), "neutral"


OPEN_WRITE_OFF = (WriteOffStatus.PROPOSED, WriteOffStatus.APPROVED_ONCE)
"""Where a proposal waits for somebody."""


class WriteOffAction(StrEnum):
    """What moves a proposal."""

    APPROVE = "approve"
    AUTHORISE = "authorise"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class WriteOff(WithId, Versioned, Base):
    """A proposal to write off what is left of a receivable, in US cents, with its reason.

    Three different people propose, approve and authorise; triggers hold that too, and that none
    of them works for the grantee or is recused. A proposal that was not approved stays on record.
    """

    __tablename__ = "write_off"

    receivable: Mapped[Receivable] = relationship(lazy="joined")
    receivable_id: Mapped[UUID] = mapped_column(ForeignKey("receivable.id"), init=False, index=True)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    status: Mapped[WriteOffStatus] = mapped_column(
        enum_column(WriteOffStatus), default=WriteOffStatus.PROPOSED
    )
    proposed_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    approved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)
    authorised_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    authorised_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        Index(
            "uq_write_off_open_per_receivable",
            "receivable_id",
            unique=True,
            postgresql_where=text("status IN ('proposed', 'approved_once')"),
        ),
        CheckConstraint("amount_usd > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint(
            "approved_by_id <> proposed_by_id AND authorised_by_id <> proposed_by_id "
            "AND authorised_by_id <> approved_by_id",
            name="three_people",
        ),
        CheckConstraint(
            "(approved_by_id IS NULL) = (approved_at IS NULL) "
            "AND (authorised_by_id IS NULL) = (authorised_at IS NULL) "
            "AND (ended_by_id IS NULL) = (ended_at IS NULL)",
            name="by_somebody_at_some_time",
        ),
        CheckConstraint(
            "CASE status WHEN 'proposed' THEN approved_at IS NULL AND authorised_at IS NULL "
            "WHEN 'approved_once' THEN approved_at IS NOT NULL AND authorised_at IS NULL "
            "WHEN 'approved' THEN approved_at IS NOT NULL AND authorised_at IS NOT NULL "
            "ELSE authorised_at IS NULL END",
            name="status_is_its_signatures",
        ),
        CheckConstraint(
            "(status IN ('rejected', 'withdrawn')) = (ended_at IS NOT NULL) "
            "AND (status = 'rejected') = (remark <> '')",
            name="ended_with_a_reason",
        ),
    )

    @property
    def case_id(self) -> UUID:
        """The application's case file."""
        return self.receivable.case_id

    @property
    def money(self) -> Money:
        """What would not come any more."""
        return usd(self.amount_usd)
