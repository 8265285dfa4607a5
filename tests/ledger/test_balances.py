"""Balances by year and day: equal to the entries, kept in bulk, and all that a position reads."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.core import clock, migrate
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import queries, service
from portal.ledger.checks import checks
from portal.ledger.models import (
    AccountKind,
    Commitment,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    TransactionKind,
)
from portal.ledger.rules import Line
from tests.ledger.books import AWARD, DAY, FUND, advance, open_fund

NUMBERS = count(1)
TODAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAYS = st.dates(date(2023, 12, 29), TODAY.date())
KINDS = st.sampled_from(list(AccountKind))
LINES = st.tuples(KINDS, KINDS, st.integers(1, 10**6), st.sampled_from(["USD", "EUR"]))
BULK = 4000

FLOOD = """
ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_balance;
ALTER TABLE ledger_transaction DISABLE TRIGGER ledger_transaction_balance;
INSERT INTO ledger_transaction (id, kind, source_ref, booked_on, created_at, narrative, xact)
SELECT gen_random_uuid(), 'contribution_received', 'bulk:' || n,
    date '2024-01-01' + n / 4, now(), '', 0 FROM generate_series(1, {rows}) n;
INSERT INTO ledger_entry (id, transaction_id, account_id, currency, amount, usd)
SELECT gen_random_uuid(), t.id, a.id, 'USD', side.sign * 100, side.sign * 100
FROM ledger_transaction t
CROSS JOIN (VALUES ('bank', 1), ('contribution_revenue', -1)) AS side (kind, sign)
JOIN ledger_account a ON a.fund_code = '{fund}' AND a.kind = side.kind
WHERE t.source_ref LIKE 'bulk:%'
"""


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Note each statement with its parameters."""
    noted: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        noted.append((arguments[2], arguments[3]))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def plans(read: Callable[[], object]) -> list[str]:
    """Return how PostgreSQL goes about each statement of a read."""
    with statements() as noted:
        read()
    connection = session.connection()
    return [
        "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
        for statement, parameters in noted
    ]


@pytest.fixture
def flood(fresh_database: str) -> None:
    """Fill the books of a fund with thousands of entries over years, in two statements."""
    del fresh_database
    service.open_book(FUND)
    session.commit()
    for statement in FLOOD.format(rows=BULK, fund=FUND).split(";\n"):
        session.execute(sa.text(statement))
    session.commit()
    session.execute(sa.text("ANALYZE"))


def summed(fund: str, as_of: date | None) -> dict[tuple[AccountKind, str], tuple[int, int]]:
    """Return the same as `holdings`, entry by entry, from the days of the bookings."""
    rows = (
        select(
            LedgerAccount.kind,
            LedgerEntry.currency,
            func.sum(LedgerEntry.amount),
            func.sum(LedgerEntry.usd),
        )
        .join(LedgerEntry.account)
        .join(LedgerEntry.transaction)
        .where(LedgerAccount.fund_code == fund)
        .group_by(LedgerAccount.kind, LedgerEntry.currency)
    )
    if as_of is not None:
        rows = rows.where(LedgerTransaction.booked_on <= as_of)
    return {
        (kind, currency): (int(minor), int(cents))
        for kind, currency, minor, cents in session.execute(rows)
    }


def book(fund: str, day: date, said: Sequence[tuple[AccountKind, AccountKind, int, str]]) -> None:
    """Book whatever lines, balanced."""
    lines = []
    for one, other, minor, currency in said:
        own = Money(minor, currency)
        cents = minor if currency == "USD" else minor * 11 // 10
        lines += [Line(fund, one, own, cents), Line(fund, other, -own, -cents)]
    kind = TransactionKind.SUSPENSE_ALLOCATED
    service.post(kind, f"any:{next(NUMBERS)}", lines, on=day, by=None)


@settings(
    max_examples=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(st.tuples(DAYS, st.lists(LINES, min_size=1, max_size=4)), max_size=10),
    st.lists(st.tuples(DAYS, st.integers(1, 10**6)), max_size=5),
    st.lists(DAYS, min_size=1, max_size=4),
)
@pytest.mark.usefixtures("fresh_database")
def test_balances_are_what_the_entries_sum_to_on_any_day(
    bookings: list[tuple[date, list[tuple[AccountKind, AccountKind, int, str]]]],
    movements: list[tuple[date, int]],
    days: list[date],
) -> None:
    fund = f"fund-{next(NUMBERS)}"
    service.open_book(fund)
    for day, said in bookings:
        book(fund, day, said)
    for number, (day, cents) in enumerate(movements):
        session.add(
            Commitment(
                fund_code=fund,
                source_ref=f"award:{fund}",
                movement_ref=f"{fund}:{number}",
                amount_usd_minor=cents,
                made_at=datetime.combine(day, time(23, 59), UTC),
            )
        )
    session.commit()
    for as_of in (*days, *(day for day, _said in bookings), None):
        held = queries.holdings(fund, as_of)
        assert {key: (each.money.minor, each.usd) for key, each in held.items()} == summed(
            fund, as_of
        )
        position = queries.position(fund, as_of)
        assert position.committed.minor == sum(
            cents for day, cents in movements if as_of is None or day <= as_of
        )
        rows = queries.trial_balance(fund, as_of)
        assert sum(row.debit.minor - row.credit.minor for row in rows) == 0
        for kind in AccountKind:
            found = queries.entries(fund, [kind], as_of=as_of, limit=1000)
            assert found.total == len(found.rows)
            assert found.usd == usd(sum(each.usd for each in found.rows))
    own = checks()[7:]
    assert [check.run().violations for check in own] == [[]] * 3


