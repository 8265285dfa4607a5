"""The accounts of the funds: what the bank says they hold, what the books say, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, text

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.money import Money
from portal.ledger.models import AccountKind, LedgerAccount, LedgerEntry
from portal.payments.models import BankAccount, BankAccountStatus
from portal.payments.statements import policy
from portal.payments.statements.models import LineStatus, Statement, StatementLine

LATEST = """
SELECT DISTINCT ON (s.bank_account_id) s.bank_account_id, s.id, s.statement_id, s.to_on, s.closing
FROM statement s WHERE NOT EXISTS (SELECT FROM statement later WHERE later.previous_id = s.id)
ORDER BY s.bank_account_id, s.to_on DESC
"""


@dataclass(frozen=True)
class Standing:
    """What is known of an account: by the bank, by the books, and what stands between.

    `by_bank` is none before the first statement. `to_book` are lines that are not booked yet,
    `in_suspense` what lies in suspense; both signed, with their number of lines.
    """

    account: BankAccount
    by_bank: Money | None
    on: date | None
    by_books: Money
    to_book: Money
    to_book_count: int
    in_suspense: Money
    suspense_count: int

    @property
    def difference(self) -> Money | None:
        """The books less the bank; None before the first statement."""
        return None if self.by_bank is None else self.by_books - self.by_bank

    @property
    def otherwise(self) -> Money | None:
        """The difference that lines to be booked do not explain.

        It is what the books hold that no statement told of yet: notices that came before their
        statement, and whatever was there before the first statement.
        """
        return None if self.difference is None else self.difference + self.to_book


def standings(person: Person) -> list[Standing]:
    """Return the accounts that the person sees. Four SQL statements."""
    rows = (
        select(BankAccount)
        .where(policy.visible(person), BankAccount.status != BankAccountStatus.PROPOSED)
        .order_by(BankAccount.fund_code, BankAccount.currency, BankAccount.status)
    )
    return _standings(list(session.scalars(rows)))


def standing(account: BankAccount) -> Standing:
    """Return what is known of one account. Three SQL statements."""
    return _standings([account])[0]


def _standings(accounts: list[BankAccount]) -> list[Standing]:
    latest = {row.bank_account_id: row for row in session.execute(text(LATEST))}
    books = _by_books()
    waiting = _open_lines()
    return [_standing(each, latest.get(each.id), books, waiting) for each in accounts]


def _standing(
    account: BankAccount,
    last: object,
    books: dict[tuple[str, str], int],
    waiting: dict[tuple[UUID, LineStatus], tuple[int, int]],
) -> Standing:
    closing, to_on = (getattr(last, name, None) for name in ("closing", "to_on"))
    to_book, to_book_count = waiting.get((account.id, LineStatus.WAITING), (0, 0))
    lying, lying_count = waiting.get((account.id, LineStatus.SUSPENSE), (0, 0))
    return Standing(
        account=account,
        by_bank=None if closing is None else Money(closing, account.currency),
        on=to_on,
        by_books=Money(books.get((account.fund_code, account.currency), 0), account.currency),
        to_book=Money(to_book, account.currency),
        to_book_count=to_book_count,
        in_suspense=Money(lying, account.currency),
        suspense_count=lying_count,
    )


def _by_books() -> dict[tuple[str, str], int]:
    """Return what the books say that the bank holds, by fund and currency. One SQL statement."""
    rows = (
        select(LedgerAccount.fund_code, LedgerEntry.currency, func.sum(LedgerEntry.amount))
        .join(LedgerEntry.account)
        .where(LedgerAccount.kind == AccountKind.BANK)
        .group_by(LedgerAccount.fund_code, LedgerEntry.currency)
    )
    return {(fund, currency): int(total) for fund, currency, total in session.execute(rows)}


OPEN_LINES = """
SELECT l.bank_account_id, l.status, count(*) AS number,
    sum(l.amount - coalesce(taken.amount, 0)) AS amount
FROM statement_line l
LEFT JOIN LATERAL (SELECT sum(a.amount) AS amount FROM statement_allocation a
    WHERE a.line_id = l.id AND a.undone_at IS NULL AND a.purpose <> 'send_back') AS taken ON true
WHERE l.status <> 'booked' GROUP BY l.bank_account_id, l.status
"""


def _open_lines() -> dict[tuple[UUID, LineStatus], tuple[int, int]]:
    """Return sum and number of lines that are not booked, by account. One SQL statement."""
    return {
        (row.bank_account_id, LineStatus(row.status)): (int(row.amount), row.number)
        for row in session.execute(text(OPEN_LINES))
    }


def closings() -> Iterator[tuple[str, date, Money]]:
    """Yield what the bank said that each fund held at the end of a day. One SQL statement.

    (fund_code, day, balance), of each account and day the last statement.
    """
    rows = (
        select(BankAccount.fund_code, BankAccount.currency, Statement.to_on, Statement.closing)
        .join(Statement, Statement.bank_account_id == BankAccount.id)
        .where(
            ~select(StatementLine.id)
            .where(
                StatementLine.statement_id == Statement.id,
                StatementLine.status == LineStatus.WAITING,
            )
            .exists()
        )
        .order_by(BankAccount.fund_code, Statement.to_on, Statement.imported_at)
    )
    last = {
        (fund, currency, day): Money(closing, currency)
        for fund, currency, day, closing in session.execute(rows)
    }
    for (fund, _currency, day), balance in last.items():
        yield fund, day, balance
