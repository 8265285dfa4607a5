# ruff: noqa: S608 — the statements are made of values of this file
"""Somebody with SQL in their hands: what the bank said stands, and what they break is found."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.core.db import session
from portal.payments.statements import service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.payments.conftest import World
from tests.payments.statements.books import taken_in, wrong
from tests.payments.statements.teller import Move, Teller

TABLES = (
    "statement",
    "statement_line",
    "statement_allocation",
    "statement_file",
    "statement_file_part",
    "ledger_entry",
    "ledger_transaction",
)


@pytest.fixture
def line(world: World, teller: Teller) -> Iterator[StatementLine]:
    """Return a debit, of which a part is a charge, on the second of two statements."""
    taken_in(teller, Move(10_000))
    [found] = taken_in(teller, Move(-250))
    service.allocate(found.id, Target(Purpose.BANK_CHARGE, -200), "Fee.", by=world.till.finance)
    session.commit()
    yield found
    session.rollback()


def attempt(statement: str) -> None:
    """Run `statement` in a savepoint, and let what is deferred speak."""
    with session.begin_nested():
        session.execute(sa.text(statement))
        session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def refused(statement: str, match: str = ".") -> None:
    """Run `statement` and expect the database to refuse it, at the latest at its commit."""
    with pytest.raises(DBAPIError, match=match):
        attempt(statement)


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("UPDATE statement SET closing = closing + 1", "stands"),
        ("UPDATE statement SET line_count = 9", "stands"),
        ("UPDATE statement_line SET amount = amount - 1, amount_usd = amount_usd - 1", "stands"),
        ("UPDATE statement_line SET end_to_end_id = 'OTHER'", "stands"),
        ("UPDATE statement_line SET booked_on = booked_on - 1", "stands"),
        ("UPDATE statement_line SET status = 'booked'", "is booked"),
        ("UPDATE statement_line SET status = 'waiting'", "cannot go"),
        ("UPDATE statement_allocation SET amount = -250", "undone once"),
        ("UPDATE statement_allocation SET reason = 'x'", "undone once"),
        ("UPDATE statement_file SET size_bytes = 1", "kept"),
        *((f"DELETE FROM {table}", "kept|refused") for table in TABLES[:5]),
        *((f"TRUNCATE {table} CASCADE", "kept|refused") for table in TABLES[:5]),
    ],
)
def test_what_the_bank_said_stands(line: StatementLine, statement: str, match: str) -> None:
    del line
    refused(statement, match)


COLUMNS = """line_id, number, purpose, amount, amount_usd, booking_ref, from_suspense, reason,
    target_ref, undone_reason, at"""


@pytest.mark.parametrize("amount", [-51, 50, -1000])
def test_a_line_is_booked_once(line: StatementLine, amount: int) -> None:
    refused(
        f"INSERT INTO statement_allocation (id, {COLUMNS}) SELECT gen_random_uuid(), line_id, "
        f"9, purpose, {amount}, {amount}, '', true, 'x', '', '', now() FROM statement_allocation "
        f"WHERE line_id = '{line.id}'",
        "booked once",
    )


def test_no_line_comes_after_its_statement(line: StatementLine) -> None:
    copied = """INSERT INTO statement_line SELECT (jsonb_populate_record(l, jsonb_build_object(
        'id', gen_random_uuid(), 'number', 99, 'reference', 'LATE', 'status', 'waiting'))).*
        FROM statement_line l LIMIT 1"""
    del line
    refused(copied, "come with their statement")


HARM = {
    "a line changed": "UPDATE statement_line SET amount = -251, amount_usd = -251 "
    "WHERE amount = -250",
    "a line removed": "DELETE FROM statement_line WHERE amount = 10000",
    "a balance changed": "UPDATE statement SET opening = opening + 1, closing = closing + 1 "
    "WHERE previous_id IS NOT NULL",
    "a chain cut": "UPDATE statement SET previous_id = NULL",
    "a part of another amount": "UPDATE statement_allocation SET amount = -199",
    "a part that somebody else entered": "UPDATE statement_allocation SET by_id = "
    "(SELECT id FROM person WHERE id <> by_id LIMIT 1)",
    "a part that was never booked": "UPDATE statement_allocation SET booking_ref = 'nothing'",
    "a booking of the bank moved": "UPDATE ledger_entry SET amount = amount + 1, usd = usd + 1 "
    "WHERE amount = 10000",
    "a booking of suspense moved": "UPDATE ledger_entry SET amount = amount + 1, usd = usd + 1 "
    "WHERE amount = -10000",
}


def test_every_harm_is_found(line: StatementLine) -> None:
    del line
    assert wrong() == []
    for name, statement in HARM.items():
        for table in TABLES:
            session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        session.execute(sa.text("DROP INDEX uq_statement_first_per_account"))
        session.execute(sa.text(statement))
        assert wrong(), name
        session.rollback()
