"""The books as a plain-text file for an independent judge: `bean-check` of beancount 3.

Each booking is one transaction in each fund that it touches, so each fund has to balance by
itself. An amount in another currency stands beside the US$ that it was booked at. No rounding is
forgiven: the tolerance is nothing, but for what a division by 28 digits leaves, which is far below
a cent. Balance assertions come from the bank, never from our own sums.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, func, select

from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger.models import AccountKind, LedgerAccount, LedgerEntry, LedgerTransaction
from portal.ledger.rules import DOLLAR

Balance = tuple[str, AccountKind, date, Money]
"""What an account of a fund held at the end of a day, by somebody else's word."""

OPTIONS = """\
option "title" "Voluntary funds"
option "operating_currency" "USD"
option "tolerance_multiplier" "0"
option "inferred_tolerance_default" "USD:0.0000001"
"""

ROOTS = {
    AccountKind.CONTRIBUTION_REVENUE: "Income",
    AccountKind.EXCHANGE_DIFFERENCE: "Income",
    AccountKind.GRANT_EXPENDITURE: "Expenses",
    AccountKind.SUPPORT_COSTS: "Expenses",
    AccountKind.BANK_CHARGES: "Expenses",
    AccountKind.SUPPORT_COSTS_PAYABLE: "Liabilities",
    AccountKind.PAYING_AGENTS: "Liabilities",
    AccountKind.SUSPENSE: "Liabilities",
}
"""Every other account is one of assets."""

BATCH = 2000


@dataclass(frozen=True)
class Counted:
    """What an export wrote."""

    bookings: int
    balances: int


def account_name(fund_code: str, kind: AccountKind) -> str:
    """Return the name of an account: `Assets:VFTC:Bank`."""
    words = "".join(word.capitalize() for word in kind.value.split("_"))
    fund = re.sub(r"[^A-Z0-9-]", "-", fund_code.upper())
    return f"{ROOTS.get(kind, 'Assets')}:{fund}:{words}"


def lines(balances: Iterable[Balance] = ()) -> Iterator[str]:
    """Yield the file line by line: options, accounts, balances, and the bookings by their day.

    A fixed number of SQL statements, and memory that does not grow with the books.
    """
    asserted = sorted(balances, key=lambda each: (each[2], each[0], each[1].value))
    yield OPTIONS
    yield from _accounts(asserted)
    yield ""
    yield from map(_assertion, asserted)
    for _key, entries in groupby(_entries(), attrgetter("booked_on", "id", "fund_code")):
        yield ""
        yield from _transaction(list(entries))


def counted(balances: int) -> Counted:
    """Return what the file of these books holds. One SQL statement."""
    rows = select(func.count()).select_from(LedgerTransaction)
    return Counted(session.scalar(rows) or 0, balances)


def _accounts(asserted: Iterable[Balance]) -> Iterator[str]:
    """Open every account on the first day that anything is said of one. Two SQL statements."""
    first = session.scalar(select(func.min(LedgerTransaction.booked_on)))
    days = [day for _fund, _kind, day, _money in asserted]
    day = min([first, *days] if first else days, default=None)
    rows = select(LedgerAccount.fund_code, LedgerAccount.kind)
    if day is not None:
        for name in sorted(account_name(code, kind) for code, kind in session.execute(rows)):
            yield f"{day} open {name}"


def _assertion(balance: Balance) -> str:
    """Return the line that demands a balance: beancount compares as the next day begins."""
    fund_code, kind, day, money = balance
    return f"{day + timedelta(days=1)} balance {account_name(fund_code, kind)}  {_amount(money)}"


def _entries() -> Iterator[Row[Any]]:
    """Read the entries in the order of their bookings, those of each fund together."""
    rows = (
        select(
            LedgerEntry.booked_on,
            LedgerTransaction.id,
            LedgerTransaction.kind.label("cause"),
            LedgerTransaction.source_ref,
            LedgerTransaction.subject_ref,
            LedgerAccount.fund_code,
            LedgerAccount.kind,
            LedgerEntry.currency,
            LedgerEntry.amount,
            LedgerEntry.usd,
        )
        .join(LedgerEntry.transaction)
        .join(LedgerEntry.account)
        .order_by(
            LedgerTransaction.booked_on,
            LedgerTransaction.created_at,
            LedgerTransaction.id,
            LedgerAccount.fund_code,
            LedgerEntry.id,
        )
    )
    return iter(session.execute(rows.execution_options(yield_per=BATCH)))


def _transaction(entries: list[Row[Any]]) -> Iterator[str]:
    """Yield one booking, as far as it touches one fund. References are codes: no quote in them."""
    first = entries[0]
    yield f'{first.booked_on} * "{first.cause.value}"'
    yield f'  ref: "{first.source_ref}"'
    if first.subject_ref is not None:
        yield f'  subject: "{first.subject_ref}"'
    for entry in entries:
        money = Money(entry.amount, entry.currency)
        worth = "" if entry.currency == DOLLAR else f" @@ {_amount(usd(abs(entry.usd)))}"
        yield f"  {account_name(entry.fund_code, entry.kind)}  {_amount(money)}{worth}"


def _amount(money: Money) -> str:
    return f"{money.amount:f} {money.currency}"
