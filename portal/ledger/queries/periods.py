"""Balances by year and day: how many periods make up the time until a day."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.core.db import session
from portal.core.money import Money
from portal.ledger.models import (
    AccountKind,
    CommitmentBalance,
    Grain,
    LedgerAccount,
    LedgerBalance,
)

Sums = Mapping[AccountKind, int]


@dataclass(frozen=True, slots=True)
class Holding:
    """The balance of an account in one currency, debit above zero, and the US cents it carries."""

    money: Money
    usd: int


def until(
    grain: InstrumentedAttribute[Grain],
    starts_on: InstrumentedAttribute[date],
    as_of: date | None,
) -> ColumnElement[bool]:
    """Return the periods until the end of `as_of`: the years before its year, and its days."""
    if as_of is None:
        return grain == Grain.YEAR
    year = as_of.replace(month=1, day=1)
    return or_(
        and_(grain == Grain.YEAR, starts_on < year),
        and_(grain == Grain.DAY, starts_on.between(year, as_of)),
    )


def by_account(as_of: date | None) -> dict[str, dict[AccountKind, int]]:
    """Return the balance of each account of each fund, in US cents. One SQL statement."""
    rows = (
        select(LedgerAccount.fund_code, LedgerAccount.kind, func.sum(LedgerBalance.usd))
        .join(LedgerBalance, LedgerBalance.account_id == LedgerAccount.id)
        .where(until(LedgerBalance.grain, LedgerBalance.starts_on, as_of))
        .group_by(LedgerAccount.fund_code, LedgerAccount.kind)
    )
    sums: dict[str, dict[AccountKind, int]] = defaultdict(dict)
    for fund_code, kind, cents in session.execute(rows):
        sums[fund_code][kind] = int(cents)
    return sums


def committed(as_of: date | None) -> dict[str, int]:
    """Return the outstanding commitments of each fund, in US cents. One SQL statement."""
    rows = (
        select(CommitmentBalance.fund_code, func.sum(CommitmentBalance.usd))
        .where(until(CommitmentBalance.grain, CommitmentBalance.starts_on, as_of))
        .group_by(CommitmentBalance.fund_code)
    )
    return {fund_code: int(cents) for fund_code, cents in session.execute(rows)}


def holdings(fund_code: str, as_of: date | None = None) -> dict[tuple[AccountKind, str], Holding]:
    """Return what each account of a fund holds, by account and currency. One SQL statement.

    What was in use and is empty now is there with zeros.
    """
    rows = (
        select(
            LedgerAccount.kind,
            LedgerBalance.currency,
            func.sum(LedgerBalance.amount),
            func.sum(LedgerBalance.usd),
        )
        .join(LedgerBalance, LedgerBalance.account_id == LedgerAccount.id)
        .where(
            LedgerAccount.fund_code == fund_code,
            until(LedgerBalance.grain, LedgerBalance.starts_on, as_of),
        )
        .group_by(LedgerAccount.kind, LedgerBalance.currency)
    )
    return {
        (kind, currency): Holding(Money(int(minor), currency), int(cents))
        for kind, currency, minor, cents in session.execute(rows)
    }


def holding_of(
    fund_code: str | ColumnElement[str] | ScalarSelect[str],
    kind: AccountKind,
    currency: str,
    as_of: date | None = None,
) -> ScalarSelect[int]:
    """Return what one account of a fund holds in `currency`, in minor units, as a column."""
    return (
        select(func.coalesce(func.sum(LedgerBalance.amount), 0))
        .join(LedgerAccount, LedgerBalance.account_id == LedgerAccount.id)
        .where(
            LedgerAccount.fund_code == fund_code,
            LedgerAccount.kind == kind,
            LedgerBalance.currency == currency,
            until(LedgerBalance.grain, LedgerBalance.starts_on, as_of),
        )
        .scalar_subquery()
    )


def bank_balance(fund_code: str, currency: str, as_of: date | None = None) -> Money:
    """Return what the books say that a fund's bank account in `currency` holds. One statement."""
    found = holdings(fund_code, as_of).get((AccountKind.BANK, currency))
    return found.money if found else Money(0, currency)
