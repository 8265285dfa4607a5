"""The statements of an account, with the days that none of them covers."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core.db import session
from portal.core.paging import Page, select_page
from portal.payments.models import BankAccount
from portal.payments.statements.models import Statement

WEEKEND = 5
"""Monday is 0: Saturday and Sunday are 5 and 6."""


@dataclass(frozen=True)
class Gap:
    """Days on which banks work, and of which no statement tells."""

    first: date
    last: date


def statements(account: BankAccount, number: int) -> Page[Statement]:
    """Return a page of the statements of an account, the newest first. Two SQL statements."""
    rows = (
        select(Statement)
        .where(Statement.bank_account_id == account.id)
        .order_by(Statement.to_on.desc(), Statement.imported_at.desc())
    )
    return select_page(rows, number)


def gap_before(later: Statement, earlier: Statement) -> Gap | None:
    """Return the working days between two statements that follow each other, if there are any.

    A bank that says nothing on a day without movements leaves such days; the balances prove that
    nothing moved in them.
    """
    first, last = earlier.to_on + timedelta(days=1), later.from_on - timedelta(days=1)
    days = (first + timedelta(days=each) for each in range((last - first).days + 1))
    return Gap(first, last) if any(day.weekday() < WEEKEND for day in days) else None


def statement_by_id(statement_id: UUID) -> Statement | None:
    """Return a statement with its account and its file. One SQL statement."""
    rows = select(Statement).where(Statement.id == statement_id)
    return session.scalars(rows.options(joinedload(Statement.file))).one_or_none()
