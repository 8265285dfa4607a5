"""`portal check` finds what somebody with power over the database did around the triggers."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from portal.core.db import session
from portal.core.money import usd
from portal.ledger import service
from portal.ledger.checks import checks
from tests.ledger.books import AWARD, DAY, FUND, advance, open_fund

SHRINK_REVERSALS = """
UPDATE ledger_entry SET usd = sign(usd) * 5, amount = sign(amount) * 5
WHERE transaction_id IN (SELECT id FROM ledger_transaction WHERE kind = 'reversal')
"""
MOVE_ENTRY = """
UPDATE ledger_entry SET account_id =
    (SELECT id FROM ledger_account WHERE fund_code = 'act' AND kind = 'card_clearing')
WHERE usd = 900000
"""
DELETE_BOOKING = """
DELETE FROM ledger_entry WHERE transaction_id =
    (SELECT id FROM ledger_transaction WHERE source_ref = 'order:2:settled');
DELETE FROM ledger_transaction WHERE source_ref = 'order:2:settled'
"""
TRIPLE = "UPDATE commitment SET amount_usd_minor = 1500000 WHERE amount_usd_minor = 500000"
SLIP_IN = """
INSERT INTO commitment (id, fund_code, source_ref, movement_ref, amount_usd_minor, made_at)
SELECT gen_random_uuid(), fund_code, source_ref, 'more', 1, made_at FROM commitment LIMIT 1
"""
MISDATE = """
UPDATE ledger_entry SET booked_on = '2026-11-02'
WHERE transaction_id = (SELECT id FROM ledger_transaction WHERE source_ref = 'report:1')
"""
TABLES = (
    "ledger_transaction",
    "ledger_entry",
    "commitment",
    "ledger_balance",
    "commitment_balance",
)


@pytest.fixture
def books(fresh_database: str) -> Iterator[None]:
    """Keep books with a payment that came back, and one that did not."""
    del fresh_database
    open_fund(usd(9_000_00), percent="13")
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    advance()
    service.payment_returned("order:1", DAY, by=None)
    advance("order:2")
    service.payment_settled("order:2", usd(4_001_00), DAY, by=None)
    service.expenditure_accepted(FUND, AWARD, usd(3_000_00), "report:1", DAY, by=None)
    session.commit()
    yield
    session.rollback()


def violations() -> list[list[str]]:
    """Return what each check finds."""
    return [check.run().violations for check in checks()]


def around_the_triggers(statement: str) -> None:
    """Run `statement` as the owner of the tables can, with all triggers off."""
    for table in TABLES:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    session.execute(text(statement))


@pytest.mark.usefixtures("books")
def test_sound_books_pass_and_every_check_looked_at_something() -> None:
    assert violations() == [[]] * 10
    assert [check.run().count for check in checks()] == [7, 1, 1, 1, 2, 7, 4, 16, 2, 15]


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("number", "statement", "told"),
    [
        (
            0,
            "UPDATE ledger_entry SET usd = usd + 1, amount = amount + 1 WHERE usd = 300000",
            "report:1: 2 entries, 1 cents",
        ),
        (0, "DELETE FROM ledger_entry WHERE usd = -900000", "wire:act:1: 1 entries"),
        (
            1,
            "UPDATE ledger_entry SET usd = usd - 1, amount = amount - 1 WHERE usd = -300000",
            "act in report:1: -1 cents",
        ),
        (
            2,
            SHRINK_REVERSALS,
            "order:1:reversed",
        ),
        (3, "UPDATE commitment SET amount_usd_minor = 1 WHERE amount_usd_minor = 500000", AWARD),
        (4, "DELETE FROM commitment WHERE movement_ref = 'order:2:used'", "order:2"),
        (4, "DELETE FROM commitment WHERE movement_ref = 'order:1:returned'", "order:1"),
        (5, MOVE_ENTRY, "wire:act:1"),
        (
            5,
            "UPDATE ledger_transaction SET booked_on = '2020-01-01' WHERE reverses_id IS NOT NULL",
            "order:1:reversed",
        ),
        (
            5,
            "UPDATE ledger_transaction SET subject_ref = 'other' WHERE source_ref = 'report:1'",
            "report:1",
        ),
        (5, DELETE_BOOKING, "order:2:settled"),
        (6, TRIPLE, f"{AWARD}:commit"),
        (6, "DELETE FROM commitment WHERE movement_ref = 'order:2:used'", "order:2:used"),
        (6, SLIP_IN, "more"),
        (
            7,
            "UPDATE ledger_balance SET usd = usd + 1 WHERE usd = -900000 AND grain = 'year'",
            "act contribution_revenue in USD, year of 2026-01-01: -899999 cents",
        ),
        (7, "DELETE FROM ledger_balance WHERE usd = -900000 AND grain = 'day'", "0 cents"),
        (
            7,
            "UPDATE ledger_balance SET amount = 5 WHERE usd = -900000 AND grain = 'day'",
            "contribution_revenue",
        ),
        (8, "UPDATE commitment_balance SET usd = 1 WHERE grain = 'day'", "act, day of"),
        (9, MISDATE, "report:1"),
    ],
    ids=[
        "cent",
        "entry",
        "fund",
        "mirror",
        "commitment",
        "use",
        "return",
        "account",
        "day",
        "subject",
        "booking",
        "tripled",
        "unused",
        "slipped in",
        "year",
        "lost day",
        "own currency",
        "set aside",
        "misdated",
    ],
)
def test_one_change_is_found(number: int, statement: str, told: str) -> None:
    around_the_triggers(statement)
    found = violations()[number]
    assert len(found) == 1
    assert told in found[0]
