"""Tables of money that arrived: contributions, what went back, what is in dispute, receipts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.contributions.models.agreements import CURRENCY, DOLLARS, ContributionAgreement
from portal.contributions.models.donors import Donor, Earmark
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.text import new_ref

REF = "source_ref ~ '^[A-Za-z0-9._:/-]{1,200}$'"


class Means(Labelled):
    """How money arrived."""

    WIRE = "wire", _l("Bank transfer")
    CARD = "card", _l("Card")


class ContributionStatus(Labelled):
    """What became of money that arrived. It follows from refunds and disputes; triggers hold it."""

    RECEIVED = "received", _l("Received"), "good"
    PARTLY_REFUNDED = "partly_refunded", _l("Refunded in part"), "wait"
    REFUNDED = "refunded", _l("Refunded"), "stop"
    DISPUTED = "disputed", _l("In dispute"), "wait"
    LOST = "lost", _l("Dispute lost"), "stop"
    ANNULLED = "annulled", _l("Entered by mistake"), "stop"


class Contribution(WithId, Versioned, Base):
    """Money that arrived from a donor, booked under `source_ref`, once.

    `settles` is how much of the agreement, in its currency, the money settles. The receipt number
    runs through each fund and year (of `received_on`) without a gap. `edition` counts what
    happened to the money: each edition has a receipt of its own, the latest holds.
    """

    __tablename__ = "contribution"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    donor: Mapped[Donor] = relationship(lazy="joined")
    donor_id: Mapped[UUID] = mapped_column(ForeignKey("donor.id"), init=False, index=True)
    agreement: Mapped[ContributionAgreement | None] = relationship(default=None)
    agreement_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("contribution_agreement.id"), init=False, index=True
    )
    settles: Mapped[int | None] = mapped_column(BigInteger, default=None)
    earmark: Mapped[Earmark | None] = relationship(lazy="joined", default=None)
    earmark_id: Mapped[UUID | None] = mapped_column(ForeignKey("earmark.id"), init=False)
    fund_code: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    means: Mapped[Means] = mapped_column(enum_column(Means))
    source_ref: Mapped[str] = mapped_column(unique=True)
    received_on: Mapped[date]
    receipt_year: Mapped[int]
    receipt_number: Mapped[int]
    status: Mapped[ContributionStatus] = mapped_column(
        enum_column(ContributionStatus), default=ContributionStatus.RECEIVED
    )
    edition: Mapped[int] = mapped_column(default=1)
    recorded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    refunds: Mapped[list["ContributionRefund"]] = relationship(
        back_populates="contribution",
        init=False,
        default_factory=list,
        order_by="ContributionRefund.recorded_at",
        lazy="selectin",
    )
    disputes: Mapped[list["ContributionDispute"]] = relationship(
        back_populates="contribution",
        init=False,
        default_factory=list,
        order_by="ContributionDispute.recorded_at",
        lazy="selectin",
    )

    __table_args__ = (
        UniqueConstraint("fund_code", "receipt_year", "receipt_number"),
        Index("ix_contribution_fund_code_received_on", "fund_code", "received_on"),
        CheckConstraint("amount > 0 AND amount_usd > 0", name="amount_positive"),
        CheckConstraint(f"{DOLLARS}amount_usd", name="dollars_are_dollars"),
        CheckConstraint(CURRENCY, name="currency_is_iso"),
        CheckConstraint(REF, name="source_ref_is_a_code"),
        CheckConstraint(
            "(agreement_id IS NULL) = (settles IS NULL) AND (settles IS NULL OR settles > 0)",
            name="settles_an_agreement",
        ),
        CheckConstraint(
            "receipt_number > 0 AND receipt_year = extract(year FROM received_on)",
            name="receipt_of_its_year",
        ),
        CheckConstraint("edition > 0", name="edition_positive"),
    )

    @property
    def money(self) -> Money:
        """What arrived."""
        return Money(self.amount, self.currency)

    @property
    def dollars(self) -> Money:
        """What arrived, in US$ at the rate of that day."""
        return usd(self.amount_usd)

    @property
    def settled(self) -> Money | None:
        """What it settles of its agreement, in that one's currency."""
        if self.agreement is None or self.settles is None:
            return None
        return Money(self.settles, self.agreement.currency)

    @property
    def refunded(self) -> Money:
        """What was given back of it."""
        return Money(sum(each.amount for each in self.gone), self.currency)

    @property
    def gone(self) -> list["ContributionRefund"]:
        """The refunds that stand: those that reached the donor."""
        return [each for each in self.refunds if each.taken_back_on is None]

    @property
    def disputed(self) -> Money:
        """What the donor's bank has taken back, in disputes that are open or lost."""
        taken = (each for each in self.disputes if each.status is not DisputeStatus.WON)
        return Money(sum(each.amount for each in taken), self.currency)

    @property
    def lost(self) -> Money:
        """What the donor's bank has taken back for good, in disputes that are lost."""
        taken = (each for each in self.disputes if each.status is DisputeStatus.LOST)
        return Money(sum(each.amount for each in taken), self.currency)

    @property
    def won_on(self) -> date | None:
        """The day on which the donor's bank last gave back what it had taken in a dispute."""
        won = (e.ended_on for e in self.disputes if e.status is DisputeStatus.WON and e.ended_on)
        return max(won, default=None)

    @property
    def kept(self) -> Money:
        """What is left with the fund: neither refunded nor taken back."""
        return self.money - self.refunded - self.disputed

    @property
    def kept_dollars(self) -> Money:
        """What is left with the fund, in US$ at the rate of the day on which it arrived."""
        back = sum(each.amount_usd for each in self.gone)
        taken = (each for each in self.disputes if each.status is not DisputeStatus.WON)
        return self.dollars - usd(back + sum(each.amount_usd for each in taken))

    @property
    def receipt_no(self) -> str:
        """The number of the receipt, such as `ACT-2026-0042`."""
        return f"{self.fund_code.upper()}-{self.receipt_year}-{self.receipt_number:04d}"

    @property
    def case_id(self) -> None:
        """Contributions belong to no case file."""
        return


