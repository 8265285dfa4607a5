"""Tables of giving by card: gifts, refunds that finance asked for, movements, payouts.

A gift holds a name and an address only until it is a contribution, or will never be one. A
movement is one line of the card processor's account; each belongs to a gift and is booked once.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.contributions.models.agreements import CURRENCY
from portal.contributions.models.money import Contribution, ContributionStatus
from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.money import Money
from portal.core.stripe.models import StripeCall
from portal.core.text import new_ref


class GiftStatus(Labelled):
    """Where a gift by card stands."""

    BEGUN = "begun", _l("Not paid yet"), "wait"
    PENDING = "pending", _l("On its way through the bank"), "wait"
    PAID = "paid", _l("Received"), "good"
    FAILED = "failed", _l("Not paid"), "stop"
    EXPIRED = "expired", _l("Given up"), "neutral"


OPEN_GIFT = (GiftStatus.BEGUN, GiftStatus.PENDING)

Standing = GiftStatus | ContributionStatus
"""Where a gift stands; once it was paid, what became of the money."""

STANDINGS: Mapping[str, Standing] = {
    each.value: each
    for each in (
        *OPEN_GIFT,
        ContributionStatus.RECEIVED,
        ContributionStatus.PARTLY_REFUNDED,
        ContributionStatus.REFUNDED,
        ContributionStatus.DISPUTED,
        ContributionStatus.LOST,
        GiftStatus.FAILED,
        GiftStatus.EXPIRED,
    )
}
"""By their names."""


class CardGift(WithId, Versioned, Base):
    """What somebody wants to give to a fund by card, `amount` in minor units of `currency`.

    `ref` goes to the card processor and comes back with everything that it tells of the gift.
    Name and address leave the row when it is a contribution (its donor has them), or has ended.
    """

    __tablename__ = "card_gift"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    fund_code: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    unnamed: Mapped[bool]
    language: Mapped[str]
    call: Mapped[StripeCall | None] = relationship(default=None)
    call_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("stripe_call.id"), init=False, unique=True
    )
    status: Mapped[GiftStatus] = mapped_column(enum_column(GiftStatus), default=GiftStatus.BEGUN)
    begun_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    looked_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    session_id: Mapped[str | None] = mapped_column(default=None, unique=True)
    payment_intent_id: Mapped[str | None] = mapped_column(default=None, unique=True)
    charge_id: Mapped[str | None] = mapped_column(default=None, unique=True)
    contribution: Mapped[Contribution | None] = relationship(default=None)
    contribution_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("contribution.id"), init=False, unique=True
    )
    reason: Mapped[str] = mapped_column(default="")
    refunds: Mapped[list["CardRefund"]] = relationship(
        back_populates="gift", init=False, default_factory=list, order_by="CardRefund.asked_at"
    )
    movements: Mapped[list["CardMovement"]] = relationship(
        back_populates="gift", init=False, default_factory=list, order_by="CardMovement.booked_at"
    )

    __table_args__ = (
        Index("ix_card_gift_status_looked_at", "status", "looked_at"),
        Index("ix_card_gift_fund_code_begun_at", "fund_code", "begun_at"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(CURRENCY, name="currency_is_iso"),
        CheckConstraint(
            "(status = 'paid') = (contribution_id IS NOT NULL) "
            "AND (contribution_id IS NULL OR charge_id IS NOT NULL)",
            name="paid_is_a_contribution",
        ),
        CheckConstraint(
            "(status IN ('begun', 'pending')) = (ended_at IS NULL)", name="ended_when_over"
        ),
        CheckConstraint(
            "ended_at IS NULL OR (name = '' AND email = '')", name="nobody_once_it_is_over"
        ),
    )

    @property
    def case_id(self) -> None:
        """Gifts belong to no case file."""
        return

    @property
    def money(self) -> Money:
        """What is given."""
        return Money(self.amount, self.currency)

    @property
    def standing(self) -> Standing:
        """Where it stands: once it was paid, what became of the money."""
        return self.contribution.status if self.contribution else self.status

    @property
    def is_open(self) -> bool:
        """Whether it may still be paid."""
        return self.status in OPEN_GIFT


class RefundStatus(Labelled):
    """Where a refund by card stands."""

    PROPOSED = "proposed", _l("Waits for a second person"), "wait"
    ASKED = "asked", _l("With the card processor"), "wait"
    DONE = "done", _l("Refunded"), "good"
    FAILED = "failed", _l("Not refunded"), "stop"
    WITHDRAWN = "withdrawn", _l("Withdrawn"), "neutral"


class RefundAction(StrEnum):
    """What people do with a refund that somebody asked for. The rest the card processor tells."""

    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    NOTE = "note"


class CardRefund(WithId, Versioned, Base):
    """A refund of a gift, in its currency: asked for here with a reason, or made at the processor.

    It is sent once a second person has confirmed it. `asked_by_id` is None for one that was made
    at the processor's own pages. `closed_by_id` withdrew it, or saw to it after it had failed.
    """

    __tablename__ = "card_refund"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    gift: Mapped[CardGift] = relationship(back_populates="refunds")
    gift_id: Mapped[UUID] = mapped_column(ForeignKey("card_gift.id"), init=False, index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    status: Mapped[RefundStatus] = mapped_column(
        enum_column(RefundStatus), default=RefundStatus.ASKED
    )
    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    asked_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    call: Mapped[StripeCall | None] = relationship(default=None)
    call_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("stripe_call.id"), init=False, unique=True
    )
    refund_id: Mapped[str | None] = mapped_column(default=None, unique=True)
    remark: Mapped[str] = mapped_column(default="")
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint("status <> 'done' OR refund_id IS NOT NULL", name="done_is_known_there"),
        CheckConstraint("status <> 'failed' OR remark <> ''", name="failed_has_a_remark"),
        CheckConstraint(
            "asked_by_id IS NULL OR status IN ('proposed', 'withdrawn') OR call_id IS NOT NULL",
            name="asked_by_a_call",
        ),
        CheckConstraint("confirmed_by_id <> asked_by_id", name="two_people"),
        CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by_id IS NULL)", name="confirmed_by_somebody"
        ),
        CheckConstraint(
            "(closed_at IS NULL) = (closed_by_id IS NULL) "
            "AND (status <> 'withdrawn' OR closed_at IS NOT NULL) "
            "AND (closed_at IS NULL OR status IN ('withdrawn', 'failed'))",
            name="closed_by_somebody",
        ),
    )

    @property
    def case_id(self) -> None:
        """Refunds of gifts belong to no case file."""
        return

    @property
    def money(self) -> Money:
        """What goes back, in the currency of the gift."""
        return Money(self.amount, self.gift.currency)


class PayoutStatus(Labelled):
    """Where a payout of the card processor to our bank stands."""

    PAID = "paid", _l("On its way to the bank"), "wait"
    ARRIVED = "arrived", _l("Arrived at the bank"), "good"
    FAILED = "failed", _l("Not accepted by the bank"), "stop"
    RETURNING = "returning", _l("Failed after arriving: the bank will debit it"), "wait"
    TAKEN_BACK = "taken_back", _l("Debited by the bank: it failed after arriving"), "stop"


CAME_TO_NOTHING = (PayoutStatus.FAILED, PayoutStatus.TAKEN_BACK)
"""Payouts whose money lies with the processor again: a later one may pay their movements over."""


class CardPayout(WithId, Versioned, Base):
    """What the card processor paid over to our bank in one sum, minor units of `currency`.

    `trace` is the number under which banks find it. It has arrived once a line of a statement,
    `arrival_ref`, brought it in; one that failed after that is taken back by the line `back_ref`.
    What came to nothing may be paid over once more, by the payout `again_by`.
    """

    __tablename__ = "card_payout"

    payout_id: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    status: Mapped[PayoutStatus] = mapped_column(
        enum_column(PayoutStatus), default=PayoutStatus.PAID
    )
    paid_on: Mapped[date]
    trace: Mapped[str] = mapped_column(default="")
    told_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    arrived_on: Mapped[date | None] = mapped_column(default=None)
    arrival_ref: Mapped[str | None] = mapped_column(default=None, unique=True)
    back_on: Mapped[date | None] = mapped_column(default=None)
    back_ref: Mapped[str | None] = mapped_column(default=None, unique=True)
    again_by: Mapped["CardPayout | None"] = relationship(remote_side="CardPayout.id", default=None)
    again_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("card_payout.id"), init=False)
    movements: Mapped[list["CardMovement"]] = relationship(
        back_populates="payout", init=False, default_factory=list
    )

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(CURRENCY, name="currency_is_iso"),
        CheckConstraint(
            "(status IN ('arrived', 'returning', 'taken_back')) = (arrival_ref IS NOT NULL) "
            "AND (arrival_ref IS NULL) = (arrived_on IS NULL)",
            name="arrived_by_a_line",
        ),
        CheckConstraint(
            "(status = 'taken_back') = (back_ref IS NOT NULL) "
            "AND (back_ref IS NULL) = (back_on IS NULL)",
            name="taken_back_by_a_line",
        ),
        CheckConstraint(
            "again_by_id IS NULL OR status IN ('failed', 'taken_back')",
            name="again_by_of_what_came_to_nothing",
        ),
    )

    @property
    def case_id(self) -> None:
        """Payouts belong to no case file."""
        return

    @property
    def money(self) -> Money:
        """What is paid over."""
        return Money(self.amount, self.currency)


class MovementKind(Labelled):
    """What a line of the card processor's account records."""

    CHARGE = "charge", _l("Gift")
    REFUND = "refund", _l("Refund")
    REFUND_FAILED = "refund_failed", _l("Refund that failed")
    DISPUTE = "dispute", _l("Dispute")
    DISPUTE_WON = "dispute_won", _l("Dispute won")
    GRANT_PAID = "grant_paid", _l("Paid to a grantee")
    GRANT_RETURNED = "grant_returned", _l("Came back from a grantee")
    ACCOUNT_FEE = "account_fee", _l("Fee of the card processor’s account")


