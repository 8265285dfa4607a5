"""The accounts of the funds: what the bank says they hold, what the books say, and why."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import aliased

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.money import Money
from portal.payments.models import BankAccount, BankAccountStatus
from portal.payments.statements import policy
from portal.payments.statements.models import LineStatus, Statement, StatementLine

FIGURES = """
SELECT b.id, last.closing, last.to_on, coalesce(books.amount, 0) AS books,
    coalesce(lines.to_book, 0) AS to_book, coalesce(lines.to_book_count, 0) AS to_book_count,
    coalesce(lines.lying, 0) AS lying, coalesce(lines.lying_count, 0) AS lying_count
FROM bank_account b
LEFT JOIN LATERAL (
    SELECT s.closing, s.to_on FROM statement s WHERE s.bank_account_id = b.id
    AND NOT EXISTS (SELECT FROM statement later WHERE later.previous_id = s.id)
) AS last ON true
LEFT JOIN LATERAL (
    SELECT sum(y.amount) AS amount FROM ledger_balance y
    JOIN ledger_account c ON c.id = y.account_id
    WHERE c.fund_code = b.fund_code AND c.kind = 'bank' AND y.currency = b.currency
    AND y.grain = 'year'
) AS books ON true
LEFT JOIN LATERAL (
    SELECT sum(l.amount) FILTER (WHERE l.status = 'waiting') AS to_book,
        count(*) FILTER (WHERE l.status = 'waiting') AS to_book_count,
        sum(l.amount - coalesce(taken.amount, 0)) FILTER (WHERE l.status = 'suspense') AS lying,
        count(*) FILTER (WHERE l.status = 'suspense') AS lying_count
    FROM statement_line l
    LEFT JOIN LATERAL (SELECT sum(a.amount) AS amount FROM statement_allocation a
        WHERE a.line_id = l.id AND a.undone_at IS NULL AND a.purpose <> 'send_back') AS taken
        ON true
    WHERE l.bank_account_id = b.id AND l.status <> 'booked'
) AS lines ON true
WHERE b.id = ANY(:ids)
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
    """Return the accounts that the person sees. Two SQL statements."""
    rows = (
        select(BankAccount)
        .where(policy.visible(person), BankAccount.status != BankAccountStatus.PROPOSED)
        .order_by(BankAccount.fund_code, BankAccount.currency, BankAccount.status)
    )
    return _standings(list(session.scalars(rows)))


def standing(account: BankAccount) -> Standing:
    """Return what is known of one account. One SQL statement."""
    return _standings([account])[0]


def _standings(accounts: list[BankAccount]) -> list[Standing]:
    ids = [account.id for account in accounts]
    found = {row.id: row for row in session.execute(text(FIGURES), {"ids": ids})}
    return [_standing(account, found[account.id]) for account in accounts]


def _standing(account: BankAccount, row: Row[Any]) -> Standing:
    def money(minor: int) -> Money:
        return Money(int(minor), account.currency)

    return Standing(
        account=account,
        by_bank=None if row.closing is None else money(row.closing),
        on=row.to_on,
        by_books=money(row.books),
        to_book=money(row.to_book),
        to_book_count=row.to_book_count,
        in_suspense=money(row.lying),
        suspense_count=row.lying_count,
    )


def has_account(fund_code: str, currency: str) -> bool:
    """Say whether a fund has an account in a currency that is in use. One statement."""
    rows = select(BankAccount.id).where(
        BankAccount.fund_code == fund_code,
        BankAccount.currency == currency,
        BankAccount.status == BankAccountStatus.IN_USE,
    )
    return bool(session.scalar(select(rows.exists())))


def has_statements(fund_code: str, currency: str) -> bool:
    """Say whether the statements of a fund's account in a currency are taken in. One statement."""
    rows = (
        select(Statement.id)
        .join(Statement.bank_account)
        .where(BankAccount.fund_code == fund_code, BankAccount.currency == currency)
    )
    return bool(session.scalar(select(rows.exists())))


def accounts_in_use(fund_codes: Collection[str]) -> dict[tuple[str, str], bool]:
    """Return which accounts in use some funds have: each with whether statements tell of it.

    By fund and currency. An account counts as told where another of the same fund and currency
    is: `has_statements`. One statement.
    """
    same = aliased(BankAccount)
    told = (
        select(Statement.id)
        .join(same, Statement.bank_account_id == same.id)
        .where(same.fund_code == BankAccount.fund_code, same.currency == BankAccount.currency)
        .exists()
    )
    rows = select(BankAccount.fund_code, BankAccount.currency, told).where(
        BankAccount.fund_code.in_(fund_codes), BankAccount.status == BankAccountStatus.IN_USE
    )
    return {(fund, currency): is_told for fund, currency, is_told in session.execute(rows)}


def closings() -> Iterator[tuple[str, date, Money]]:
    """Yield what the bank said that each fund held at the end of a day. One SQL statement.

    (fund_code, day, balance), of each account and day the last statement: the one that no other
    of that day goes on from. A day by which something is still to be booked is left out.
    """
    later = aliased(Statement)
    goes_on = select(later.id).where(
        later.previous_id == Statement.id, later.to_on == Statement.to_on
    )
    to_book = select(StatementLine.id).where(
        StatementLine.bank_account_id == Statement.bank_account_id,
        StatementLine.status == LineStatus.WAITING,
        StatementLine.booked_on <= Statement.to_on,
    )
    rows = (
        select(BankAccount.fund_code, BankAccount.currency, Statement.to_on, Statement.closing)
        .join(Statement, Statement.bank_account_id == BankAccount.id)
        .where(~goes_on.exists(), ~to_book.exists())
        .order_by(BankAccount.fund_code, Statement.to_on, Statement.imported_at)
    )
    last = {
        (fund, currency, day): Money(closing, currency)
        for fund, currency, day, closing in session.execute(rows)
    }
    for (fund, _currency, day), balance in last.items():
        yield fund, day, balance
