"""Tables of the books. Everything here is append-only: triggers refuse UPDATE, DELETE, TRUNCATE.

Amounts are integers in minor units of their currency; `usd` is the same amount in US cents at
the moment of booking. A debit is positive, a credit negative. Commitments are budgetary memo
entries beside the books and never mix with actuals. Rows hold codes, references and amounts only,
never a name or a sentence about a person.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    FetchedValue,
    ForeignKey,
    Index,
    Numeric,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled

CODE = "~ '^[a-z0-9._:-]{1,120}$'"
REF = "~ '^[A-Za-z0-9._:/-]{1,200}$'"
CURRENCY = "~ '^[A-Z]{3}$'"


class AccountKind(Labelled):
    """The chart of accounts, the same for every fund."""

    BANK = "bank", _l("Bank")
    PAYMENTS_IN_TRANSIT = "payments_in_transit", _l("Payments in transit")
    CARD_CLEARING = "card_clearing", _l("Card clearing")
    CONTRIBUTIONS_RECEIVABLE = "contributions_receivable", _l("Contributions receivable")
    CONTRIBUTION_REVENUE = "contribution_revenue", _l("Contribution revenue")
    ADVANCES_TO_GRANTEES = "advances_to_grantees", _l("Advances to grantees")
    GRANT_EXPENDITURE = "grant_expenditure", _l("Grant expenditure")
    REFUNDS_RECEIVABLE = "refunds_receivable", _l("Refunds receivable")
    SUPPORT_COSTS = "support_costs", _l("Programme support costs")
    SUPPORT_COSTS_PAYABLE = "support_costs_payable", _l("Programme support costs payable")
    EXCHANGE_DIFFERENCE = "exchange_difference", _l("Exchange gain or loss")
    SUSPENSE = "suspense", _l("Suspense (unmatched, or on its way between funds)")
    BANK_CHARGES = "bank_charges", _l("Bank and card charges")
    PAYING_AGENTS = "paying_agents", _l("Due to paying agents")


class TransactionKind(Labelled):
    """What a booking records."""

    CONTRIBUTION_AGREED = "contribution_agreed", _l("Contribution agreed")
    CONTRIBUTION_RECEIVED = "contribution_received", _l("Contribution received")
    CONTRIBUTION_REFUNDED = "contribution_refunded", _l("Contribution given back")
    CONTRIBUTION_DISPUTED = "contribution_disputed", _l("Contribution disputed by the card holder")
    CONTRIBUTION_CANCELLED = "contribution_cancelled", _l("Agreed contribution that will not come")
    ADVANCE_PAID = "advance_paid", _l("Advance paid to a grantee")
    PAYMENT_SETTLED = "payment_settled", _l("Payment settled by the bank")
    PAYMENT_RETURNED = "payment_returned", _l("Returned payment credited by the bank")
    EXPENDITURE_ACCEPTED = "expenditure_accepted", _l("Grant expenditure accepted")
    SUPPORT_COSTS_CHARGED = "support_costs_charged", _l("Programme support costs charged")
    SUPPORT_COSTS_PAID = "support_costs_paid", _l("Programme support costs paid over")
    REFUND_DUE = "refund_due", _l("Refund due from a grantee")
    REFUND_RECEIVED = "refund_received", _l("Refund received")
    REFUND_WRITTEN_OFF = "refund_written_off", _l("Refund written off")
    REFUND_RECOVERED = (
        "refund_recovered",
        _l("Money of a grant received after it was written off or spent"),
    )
    EXCHANGE_DIFFERENCE = "exchange_difference", _l("Exchange gain or loss")
    REVALUATION = "revaluation", _l("Balances brought to the rate of the day")
    CHARGED = "charged", _l("Charge of the bank or the card processor")
    SUSPENSE_RECEIVED = "suspense_received", _l("Unmatched credit received")
    SUSPENSE_PAID = "suspense_paid", _l("Unmatched debit paid")
    SUSPENSE_ALLOCATED = "suspense_allocated", _l("Unmatched credit allocated")
    CARD_PAYOUT = "card_payout", _l("Payout of the card processor")
    AGENT_REIMBURSED = "agent_reimbursed", _l("Paying agent reimbursed")
    REVERSAL = "reversal", _l("Reversal")


class PercentKind(Labelled):
    """A percentage that a fund sets for itself, with the day from which it holds."""

    SUPPORT_COSTS = "support_costs", _l("Programme support costs")
    OPERATING_RESERVE = "operating_reserve", _l("Operating reserve")


class Book(Base):
    """The books of one fund. The row is what a commitment locks (`FOR UPDATE`)."""

    __tablename__ = "ledger_book"

    fund_code: Mapped[str] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]

    __table_args__ = (CheckConstraint(f"fund_code {CODE}", name="fund_code_is_a_code"),)


class LedgerAccount(WithId, Base):
    """One account of one fund."""

    __tablename__ = "ledger_account"

    fund_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.fund_code"))
    kind: Mapped[AccountKind] = mapped_column(enum_column(AccountKind))

    __table_args__ = (UniqueConstraint("fund_code", "kind"),)


class ExchangeRate(WithId, Base):
    """How many units of `currency` one US dollar bought, from `effective_on`, says `source`.

    A rate is a decimal number, not an amount. The rates are the UN operational rates of exchange.
    """

    __tablename__ = "exchange_rate"

    currency: Mapped[str] = mapped_column(String(3))
    units_per_usd: Mapped[Decimal] = mapped_column(Numeric(20, 8))
    effective_on: Mapped[date]
    source: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("currency", "effective_on", "source"),
        CheckConstraint(f"currency {CURRENCY}", name="currency_is_iso"),
        CheckConstraint("units_per_usd > 0", name="rate_is_positive"),
        CheckConstraint("currency <> 'USD' OR units_per_usd = 1", name="dollar_is_one"),
        CheckConstraint(f"source {REF}", name="source_is_a_code"),
    )


class LedgerTransaction(WithId, Base):
    """One booking: at least two entries that sum to zero in US$, in each fund that it touches.

    `source_ref` names what caused it, once: the same cause cannot be booked twice. `subject_ref`
    is the award or contribution that it belongs to. `xact` is the database transaction in which
    it was written, and the only one in which it may receive entries; a trigger sets it.
    """

    __tablename__ = "ledger_transaction"

    kind: Mapped[TransactionKind] = mapped_column(enum_column(TransactionKind))
    source_ref: Mapped[str] = mapped_column(unique=True)
    subject_ref: Mapped[str | None] = mapped_column(index=True)
    reverses_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ledger_transaction.id"), unique=True, init=False
    )
    booked_on: Mapped[date] = mapped_column(index=True)
    created_at: Mapped[datetime]
    rate_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_rate.id"), init=False)
    xact: Mapped[int] = mapped_column(BigInteger, FetchedValue(), init=False)
    narrative: Mapped[str] = mapped_column(default="")
    reverses: Mapped["LedgerTransaction | None"] = relationship(
        remote_side="LedgerTransaction.id", default=None
    )
    rate: Mapped[ExchangeRate | None] = relationship(default=None)
    entries: Mapped[list["LedgerEntry"]] = relationship(
        back_populates="transaction", default_factory=list, cascade="save-update, merge"
    )

    __table_args__ = (
        CheckConstraint(f"source_ref {REF}", name="source_ref_is_a_code"),
        CheckConstraint(f"subject_ref {REF}", name="subject_ref_is_a_code"),
        CheckConstraint(f"narrative = '' OR narrative {CODE}", name="narrative_is_a_code"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal"),
    )


class LedgerEntry(WithId, Base):
    """One side of a booking: debit positive, credit negative, in minor units and in US cents.

    `booked_on` is the day of its booking; a trigger sets it.
    """

    __tablename__ = "ledger_entry"

    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("ledger_transaction.id"), index=True, init=False
    )
    account: Mapped[LedgerAccount] = relationship()
    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_account.id"), init=False)
    booked_on: Mapped[date] = mapped_column(Date, FetchedValue(), init=False)
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int] = mapped_column(BigInteger)
    usd: Mapped[int] = mapped_column(BigInteger)
    transaction: Mapped[LedgerTransaction] = relationship(back_populates="entries", init=False)

    __table_args__ = (
        Index("ix_ledger_entry_account_id_booked_on_id", "account_id", "booked_on", "id"),
        CheckConstraint("amount <> 0", name="amount_is_not_zero"),
        CheckConstraint("sign(usd) IN (0, sign(amount))", name="same_side_in_both"),
        CheckConstraint("currency <> 'USD' OR usd = amount", name="dollar_is_dollar"),
        CheckConstraint(f"currency {CURRENCY}", name="currency_is_iso"),
    )


class Commitment(WithId, Base):
    """One movement of the money set aside for an award: setting aside +, use or release −.

    The outstanding commitment of an award is the sum of its movements, never below zero.
    `source_ref` is the award, `movement_ref` names the movement, once. US cents.
    """

    __tablename__ = "commitment"

    fund_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.fund_code"))
    source_ref: Mapped[str]
    movement_ref: Mapped[str] = mapped_column(unique=True)
    amount_usd_minor: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_commitment_fund_code_source_ref", "fund_code", "source_ref"),
        CheckConstraint("amount_usd_minor <> 0", name="amount_is_not_zero"),
        CheckConstraint(f"source_ref {REF}", name="source_ref_is_a_code"),
        CheckConstraint(f"movement_ref {REF}", name="movement_ref_is_a_code"),
    )


class Grain(StrEnum):
    """How long the period of a balance is."""

    YEAR = "year"
    DAY = "day"


_PERIOD = "grain = 'day' OR (grain = 'year' AND extract(doy FROM starts_on) = 1)"


class LedgerBalance(Base):
    """What the entries of one account in one currency sum to in one period, and how many they are.

    The entries' own trigger keeps it; nobody else may write. So a position costs the same however
    many entries there are: the years before its day, and the days of its year.
    """

    __tablename__ = "ledger_balance"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    grain: Mapped[Grain] = mapped_column(enum_column(Grain), primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    usd: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint(_PERIOD, name="period"),)


class CommitmentBalance(Base):
    """What the movements of a fund's commitments sum to in one period of UTC, in US cents.

    The movements' own trigger keeps it; nobody else may write.
    """

    __tablename__ = "commitment_balance"

    fund_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.fund_code"), primary_key=True)
    grain: Mapped[Grain] = mapped_column(enum_column(Grain), primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    usd: Mapped[int] = mapped_column(BigInteger)
    movements: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint(_PERIOD, name="period"),)


class FundPercent(WithId, Base):
    """A dated percentage of a fund: programme support costs (13 by UN custom), reserve (15).

    Of several from the same day the one recorded last holds; the others stay as history.
    """

    __tablename__ = "fund_percent"

    fund_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.fund_code"), index=True)
    kind: Mapped[PercentKind] = mapped_column(enum_column(PercentKind))
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    from_date: Mapped[date]
    recorded_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("percent BETWEEN 0 AND 100", name="percent_in_range"),)
