"""Workers killed at every step of sending payments: the bank pays each once, the books know it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.cli.features import all_checks
from portal.core.db import connect, session
from portal.core.web import Portal
from portal.ledger import queries as ledger
from portal.ledger.models import LedgerTransaction, TransactionKind
from portal.payments import exchange
from portal.payments.models import PaymentFile
from tests.conftest import Server
from tests.journeys import crashing
from tests.journeys.bank_workers import POINTS
from tests.payments import payday
from tests.payments.counter import Counter as BankCounter

PAYMENTS = 40
SEED = 20_261_201


@pytest.fixture
def released(application: Portal, server: Server) -> Iterator[tuple[str, list[str]]]:
    """Return a database of its own with forty released payments, and their references."""
    del application  # its keys, folder and templates are this process's too
    name = f"test_{uuid4().hex[:12]}"
    engine = connect(server.copy(name))
    try:
        found = payday.prepared(PAYMENTS)
        payday.release(found, PAYMENTS)
        yield engine.url.render_as_string(hide_password=False), found.refs
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
        server.drop(name)


def test_whatever_dies_the_bank_pays_each_payment_once_and_the_books_say_the_same(
    released: tuple[str, list[str]], application: Portal, tmp_path: Path
) -> None:
    url, refs = released
    settings = application.config["SETTINGS"]
    with crashing.bank_of(tmp_path / "bank") as counter:
        deaths = crashing.crashed_through(counter, url, settings.data_dir, seed=SEED)
        print(f"seed {SEED}, deaths: {dict(deaths)}")  # noqa: T201 — shown where it fails
        assert set(deaths) == set(POINTS), "some point was never tried"
        crashing.each_is_debited_at_most_once(counter.bank)
        _hear(counter)
        crashing.each_is_debited_at_most_once(counter.bank)
        booked = ledger.bank_balance(payday.FUND, "USD").minor
        crashing.bank_and_books_agree(counter, refs, booked)
        _each_is_booked_once(refs)
    broken = {check.name: check.run().violations for check in all_checks()}
    assert {name: said for name, said in broken.items() if said} == {}


def _hear(counter: BankCounter) -> None:
    """Let the bank settle, and take in everything that it has to say."""
    counter.next_day()
    refusals = [read.refusal for read in counter.answers() if read.refusal]
    assert not refusals, refusals
    for _slice in exchange.book_all():
        pass


def _each_is_booked_once(refs: list[str]) -> None:
    """Demand one advance for each order, each in a file of its own that was sent."""
    advanced = session.scalars(
        select(LedgerTransaction.source_ref).where(
            LedgerTransaction.kind == TransactionKind.ADVANCE_PAID
        )
    )
    assert Counter(advanced) == Counter(refs)
    files = session.scalars(select(PaymentFile)).all()
    assert len(files) == PAYMENTS
    assert sorted(order.ref for file in files for order in file.orders) == sorted(refs)