@pytest.mark.usefixtures("flood")
def test_thousands_in_one_statement_are_summed_by_day_and_year() -> None:
    assert [check.run().violations for check in checks()[7:]] == [[]] * 3
    assert queries.bank_balance(FUND, "USD") == usd(BULK * 100)
    assert queries.bank_balance(FUND, "USD", date(2024, 1, 1)) == usd(3 * 100)
    days = sa.text("SELECT count(*) FROM ledger_balance WHERE grain = 'day'")
    assert session.scalar(days) == 2 * (BULK // 4 + 1)


@pytest.mark.usefixtures("flood")
@pytest.mark.parametrize("as_of", [None, date(2025, 6, 30)], ids=["all", "a day"])
def test_a_position_reads_no_entry_at_all(as_of: date | None) -> None:
    for read in (
        lambda: queries.positions(as_of),
        lambda: queries.trial_balance(FUND, as_of),
        lambda: queries.bank_balance(FUND, "USD", as_of),
    ):
        for plan in plans(read):
            assert "ledger_entry" not in plan
            assert "ledger_transaction" not in plan
            assert "commitment " not in plan


@pytest.mark.usefixtures("flood")
def test_the_entries_of_a_page_come_from_the_index() -> None:
    kinds = [AccountKind.BANK, AccountKind.CONTRIBUTION_REVENUE]
    since, as_of = date(2024, 2, 1), date(2026, 1, 31)
    told = plans(
        lambda: queries.entries(FUND, kinds, since=since, as_of=as_of, limit=25, offset=50)
    )
    assert len(told) == 4
    assert "ix_ledger_entry_account_id_booked_on_id" in told[-1]
    assert all("Seq Scan on ledger_entry" not in plan for plan in told)
    assert all("Seq Scan on ledger_transaction" not in plan for plan in told)


@pytest.mark.usefixtures("flood")
def test_entries_come_newest_first_page_by_page_with_the_sum_of_all() -> None:
    kinds = [AccountKind.BANK, AccountKind.CONTRIBUTION_REVENUE]
    since, as_of = date(2024, 2, 1), date(2024, 2, 10)
    whole = queries.entries(FUND, kinds, since=since, as_of=as_of, limit=1000)
    assert (whole.total, whole.usd, len(whole.rows)) == (80, usd(0), 80)
    days = [each.booked_on for each in whole.rows]
    assert days == sorted(days, reverse=True)
    assert {days[0], days[-1]} == {since, as_of}
    paged = [
        each.id
        for offset in range(0, 100, 25)
        for each in queries.entries(
            FUND, kinds, since=since, as_of=as_of, limit=25, offset=offset
        ).rows
    ]
    assert paged == [each.id for each in whole.rows]
    bank = queries.entries(FUND, [AccountKind.BANK], since=since, as_of=as_of, limit=5)
    assert (bank.total, bank.usd) == (40, usd(40_00))
    assert queries.entries("other", kinds, limit=5).rows == []


@pytest.mark.usefixtures("fresh_database")
def test_an_entry_bears_the_day_of_its_booking_whatever_it_says() -> None:
    open_fund(usd(100))
    session.commit()
    booking = queries.find("wire:act:1")
    assert booking is not None
    assert {each.booked_on for each in booking.entries} == {DAY}
    session.execute(
        sa.text("""
        INSERT INTO ledger_transaction
            (id, kind, source_ref, booked_on, created_at, narrative, xact)
        VALUES ('00000000-0000-4000-8000-000000000001', 'charged', 'x', '2026-11-02', now(), '', 1)
    """)
    )
    session.execute(
        sa.text("""
        INSERT INTO ledger_entry
            (id, transaction_id, account_id, currency, amount, usd, booked_on)
        SELECT gen_random_uuid(), '00000000-0000-4000-8000-000000000001', id, 'USD',
            CASE kind WHEN 'bank' THEN -5 ELSE 5 END, CASE kind WHEN 'bank' THEN -5 ELSE 5 END,
            '1999-01-01'
        FROM ledger_account WHERE kind IN ('bank', 'bank_charges')
    """)
    )
    session.commit()
    assert queries.bank_balance(FUND, "USD", DAY) == usd(100)
    assert queries.bank_balance(FUND, "USD", DAY + timedelta(days=1)) == usd(95)


def test_books_of_before_get_their_balances(fresh_database: str) -> None:
    with clock.at(TODAY):
        open_fund(usd(9_000_00))
        service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
        advance()
        session.commit()
        before = queries.positions(DAY), queries.trial_balance()
    session.remove()
    migrate.downgrade(fresh_database, "0012_audit_head")
    migrate.upgrade(fresh_database)
    assert (queries.positions(DAY), queries.trial_balance()) == before
    assert [check.run().violations for check in checks()] == [[]] * 10
    service.charged(FUND, usd(1), "fee:1", DAY, by=None)
    session.commit()
    assert queries.position(FUND).charges == usd(1)
