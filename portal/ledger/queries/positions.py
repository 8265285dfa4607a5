"""Where funds and awards stand, from the books only."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute

from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import rules
from portal.ledger.models import (
    AccountKind,
    Book,
    Commitment,
    FundPercent,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    PercentKind,
)
from portal.ledger.queries.periods import Sums, by_account, committed

GRANTED = (
    AccountKind.ADVANCES_TO_GRANTEES,
    AccountKind.GRANT_EXPENDITURE,
    AccountKind.REFUNDS_RECEIVABLE,
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a fund stands, in US$. `available` may be below zero after a loss on exchange.

    `received` is money that came in (agreed but unpaid contributions are not in it); `committed`
    is outstanding; `disbursed` is what was paid to grantees and has not come back;
    `support_costs` are charged, `support_costs_expected` will follow from what is committed or
    advanced; `exchange` is the gain, realised or by revaluation, below zero for a loss; `charges`
    are what bank and card processor took.
    """

    fund_code: str
    received: Money
    committed: Money
    disbursed: Money
    advanced: Money
    support_costs: Money
    support_costs_expected: Money
    exchange: Money
    charges: Money
    percent: Decimal

    @property
    def available(self) -> Money:
        """What may still be awarded (R19)."""
        return self.available_after(usd(0))

    def available_after(self, commitment: Money) -> Money:
        """Return what would be left to award after setting aside `commitment` more."""
        committed = self.committed + commitment
        expected = rules.expected_support_costs(committed.minor, self.advanced.minor, self.percent)
        return usd(
            rules.available(
                (self.received + self.exchange - self.charges).minor,
                committed.minor,
                self.disbursed.minor,
                self.support_costs.minor + expected,
            )
        )


@dataclass(frozen=True, slots=True)
class AwardPosition:
    """What the books say of one award, in US$.

    `committed` is outstanding; `paid` has gone out and has not come back; `advanced` is paid and
    not yet accounted for (below zero: owed to the grantee); `refund_due` is owed by the grantee.
    """

    award_ref: str
    committed: Money
    paid: Money
    advanced: Money
    accepted: Money
    refund_due: Money


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One line of the trial balance: an account, and its balance on the side where it stands."""

    fund_code: str
    kind: AccountKind
    debit: Money
    credit: Money


def percents(kind: PercentKind, day: date) -> dict[str, Decimal]:
    """Return the percentage of each fund that holds on `day`. One SQL statement.

    The rows are history: a fund has none before its first row.
    """
    rows = (
        select(FundPercent.fund_code, FundPercent.percent)
        .where(FundPercent.kind == kind, FundPercent.from_date <= day)
        .ext(distinct_on(FundPercent.fund_code))
        .order_by(
            FundPercent.fund_code,
            FundPercent.from_date.desc(),
            FundPercent.recorded_at.desc(),
            FundPercent.id,
        )
    )
    return {fund_code: percent for fund_code, percent in session.execute(rows)}  # noqa: C416


def percent_on(fund_code: str, kind: PercentKind, day: date) -> Decimal:
    """Return the percentage of one fund on `day`, 0 where none was set. One SQL statement."""
    return percents(kind, day).get(fund_code, Decimal(0))


def positions(as_of: date | None = None) -> dict[str, Position]:
    """Return where each fund with a book stands at the end of `as_of`. Four SQL statements."""
    sums = by_account(as_of)
    set_aside = committed(as_of)
    shares = percents(PercentKind.SUPPORT_COSTS, as_of or clock.today())
    return {
        code: position_of(code, sums.get(code, {}), set_aside.get(code, 0), shares.get(code))
        for code in session.scalars(select(Book.fund_code).order_by(Book.fund_code))
    }


def position(fund_code: str, as_of: date | None = None) -> Position:
    """Return where one fund stands; nothing but zeros without a book. Four SQL statements."""
    found = positions(as_of).get(fund_code)
    return found or position_of(fund_code, {}, 0, None)


def position_of(code: str, sums: Sums, committed: int, percent: Decimal | None) -> Position:
    """Return the position that balances by account, and what is committed, make; US cents."""
    percent = percent or Decimal(0)
    advanced = sums.get(AccountKind.ADVANCES_TO_GRANTEES, 0)
    return Position(
        fund_code=code,
        received=usd(
            -sums.get(AccountKind.CONTRIBUTION_REVENUE, 0)
            - sums.get(AccountKind.CONTRIBUTIONS_RECEIVABLE, 0)
        ),
        committed=usd(committed),
        disbursed=usd(_granted(sums)),
        advanced=usd(advanced),
        support_costs=usd(sums.get(AccountKind.SUPPORT_COSTS, 0)),
        support_costs_expected=usd(rules.expected_support_costs(committed, advanced, percent)),
        exchange=usd(-sums.get(AccountKind.EXCHANGE_DIFFERENCE, 0)),
        charges=usd(sums.get(AccountKind.BANK_CHARGES, 0)),
        percent=percent,
    )


def _granted(sums: Sums) -> int:
    return sum(sums.get(kind, 0) for kind in GRANTED)


def subject_sums(fund_code: str, subject_ref: str) -> dict[AccountKind, int]:
    """Return the balances, in US cents, of all that was booked for one award or pledge.

    A reversal carries the subject of what it reverses. One SQL statement.
    """
    rows = (
        select(LedgerAccount.kind, func.sum(LedgerEntry.usd))
        .join(LedgerEntry.account)
        .join(LedgerEntry.transaction)
        .where(LedgerAccount.fund_code == fund_code, LedgerTransaction.subject_ref == subject_ref)
        .group_by(LedgerAccount.kind)
    )
    return {kind: int(total) for kind, total in session.execute(rows)}


def outstanding(fund_code: str, award_ref: str) -> Money:
    """Return the outstanding commitment of one award. One SQL statement."""
    cents = outstanding_of(literal(fund_code), literal(award_ref))
    return usd(int(session.scalar(select(cents)) or 0))


def outstanding_of(
    fund_code: ColumnElement[str] | ScalarSelect[str],
    award_ref: ColumnElement[str] | InstrumentedAttribute[str],
) -> ScalarSelect[int]:
    """Return the outstanding commitment of an award in US cents, as a column of a list of awards.

    With the fund, by which the movements are indexed.
    """
    return (
        select(func.coalesce(func.sum(Commitment.amount_usd_minor), 0))
        .where(Commitment.fund_code == fund_code, Commitment.source_ref == award_ref)
        .scalar_subquery()
    )


def award_position(fund_code: str, award_ref: str) -> AwardPosition:
    """Return what the books say of one award. Two SQL statements."""
    sums = subject_sums(fund_code, award_ref)
    return AwardPosition(
        award_ref=award_ref,
        committed=outstanding(fund_code, award_ref),
        paid=usd(_granted(sums)),
        advanced=usd(sums.get(AccountKind.ADVANCES_TO_GRANTEES, 0)),
        accepted=usd(sums.get(AccountKind.GRANT_EXPENDITURE, 0)),
        refund_due=usd(sums.get(AccountKind.REFUNDS_RECEIVABLE, 0)),
    )


def trial_balance(fund_code: str | None = None, as_of: date | None = None) -> list[TrialRow]:
    """Return the balance of every account in use, by fund, in the order of the chart.

    Debits and credits are equal in each fund. One SQL statement.
    """
    chart = list(AccountKind)
    return [
        TrialRow(code, kind, usd(max(total, 0)), usd(max(-total, 0)))
        for code, sums in sorted(by_account(as_of).items())
        if fund_code in (None, code)
        for kind, total in sorted(sums.items(), key=lambda row: chart.index(row[0]))
    ]
