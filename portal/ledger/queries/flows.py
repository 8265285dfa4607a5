"""What moved in the books, year by year and subject by subject: for accounts and statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Integer, Result, String, cast, extract, func, literal, select, union_all
from sqlalchemy.orm import aliased

from portal.core.db import session
from portal.ledger.models import (
    AccountKind,
    Commitment,
    LedgerAccount,
    LedgerEntry,
    TransactionKind,
)
from portal.ledger.models import LedgerTransaction as Booking
from portal.ledger.queries.positions import GRANTED


@dataclass(frozen=True, slots=True)
class Flow:
    """What one subject moved on one account in one year, in US cents, debit above zero.

    The subject is an award, a contribution or an agreement, or None; `cause` is what the bookings
    record. A reversal has both of what it reverses.
    """

    year: int
    kind: AccountKind
    cause: TransactionKind
    subject_ref: str | None
    usd: int


@dataclass(frozen=True, slots=True)
class GrantSums:
    """What the books say of one award, in US cents.

    `committed` was set aside and not given back, paid out or not; `disbursed` has gone out and not
    come back; `reported` was accepted as spent.
    """

    committed: int
    disbursed: int
    reported: int


def flows(fund_code: str, since: date, until: date) -> list[Flow]:
    """Return what was booked in a fund from `since` to `until`, both inclusive. One statement."""
    year = extract("year", Booking.booked_on).cast(Integer)
    undone = aliased(Booking)
    cause = func.coalesce(undone.kind, Booking.kind, type_=Booking.kind.type)
    rows = (
        select(year, LedgerAccount.kind, cause, Booking.subject_ref, func.sum(LedgerEntry.usd))
        .select_from(LedgerEntry)
        .join(LedgerEntry.account)
        .join(LedgerEntry.transaction)
        .outerjoin(Booking.reverses.of_type(undone))
        .where(LedgerAccount.fund_code == fund_code, Booking.booked_on.between(since, until))
        .group_by(year, LedgerAccount.kind, cause, Booking.subject_ref)
    )
    return [
        Flow(when, kind, cause, ref, int(cents))
        for when, kind, cause, ref, cents in session.execute(rows)
    ]


def committed_at(fund_code: str, days: Sequence[date]) -> list[int]:
    """Return what was set aside and not yet paid at the end of each day, in US cents.

    One SQL statement.
    """
    sums = [
        func.coalesce(
            func.sum(Commitment.amount_usd_minor).filter(Commitment.made_at < _end_of(day)), 0
        )
        for day in days
    ]
    row = session.execute(select(*sums).where(Commitment.fund_code == fund_code)).one()
    return [int(cents) for cents in row]


def movements(
    fund_code: str, as_of: date, *, limit: int, offset: int = 0
) -> tuple[list[Commitment], int]:
    """Return movements of a fund's commitments, newest first, and how many there are. Two."""
    rows = select(Commitment).where(
        Commitment.fund_code == fund_code, Commitment.made_at < _end_of(as_of)
    )
    total = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    newest = rows.order_by(Commitment.made_at.desc(), Commitment.id.desc())
    return list(session.scalars(newest.limit(limit).offset(offset))), total


def grant_sums(fund_codes: Collection[str], as_of: date) -> dict[str, GrantSums]:
    """Return what the books of some funds say of each award, by reference. One SQL statement."""
    paid = (
        select(Booking.subject_ref, cast(LedgerAccount.kind, String), func.sum(LedgerEntry.usd))
        .select_from(LedgerEntry)
        .join(LedgerEntry.account)
        .join(LedgerEntry.transaction)
        .where(
            LedgerAccount.fund_code.in_(fund_codes),
            LedgerAccount.kind.in_(GRANTED),
            Booking.booked_on <= as_of,
            Booking.subject_ref.is_not(None),
        )
        .group_by(Booking.subject_ref, LedgerAccount.kind)
    )
    set_aside = (
        select(Commitment.source_ref, literal(""), func.sum(Commitment.amount_usd_minor))
        .where(Commitment.fund_code.in_(fund_codes), Commitment.made_at < _end_of(as_of))
        .group_by(Commitment.source_ref)
    )
    sums: dict[str, dict[str, int]] = defaultdict(dict)
    rows: Result[str, str, Decimal] = session.execute(union_all(paid, set_aside))
    for ref, kind, cents in rows:
        sums[ref][kind] = int(cents)
    return {ref: _grant(found) for ref, found in sums.items()}


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _grant(found: dict[str, int]) -> GrantSums:
    disbursed = sum(found.get(kind, 0) for kind in GRANTED)
    return GrantSums(
        committed=found.get("", 0) + disbursed,
        disbursed=disbursed,
        reported=found.get(AccountKind.GRANT_EXPENDITURE, 0),
    )
