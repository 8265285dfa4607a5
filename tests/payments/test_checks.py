"""The invariants find what somebody did behind the triggers' back."""

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.db import session
from portal.payments import checks, service
from tests.make import payments as make
from tests.payments.conftest import World

NAMES = {
    "signed": "every payment is signed by three people, none of whom entered the account",
    "digests": "every signature is over what the order says",
    "award": "no grant is paid above its award or its ceiling",
    "books": "the books hold exactly the payments that were confirmed",
    "instruction": "every released payment has its instruction, unharmed",
    "stuck": "no payment is stuck with a paying agent",
}

HARM = {
    "a signature taken away": (
        "DELETE FROM payment_approval WHERE step = 'approve'",
        {"signed"},
    ),
    "a signatory who entered the account": (
        """UPDATE bank_details SET entered_by_id =
        (SELECT person_id FROM payment_approval WHERE step = 'certify')""",
        {"signed"},
    ),
    "another amount": (
        "UPDATE payment_order SET amount = amount + 1, amount_usd = amount_usd + 1",
        {"digests", "books"},
    ),
    "another payee": ("UPDATE bank_details SET digest = repeat('0', 64)", {"digests"}),
    "more than the award": (
        "UPDATE payment_order SET amount = 500100, amount_usd = 500100",
        {"digests", "books", "award"},
    ),
    "a payment that was never booked": (
        "UPDATE ledger_transaction SET source_ref = 'another' WHERE kind = 'advance_paid'",
        {"books"},
    ),
    "no instruction": (
        "UPDATE stored_file SET sha256 = repeat('0', 64) WHERE name LIKE 'instruction%'",
        {"instruction"},
    ),
}


def broken() -> set[str]:
    """Return the names of the invariants that do not hold."""
    names = {sentence: name for name, sentence in NAMES.items()}
    return {names[check.name] for check in checks.checks() if check.run().violations}


@pytest.fixture
def paid(world: World) -> World:
    make.signed(world.order, world.till)
    service.confirm(world.order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    session.commit()
    return world


def test_nothing_is_wrong_with_what_the_verbs_did(paid: World) -> None:
    assert broken() == set()
    assert all(check.run().count == 1 for check in checks.checks() if check.name != NAMES["stuck"])
    session.rollback()
    service.return_order(paid.order, "No such account.", on=clock.today(), by=paid.till.finance)
    session.commit()
    assert broken() == set()


def test_every_harm_is_found_by_the_invariants_that_it_breaks(paid: World) -> None:
    del paid
    assert {check.name for check in checks.checks()} == set(NAMES.values())
    for name, (statement, expected) in HARM.items():
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for table in ("ledger_transaction", "payment_order", "bank_details", "payment_approval"):
            session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(sa.text(statement))
        assert broken() == expected, name
        session.rollback()


def test_a_payment_that_nobody_speaks_of_is_found(world: World) -> None:
    make.signed(world.order, world.till)
    session.commit()
    assert broken() == set()
    with clock.at(clock.now() + checks.STUCK_AFTER * 2):
        assert broken() == {"stuck"}
