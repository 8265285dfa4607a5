"""The database keeps the books by itself: attempts to change them, each refused.

The attempts are raw SQL by the owner of the database, around all code of the portal.
"""

# ruff: noqa: S608 — the statements are made of values of this file

import pytest
import sqlalchemy as sa

from portal.core.db import session
from portal.core.money import usd
from portal.ledger import service
from tests.ledger.books import AWARD, FUND, advance, open_fund

NEW = "00000000-0000-4000-8000-000000000001"
SECOND = "00000000-0000-4000-8000-000000000002"
RATE = """
INSERT INTO exchange_rate (id, currency, units_per_usd, effective_on, source, imported_at)
VALUES (gen_random_uuid(), '{currency}', {rate}, '2026-11-01', 'UNORE', now());
"""


def booking(
    identity: str = NEW,
    ref: str = "forged:1",
    kind: str = "refund_received",
    reverses: str = "NULL",
    narrative: str = "",
) -> str:
    """Return SQL that begins a booking."""
    return f"""
    INSERT INTO ledger_transaction
        (id, kind, source_ref, booked_on, created_at, narrative, reverses_id, xact)
    VALUES ('{identity}', '{kind}', '{ref}', '2026-11-02', now(), '{narrative}', {reverses}, 1);
    """


def entry(
    kind: str, cents: int, *, to: str = f"'{NEW}'", fund: str = FUND, amount: int | None = None
) -> str:
    """Return SQL that adds an entry of `cents` to a booking."""
    return f"""
    INSERT INTO ledger_entry (id, transaction_id, account_id, currency, amount, usd)
    SELECT gen_random_uuid(), {to}, id, 'USD', {cents if amount is None else amount}, {cents}
    FROM ledger_account WHERE fund_code = '{fund}' AND kind = '{kind}';
    """


def of(ref: str) -> str:
    """Return SQL for the identifier of the booking `ref`."""
    return f"(SELECT id FROM ledger_transaction WHERE source_ref = '{ref}')"


PAIR = entry("bank", 500) + entry("suspense", -500)
REVERSAL = booking(ref="forged:2", kind="reversal", reverses=of("wire:act:1"))
MIRROR = entry("bank", -5_000_00) + entry("contribution_revenue", 5_000_00)

ATTEMPTS = {
    "move a cent": "UPDATE ledger_entry SET usd = usd + 1, amount = amount + 1",
    "move money to another account": "UPDATE ledger_entry SET account_id = account_id",
    "remove an entry": "DELETE FROM ledger_entry",
    "empty the entries": "TRUNCATE ledger_entry",
    "backdate a booking": "UPDATE ledger_transaction SET booked_on = '2020-01-01'",
    "remove a booking": "DELETE FROM ledger_transaction",
    "empty the bookings": "TRUNCATE ledger_transaction CASCADE",
    "turn one account into another": "UPDATE ledger_account SET kind = 'suspense'",
    "give an account to another fund": "UPDATE ledger_account SET fund_code = 'vftc'",
    "remove an account": "DELETE FROM ledger_account WHERE kind = 'suspense'",
    "rename a book": "UPDATE ledger_book SET fund_code = 'mine'",
    "empty everything": "TRUNCATE ledger_book CASCADE",
    "change a rate": "UPDATE exchange_rate SET units_per_usd = 1",
    "remove a rate": "DELETE FROM exchange_rate",
    "empty the rates": "TRUNCATE exchange_rate CASCADE",
    "a dollar that is not one": RATE.format(currency="USD", rate="0.99"),
    "a rate below zero": RATE.format(currency="EUR", rate="-1"),
    "a second rate for the same day": RATE.format(currency="XOF", rate="601"),
    "change a commitment": "UPDATE commitment SET amount_usd_minor = 1",
    "remove a commitment": "DELETE FROM commitment",
    "empty the commitments": "TRUNCATE commitment",
    "release more than is set aside": f"""
        INSERT INTO commitment
            (id, fund_code, source_ref, movement_ref, amount_usd_minor, made_at)
        VALUES (gen_random_uuid(), '{FUND}', '{AWARD}', 'forged', -100001, now())""",
    "change a percentage": "UPDATE fund_percent SET percent = 0",
    "remove a percentage": "DELETE FROM fund_percent",
    "change a balance": "UPDATE ledger_balance SET usd = usd + 1",
    "remove a balance": "DELETE FROM ledger_balance",
    "empty the balances": "TRUNCATE ledger_balance",
    "a balance of nothing": """
        INSERT INTO ledger_balance
            (account_id, currency, grain, starts_on, amount, usd, entries)
        SELECT id, 'EUR', 'day', '2026-11-02', 5, 5, 1 FROM ledger_account LIMIT 1""",
    "change a balance as a replica": """
        SET LOCAL session_replication_role = replica;
        UPDATE ledger_balance SET usd = usd + 1""",
    "change what is set aside": "UPDATE commitment_balance SET usd = usd + 1",
    "remove what is set aside": "DELETE FROM commitment_balance",
    "set aside nothing": f"""
        INSERT INTO commitment_balance (fund_code, grain, starts_on, usd, movements)
        VALUES ('{FUND}', 'day', '2026-11-02', 5, 1)""",
    "add to a closed booking, balanced": entry("bank", 500, to=of("wire:act:1"))
    + entry("suspense", -500, to=of("wire:act:1")),
    "a booking without entries": booking(),
    "a booking with one entry": booking() + entry("bank", 500),
    "a cent off": booking() + entry("bank", 500) + entry("suspense", -499),
    "balanced over two funds only": booking()
    + entry("bank", 500)
    + entry("bank", -500, fund="vftc"),
    "balanced with nothing": booking() + entry("bank", 0) + entry("suspense", 0),
    "cents that are not its dollars": booking()
    + entry("bank", 500, amount=900)
    + entry("suspense", -500),
    "the same cause twice": booking(ref="wire:act:1") + PAIR,
    "a reversal of nothing": booking(kind="reversal") + PAIR,
    "a reversal that is not the mirror": REVERSAL + PAIR,
    "half a reversal": REVERSAL
    + entry("bank", -2_500_00)
    + entry("contribution_revenue", 2_500_00),
    "a second reversal": REVERSAL
    + MIRROR
    + booking(SECOND, "forged:3", kind="reversal", reverses=of("wire:act:1"))
    + MIRROR.replace(NEW, SECOND),
    "a reversal of a reversal": REVERSAL
    + MIRROR
    + booking(SECOND, "forged:3", kind="reversal", reverses=f"'{NEW}'")
    + (entry("bank", 5_000_00) + entry("contribution_revenue", -5_000_00)).replace(NEW, SECOND),
    "a name in a booking": booking(narrative="Paid to a person") + PAIR,
    "a name in a reference": booking(ref="wire from a person") + PAIR,
    "around the triggers as a replica": """
        SET LOCAL session_replication_role = replica;
        UPDATE ledger_entry SET usd = usd + 1, amount = amount + 1""",
    "unbalanced as a replica": "SET LOCAL session_replication_role = replica;"
    + booking()
    + entry("bank", 500),
    "the check put off": "SET CONSTRAINTS ALL DEFERRED;" + booking() + entry("bank", 500),
}

