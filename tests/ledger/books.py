"""Small stories of the books that several tests begin with."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import service
from portal.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction, PercentKind

FUND = "act"
DAY = date(2026, 11, 1)
AWARD = "award:7K3M-Q9PX"


def open_fund(received: Money, percent: str = "0", fund: str = FUND) -> None:
    """Open the books of `fund` with a contribution of `received` and support costs."""
    service.open_book(fund)
    if Decimal(percent):
        kind = PercentKind.SUPPORT_COSTS
        service.set_percent(fund, kind, Decimal(percent), date(2020, 1, 1), by=None)
    if received:
        service.contribution_received(fund, received, f"wire:{fund}:1", DAY, by=None)


def advance(order_ref: str = "order:1", amount: Money | None = None) -> LedgerTransaction:
    """Pay an advance of `amount` (US$ 4,000) on the award, in dollars."""
    paid = amount or usd(4_000_00)
    return service.advance_paid(FUND, AWARD, paid, paid, order_ref, DAY, by=None)


def journal(fund_code: str) -> list[LedgerTransaction]:
    """Return the bookings of a fund, the latest first, with entries and accounts.

    Three SQL statements.
    """
    touching = (
        select(LedgerEntry.transaction_id)
        .join(LedgerEntry.account)
        .where(LedgerAccount.fund_code == fund_code)
    )
    rows = (
        select(LedgerTransaction)
        .where(LedgerTransaction.id.in_(touching))
        .options(selectinload(LedgerTransaction.entries).selectinload(LedgerEntry.account))
        .order_by(
            LedgerTransaction.booked_on.desc(),
            LedgerTransaction.created_at.desc(),
            LedgerTransaction.id,
        )
    )
    return list(session.scalars(rows))
