"""The fund position at few and at many entries, opened as a reader opens it."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

from flask import url_for
from sqlalchemy import text

from portal.accounts.models import Role
from portal.accounts.service import start_session
from portal.app import create_app
from portal.cli.bench.people import person
from portal.core import clock
from portal.core.config import Settings
from portal.core.db import session
from portal.ledger.models import LedgerEntry
from portal.ledger.service import open_book

FUND = "act"
SLICE = 50_000
"""How many bookings go in by one statement."""
OK = 200

HURRY = (
    "ALTER TABLE ledger_transaction DISABLE TRIGGER ledger_transaction_balance",
    "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_balance",
)
"""What demands of each single booking that it balances; these do, by how they are made."""

BOOKINGS = """
INSERT INTO ledger_transaction
    (id, kind, source_ref, subject_ref, booked_on, created_at, narrative, xact)
SELECT gen_random_uuid(), kinds.kind, 'bench:' || n, 'bench:award:' || n % 1000,
    CAST(:today AS date) - CAST(n * 7919 % 1825 AS int), now(), '', 0
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
JOIN (VALUES (0, 'contribution_received'), (1, 'advance_paid'), (2, 'expenditure_accepted'),
    (3, 'charged')) AS kinds (number, kind) ON kinds.number = n % 4
"""

ENTRIES = """
INSERT INTO ledger_entry (id, transaction_id, account_id, currency, amount, usd)
SELECT gen_random_uuid(), t.id, a.id, 'USD', sides.cents, sides.cents
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
JOIN ledger_transaction t ON t.source_ref = 'bench:' || n
JOIN (VALUES
    (0, 'bank', 100000), (0, 'contribution_revenue', -100000),
    (1, 'advances_to_grantees', 20000), (1, 'bank', -20000),
    (2, 'grant_expenditure', 15000), (2, 'advances_to_grantees', -15000),
    (3, 'bank_charges', 350), (3, 'bank', -350)
) AS sides (number, kind, cents) ON sides.number = n % 4
JOIN ledger_account a ON a.fund_code = :fund AND a.kind = sides.kind
"""

COMMITMENTS = """
INSERT INTO commitment (id, fund_code, source_ref, movement_ref, amount_usd_minor, made_at)
SELECT gen_random_uuid(), :fund, 'bench:award:' || n, 'bench:commit:' || n, 50000,
    CAST(:today AS date) - CAST(n * 7919 % 1825 AS int) * interval '1 day'
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n WHERE n % 50 = 0
"""


def page_of(settings: Settings) -> Callable[[], None]:
    """Return what opens the position of a fund once, as somebody who may."""
    app = create_app(settings)
    open_book(FUND)
    reader = person(Role.AUDITOR)
    token = start_session(reader).token
    session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    with app.test_request_context():
        address = url_for("accounting.position", code=FUND)

    def opened() -> None:
        answer = client.get(address)
        if answer.status_code != OK:
            raise RuntimeError(f"{address} answered {answer.status_code}")

    return opened


def fill(entries: int) -> None:
    """Bring the books of the fund to so many entries (two a booking), spread over five years.

    They go in by statements of many rows, as no person books; the balances follow by the same
    triggers as ever.
    """
    there = session.query(LedgerEntry).count() // 2
    for statement in HURRY:
        session.execute(text(statement))
    for first in range(there + 1, entries // 2 + 1, SLICE):
        last = min(first + SLICE - 1, entries // 2)
        values = {"first": first, "last": last, "fund": FUND, "today": clock.today()}
        for statement in (BOOKINGS, ENTRIES, COMMITMENTS):
            session.execute(text(statement), values)
        session.commit()
    session.execute(text("ANALYZE"))
    session.commit()
    session.remove()


def median_seconds(opened: Callable[[], None], times: int) -> float:
    """Return the median of how long it takes, after one time that does not count."""
    opened()
    taken = []
    for _time in range(times):
        begun = perf_counter()
        opened()
        taken.append(perf_counter() - begun)
    return median(taken)
