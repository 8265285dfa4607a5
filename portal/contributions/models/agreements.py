"""Tables of promises: pledges that were announced, and agreements that were signed."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.contributions.models.donors import Donor, Earmark
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.text import new_ref

CURRENCY = "currency ~ '^[A-Z]{3}$'"
DOLLARS = "currency <> 'USD' OR amount = "


class PledgeStatus(Labelled):
    """Where a pledge stands."""

    ANNOUNCED = "announced", _l("Announced"), "wait"
    AGREED = "agreed", _l("Agreement signed"), "good"
    WITHDRAWN = "withdrawn", _l("Withdrawn"), "stop"


class PledgeAction(StrEnum):
    """What moves a pledge. The agreement that is confirmed on it makes it agreed."""

    WITHDRAW = "withdraw"


class Pledge(WithId, Versioned, Base):
    """What a donor said that it would give: a note beside the books, never in them.

    `amount_usd` is the amount at the UN rate of the day of the announcement.
    """

    __tablename__ = "pledge"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    donor: Mapped[Donor] = relationship(lazy="joined")
    donor_id: Mapped[UUID] = mapped_column(ForeignKey("donor.id"), init=False, index=True)
    fund_code: Mapped[str]
    earmark: Mapped[Earmark | None] = relationship(lazy="joined", default=None)
    earmark_id: Mapped[UUID | None] = mapped_column(ForeignKey("earmark.id"), init=False)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    announced_on: Mapped[date]
    status: Mapped[PledgeStatus] = mapped_column(
        enum_column(PledgeStatus), default=PledgeStatus.ANNOUNCED
    )
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    withdrawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        Index("ix_pledge_fund_code_status", "fund_code", "status"),
        CheckConstraint("amount > 0 AND amount_usd > 0", name="amount_positive"),
        CheckConstraint(f"{DOLLARS}amount_usd", name="dollars_are_dollars"),
        CheckConstraint(CURRENCY, name="currency_is_iso"),
        CheckConstraint(
            "(status = 'withdrawn') = (withdrawn_at IS NOT NULL) "
            "AND (withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)",
            name="withdrawn_by_somebody",
        ),
    )

    @property
    def money(self) -> Money:
        """What was promised."""
        return Money(self.amount, self.currency)

    @property
    def dollars(self) -> Money:
        """What was promised, in US$ at the rate of the day of the announcement."""
        return usd(self.amount_usd)

    @property
    def case_id(self) -> None:
        """Pledges belong to no case file."""
        return


class AgreementStatus(Labelled):
    """Where an agreement with a donor stands."""

    DRAFT = "draft", _l("To be confirmed"), "wait"
    IN_FORCE = "in_force", _l("In force"), "good"
    FULFILLED = "fulfilled", _l("Fulfilled"), "good"
    CANCELLED = "cancelled", _l("Cancelled"), "stop"


OPEN_AGREEMENT = AgreementStatus.IN_FORCE
"""The status in which money is owed to the fund."""


class AgreementAction(StrEnum):
    """What moves an agreement: a draft is discarded, one in force is cancelled.

    The last money that is owed fulfils it, whoever records that money.
    """

    CONFIRM = "confirm"
    DISCARD = "discard"
    CANCEL = "cancel"


class ContributionAgreement(WithId, Versioned, Base):
    """What a donor signed. `ref` is what the donor quotes when paying.

    `usd_at_signature` is the amount at the UN rate of the day of the signature, at which the
    agreement is booked once a second person confirms it. `settled` and `cancelled` count, in the
    agreement's currency, what has come in against it and what will not come any more.
    """

    __tablename__ = "contribution_agreement"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    donor: Mapped[Donor] = relationship(lazy="joined")
    donor_id: Mapped[UUID] = mapped_column(ForeignKey("donor.id"), init=False, index=True)
    pledge: Mapped[Pledge | None] = relationship(default=None)
    pledge_id: Mapped[UUID | None] = mapped_column(ForeignKey("pledge.id"), init=False)
    fund_code: Mapped[str]
    earmark: Mapped[Earmark | None] = relationship(lazy="joined", default=None)
    earmark_id: Mapped[UUID | None] = mapped_column(ForeignKey("earmark.id"), init=False)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    usd_at_signature: Mapped[int] = mapped_column(BigInteger)
    signed_on: Mapped[date]
    paper: Mapped[StoredFile | None] = relationship(lazy="joined", default=None)
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), init=False)
    status: Mapped[AgreementStatus] = mapped_column(
        enum_column(AgreementStatus), default=AgreementStatus.DRAFT
    )
    settled: Mapped[int] = mapped_column(BigInteger, default=0)
    cancelled: Mapped[int] = mapped_column(BigInteger, default=0)
    drafted_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    drafted_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    cancelled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    cancelled_at: Mapped[datetime | None] = mapped_column(default=None)
    remark: Mapped[str] = mapped_column(default="")
    instalments: Mapped[list["AgreementInstalment"]] = relationship(
        back_populates="agreement",
        init=False,
        default_factory=list,
        order_by="AgreementInstalment.number",
        cascade="all, delete-orphan",
    )

    __table_args__ = (
        Index("ix_contribution_agreement_fund_code_status", "fund_code", "status"),
        Index(
            "uq_contribution_agreement_live_per_pledge",
            "pledge_id",
            unique=True,
            postgresql_where=text("status <> 'cancelled'"),
        ),
        CheckConstraint("amount > 0 AND usd_at_signature > 0", name="amount_positive"),
        CheckConstraint(f"{DOLLARS}usd_at_signature", name="dollars_are_dollars"),
        CheckConstraint(CURRENCY, name="currency_is_iso"),
        CheckConstraint(
            "settled >= 0 AND cancelled >= 0 AND settled + cancelled <= amount",
            name="never_more_than_agreed",
        ),
        CheckConstraint("confirmed_by_id <> drafted_by_id", name="a_second_person_confirms"),
        CheckConstraint(
            "(confirmed_by_id IS NULL) = (confirmed_at IS NULL) "
            "AND (cancelled_by_id IS NULL) = (cancelled_at IS NULL) "
            "AND (status = 'cancelled') = (cancelled_at IS NOT NULL)",
            name="moved_by_somebody",
        ),
        CheckConstraint(
            "CASE status WHEN 'draft' THEN confirmed_at IS NULL AND settled = 0 AND cancelled = 0 "
            "WHEN 'in_force' THEN confirmed_at IS NOT NULL AND settled < amount AND cancelled = 0 "
            "WHEN 'fulfilled' THEN confirmed_at IS NOT NULL AND settled = amount "
            "ELSE cancelled = CASE WHEN confirmed_at IS NULL THEN 0 ELSE amount - settled END END",
            name="status_follows_the_money",
        ),
        CheckConstraint(
            "confirmed_at IS NULL OR paper_id IS NOT NULL", name="confirmed_on_signed_paper"
        ),
    )

    @property
    def money(self) -> Money:
        """What was agreed."""
        return Money(self.amount, self.currency)

    @property
    def open_money(self) -> Money:
        """What is still to come; nothing before the agreement is in force, nor after its end."""
        if self.status is not AgreementStatus.IN_FORCE:
            return Money.zero(self.currency)
        return Money(self.amount - self.settled - self.cancelled, self.currency)

    @property
    def dollars(self) -> Money:
        """What was agreed, in US$ at the rate of the day of the signature."""
        return usd(self.usd_at_signature)

    @property
    def case_id(self) -> None:
        """Agreements with donors belong to no case file."""
        return


class AgreementInstalment(WithId, Base):
    """One part of what was agreed, with the day by which it is due. The parts sum to the whole."""

    __tablename__ = "agreement_instalment"

    agreement: Mapped[ContributionAgreement] = relationship(back_populates="instalments")
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("contribution_agreement.id"), init=False)
    number: Mapped[int]
    due_on: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint("agreement_id", "number"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    @property
    def money(self) -> Money:
        """What is due, in the currency of the agreement."""
        return Money(self.amount, self.agreement.currency)