CONTENT = """
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
    SELECT t::text AS line FROM ledger_transaction t UNION ALL
    SELECT e::text FROM ledger_entry e UNION ALL
    SELECT a::text FROM ledger_account a UNION ALL
    SELECT b::text FROM ledger_book b UNION ALL
    SELECT c::text FROM commitment c UNION ALL
    SELECT k::text FROM ledger_balance k UNION ALL
    SELECT k::text FROM commitment_balance k UNION ALL
    SELECT p::text FROM fund_percent p UNION ALL
    SELECT r::text FROM exchange_rate r
) AS everything
"""


@pytest.fixture
def books(fresh_database: str) -> sa.Engine:
    """Return an engine on books with a contribution, a commitment, an advance and a rate."""
    open_fund(usd(5_000_00), percent="13")
    open_fund(usd(5_000_00), fund="vftc")
    service.commit_funds(FUND, AWARD, usd(4_000_00), by=None)
    advance(amount=usd(3_000_00))
    session.execute(sa.text(RATE.format(currency="XOF", rate="600")))
    session.commit()
    return sa.create_engine(fresh_database, poolclass=sa.NullPool)


def attempt(engine: sa.Engine, statements: str) -> None:
    """Run `statements` in one transaction of their own, and commit."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statements)


def content(engine: sa.Engine) -> str:
    """Return a digest of every row of the books."""
    with engine.connect() as connection:
        return str(connection.scalar(sa.text(CONTENT)))


def test_every_attempt_is_refused_and_leaves_no_trace(books: sa.Engine) -> None:
    before = content(books)
    for name, statements in ATTEMPTS.items():
        with pytest.raises(sa.exc.IntegrityError) as refused:
            attempt(books, statements)
        assert content(books) == before, f"{name}: {refused.value}"


def test_the_same_statements_are_taken_when_they_are_honest(books: sa.Engine) -> None:
    attempt(books, booking() + PAIR)
    attempt(
        books,
        booking(SECOND, "r", kind="reversal", reverses=of("wire:act:1"))
        + MIRROR.replace(NEW, SECOND),
    )


def test_a_booking_takes_entries_in_its_own_transaction_only(books: sa.Engine) -> None:
    with books.connect() as one, books.connect() as other:
        one.exec_driver_sql(booking() + PAIR)
        with pytest.raises(sa.exc.IntegrityError):
            other.exec_driver_sql(entry("bank", 500))
        other.rollback()
        one.commit()
        with pytest.raises(sa.exc.IntegrityError, match="too late"):
            one.exec_driver_sql(entry("bank", 500))


def test_entries_may_come_in_any_savepoint_of_their_transaction(books: sa.Engine) -> None:
    with books.begin() as connection:
        connection.exec_driver_sql(booking())
        with connection.begin_nested():
            connection.exec_driver_sql(PAIR)
