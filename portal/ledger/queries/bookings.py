"""The bookings themselves: one by its cause, those of a fund, and what they say."""

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.core.db import session
from portal.core.money import Money
from portal.ledger import rules
from portal.ledger.models import LedgerEntry, LedgerTransaction


def find(source_ref: str) -> LedgerTransaction | None:
    """Return the booking of `source_ref`, with its entries, if there is one. Three statements."""
    rows = (
        select(LedgerTransaction)
        .where(LedgerTransaction.source_ref == source_ref)
        .options(selectinload(LedgerTransaction.entries).selectinload(LedgerEntry.account))
    )
    return session.scalar(rows)


def reversal_of(booking: LedgerTransaction) -> LedgerTransaction | None:
    """Return the booking that reverses `booking`, if there is one. One SQL statement."""
    return session.scalar(
        select(LedgerTransaction).where(LedgerTransaction.reverses_id == booking.id)
    )


def lines_of(booking: LedgerTransaction) -> list[rules.Line]:
    """Return the entries of `booking` as lines."""
    return [
        rules.Line(
            entry.account.fund_code,
            entry.account.kind,
            Money(entry.amount, entry.currency),
            entry.usd,
        )
        for entry in booking.entries
    ]