class CardMovement(WithId, Base):
    """One line of the processor's account: `amount` in, or out below zero, and its `fee`.

    It belongs to a gift, unless it went to a grantee or came back from one, or is what the
    processor takes for the account itself. In minor units of `currency`, in which the processor
    keeps our account; the `…_usd` are what was booked, in US cents. `object_id` is the processor's
    name of the charge, refund, dispute or transfer; of a fee, that of the line.
    """

    __tablename__ = "card_movement"

    transaction_id: Mapped[str] = mapped_column(unique=True)
    object_id: Mapped[str] = mapped_column(index=True)
    gift: Mapped[CardGift | None] = relationship(back_populates="movements", default=None)
    gift_id: Mapped[UUID | None] = mapped_column(ForeignKey("card_gift.id"), init=False, index=True)
    fund_code: Mapped[str]
    kind: Mapped[MovementKind] = mapped_column(enum_column(MovementKind))
    currency: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    amount_usd: Mapped[int] = mapped_column(BigInteger)
    fee_usd: Mapped[int] = mapped_column(BigInteger)
    moved_on: Mapped[date]
    booked_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    payout: Mapped[CardPayout | None] = relationship(back_populates="movements", default=None)
    payout_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("card_payout.id"), init=False, index=True
    )

    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount_is_not_zero"),
        CheckConstraint(CURRENCY, name="currency_is_iso"),
        CheckConstraint(
            "currency <> 'USD' OR (amount = amount_usd AND fee = fee_usd)",
            name="dollars_are_dollars",
        ),
        CheckConstraint(
            "kind = 'account_fee' OR (amount > 0) = "
            "(kind IN ('charge', 'refund_failed', 'dispute_won', 'grant_returned'))",
            name="in_or_out",
        ),
        CheckConstraint(
            "(kind IN ('grant_paid', 'grant_returned', 'account_fee')) = (gift_id IS NULL)",
            name="of_a_gift_or_a_grant",
        ),
    )

    @property
    def net(self) -> Money:
        """What it changed in the processor's account."""
        return Money(self.amount - self.fee, self.currency)

    @property
    def gross(self) -> Money:
        """What came in, or went out below zero, before the fee."""
        return Money(self.amount, self.currency)

    @property
    def kept(self) -> Money:
        """What the processor kept of it; below zero where it gave a fee back."""
        return Money(self.fee, self.currency)
