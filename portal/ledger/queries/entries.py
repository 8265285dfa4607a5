"""The entries behind a balance, newest first, a page at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import aliased, contains_eager, joinedload

from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger.models import (
    AccountKind,
    LedgerAccount,
    LedgerBalance,
    LedgerEntry,
    LedgerTransaction,
    TransactionKind,
)
from portal.ledger.queries.periods import until


@dataclass(frozen=True)
class Entries:
    """Some of the entries behind a balance; how many there are, and the balance, in US$."""

    rows: Sequence[LedgerEntry]
    total: int
    usd: Money


def entries(
    fund_code: str,
    kinds: Collection[AccountKind],
    *,
    since: date | None = None,
    as_of: date | None = None,
    limit: int,
    offset: int = 0,
) -> Entries:
    """Return entries of some accounts of a fund, newest first, with account and booking.

    `since` and `as_of` are the first and the last day. Their number and sum come from the
    balances, the rows from the index of each account, so nothing is read that is not shown. At
    most four SQL statements.
    """
    chosen = select(LedgerAccount.id).where(
        LedgerAccount.fund_code == fund_code, LedgerAccount.kind.in_(kinds)
    )
    accounts = session.scalars(chosen).all()
    total, cents = _totals(accounts, as_of)
    if since is not None:
        before, earlier = _totals(accounts, since - timedelta(days=1))
        total, cents = total - before, cents - earlier
    rows = _page(accounts, since, as_of, limit, offset) if total > offset else []
    return Entries(rows, total, usd(cents))


def caused_entries(
    fund_code: str,
    kind: AccountKind,
    cause: TransactionKind,
    *,
    as_of: date,
    limit: int,
    offset: int = 0,
) -> Entries:
    """Return the entries on one account that bookings of one kind made, newest first.

    What reversed such a booking is with them. Two SQL statements.
    """
    total, cents = caused(kind, cause, as_of).get(fund_code, (0, 0))
    rows = (
        select(LedgerEntry)
        .join(LedgerEntry.account)
        .join(LedgerEntry.transaction)
        .where(LedgerAccount.fund_code == fund_code, *_by(kind, cause, as_of))
        .options(contains_eager(LedgerEntry.account), contains_eager(LedgerEntry.transaction))
        .order_by(LedgerEntry.booked_on.desc(), LedgerEntry.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return Entries(session.scalars(rows).all(), total, usd(cents))


def caused(kind: AccountKind, cause: TransactionKind, as_of: date) -> dict[str, tuple[int, int]]:
    """Return by fund how many entries on an account bookings of one kind made, and their sum.

    The sum is in US cents, debit above zero; what reversed such a booking is in both. One SQL
    statement, which reads these entries: for accounts of which there are few.
    """
    rows = (
        select(LedgerAccount.fund_code, func.count(), func.sum(LedgerEntry.usd))
        .select_from(LedgerEntry)
        .join(LedgerEntry.account)
        .join(LedgerEntry.transaction)
        .where(*_by(kind, cause, as_of))
        .group_by(LedgerAccount.fund_code)
    )
    return {code: (number, int(cents)) for code, number, cents in session.execute(rows)}


def _by(kind: AccountKind, cause: TransactionKind, as_of: date) -> list[ColumnElement[bool]]:
    reversed_kind = aliased(LedgerTransaction)
    undoes = LedgerTransaction.reverses.of_type(reversed_kind).has(reversed_kind.kind == cause)
    return [
        LedgerAccount.kind == kind,
        LedgerEntry.booked_on <= as_of,
        (LedgerTransaction.kind == cause) | undoes,
    ]


def _totals(accounts: Sequence[UUID], as_of: date | None) -> tuple[int, int]:
    """Return how many entries there are until `as_of`, and their sum in US cents."""
    rows = select(func.sum(LedgerBalance.entries), func.sum(LedgerBalance.usd)).where(
        LedgerBalance.account_id.in_(accounts),
        until(LedgerBalance.grain, LedgerBalance.starts_on, as_of),
    )
    count, cents = session.execute(rows).one()
    return int(count or 0), int(cents or 0)


def _page(
    accounts: Sequence[UUID], since: date | None, as_of: date | None, limit: int, offset: int
) -> Sequence[LedgerEntry]:
    """Return one page. Each account gives its newest in the order of its index."""
    newest = union_all(*(_newest(one, since, as_of, offset + limit) for one in accounts)).subquery()
    shown = (
        select(newest.c.id)
        .order_by(newest.c.booked_on.desc(), newest.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    rows = (
        select(LedgerEntry)
        .where(LedgerEntry.id.in_(shown))
        .options(joinedload(LedgerEntry.account), joinedload(LedgerEntry.transaction))
        .order_by(LedgerEntry.booked_on.desc(), LedgerEntry.id.desc())
    )
    return session.scalars(rows).all()


def _newest(account: UUID, since: date | None, as_of: date | None, most: int) -> Select[UUID, date]:
    rows = (
        select(LedgerEntry.id, LedgerEntry.booked_on)
        .where(LedgerEntry.account_id == account)
        .order_by(LedgerEntry.booked_on.desc(), LedgerEntry.id.desc())
        .limit(most)
    )
    if since is not None:
        rows = rows.where(LedgerEntry.booked_on >= since)
    if as_of is not None:
        rows = rows.where(LedgerEntry.booked_on <= as_of)
    return rows