class ContributionRefund(WithId, Base):
    """Money of a contribution that was given back to the donor.

    One that `annuls` is no payment: all of the contribution was entered by mistake, its booking is
    reversed, and what it settled of an agreement is open again. One that did not reach the donor
    was `taken_back_on` a day: its booking is reversed, and the money is the fund's as before.
    """

    __tablename__ = "contribution_refund"

    contribution: Mapped[Contribution] = relationship(back_populates="refunds")
    contribution_id: Mapped[UUID] = mapped_column(
        ForeignKey("contribution.id"), init=False, index=True
    )
    amount: Mapped[int] = mapped_column(BigInteger)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    refunded_on: Mapped[date]
    source_ref: Mapped[str] = mapped_column(unique=True)
    recorded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    reason: Mapped[str] = mapped_column(default="")
    annuls: Mapped[bool] = mapped_column(default=False)
    taken_back_on: Mapped[date | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("amount > 0 AND amount_usd > 0", name="amount_positive"),
        CheckConstraint(REF, name="source_ref_is_a_code"),
        CheckConstraint("NOT annuls OR reason <> ''", name="annuls_for_a_reason"),
        CheckConstraint("NOT annuls OR taken_back_on IS NULL", name="only_payments_come_back"),
    )

    @property
    def money(self) -> Money:
        """What went back, in the currency of the contribution."""
        return Money(self.amount, self.contribution.currency)


class DisputeStatus(Labelled):
    """Where a dispute stands."""

    OPEN = "open", _l("Open"), "wait"
    WON = "won", _l("Won: the money is back"), "good"
    LOST = "lost", _l("Lost: the money is gone"), "stop"


class ContributionDispute(WithId, Base):
    """A donor's bank took card money back and asks for proof; it decides who keeps the money.

    `answer_by` is the moment until which the card processor takes the proof; None once it has it,
    and where it has not said.
    """

    __tablename__ = "contribution_dispute"

    contribution: Mapped[Contribution] = relationship(back_populates="disputes")
    contribution_id: Mapped[UUID] = mapped_column(
        ForeignKey("contribution.id"), init=False, index=True
    )
    amount: Mapped[int] = mapped_column(BigInteger)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    disputed_on: Mapped[date]
    source_ref: Mapped[str] = mapped_column(unique=True)
    status: Mapped[DisputeStatus] = mapped_column(
        enum_column(DisputeStatus), default=DisputeStatus.OPEN
    )
    recorded_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    answer_by: Mapped[datetime | None] = mapped_column(default=None)
    ended_on: Mapped[date | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("amount > 0 AND amount_usd > 0", name="amount_positive"),
        CheckConstraint(REF, name="source_ref_is_a_code"),
        CheckConstraint("(status = 'open') = (ended_on IS NULL)", name="ended_on_a_day"),
        Index(
            "uq_contribution_dispute_open",
            "contribution_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
    )

    @property
    def money(self) -> Money:
        """What is in dispute, in the currency of the contribution."""
        return Money(self.amount, self.contribution.currency)


class ContributionReceipt(WithId, Base):
    """The receipt of one edition of a contribution, as the donor was sent it."""

    __tablename__ = "contribution_receipt"

    contribution: Mapped[Contribution] = relationship()
    contribution_id: Mapped[UUID] = mapped_column(ForeignKey("contribution.id"), init=False)
    edition: Mapped[int]
    document: Mapped[StoredFile] = relationship(lazy="joined")
    document_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), init=False)
    issued_at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (UniqueConstraint("contribution_id", "edition"),)
