"""The invariants find what somebody did behind the triggers' back."""

# ruff: noqa: S608 — the statements are made of values of this file

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa

from portal.core import clock, crypto
from portal.core.db import session
from portal.payments import checks, service
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make import reports
from tests.payments.conftest import World

NAMES = {
    "signed": "Every payment is signed by three people, none of whom entered the account",
    "words": "Nobody signs anew what they said was not made",
    "digests": "Every signature is over what the order says",
    "award": "No grant is paid above its award or its ceiling",
    "books": "The books hold exactly the payments that were confirmed or left",
    "instruction": "Every payment by an agent has its instruction, unharmed",
    "stuck": "No payment is stuck on its way",
    "people": "Every payment is signed by whom the audit chain names",
    "accounts": "The books of each award are its payments, reports and refunds",
    "sealed": "Sealed bank details open, and are what was entered",
}

SOMEBODY = """
SELECT id FROM person WHERE id NOT IN (SELECT person_id FROM payment_approval)
AND id NOT IN (SELECT entered_by_id FROM bank_details)
AND id NOT IN (SELECT checked_by_id FROM bank_details WHERE checked_by_id IS NOT NULL)
AND id NOT IN (SELECT confirmed_by_id FROM payment_order WHERE confirmed_by_id IS NOT NULL) LIMIT 1
"""

HARM = {
    "a signature taken away": (
        "DELETE FROM payment_approval WHERE step = 'approve'",
        {"signed"},
    ),
    "a signatory who entered the account": (
        """UPDATE bank_details SET entered_by_id =
        (SELECT person_id FROM payment_approval WHERE step = 'certify')""",
        {"signed", "people"},
    ),
    "another amount": (
        "UPDATE payment_order SET amount = amount + 1, amount_usd = amount_usd + 1",
        {"digests", "books", "accounts"},
    ),
    "another payee": (
        "UPDATE bank_details SET digest = repeat('0', 64)",
        {"digests", "people", "sealed"},
    ),
    "more than the award": (
        "UPDATE payment_order SET amount = 500100, amount_usd = 500100",
        {"digests", "books", "award", "accounts"},
    ),
    "a payment that was never booked": (
        "UPDATE ledger_transaction SET source_ref = 'another' WHERE kind = 'advance_paid'",
        {"books"},
    ),
    "no instruction": (
        "UPDATE stored_file SET sha256 = repeat('0', 64) WHERE name LIKE 'instruction%'",
        {"instruction"},
    ),
    "another releaser": (
        f"UPDATE payment_approval SET person_id = ({SOMEBODY}) WHERE step = 'release'",
        {"people"},
    ),
    "a signature of another day": (
        "UPDATE payment_approval SET at = at - interval '1 day' WHERE step = 'certify'",
        {"people"},
    ),
    "another who confirmed": (
        f"UPDATE payment_order SET confirmed_by_id = ({SOMEBODY})",
        {"people"},
    ),
    "another who checked the account": (
        f"UPDATE bank_details SET checked_by_id = ({SOMEBODY})",
        {"people"},
    ),
    "an advance on another account": (
        """UPDATE ledger_entry SET account_id = (SELECT id FROM ledger_account
        WHERE fund_code = 'act' AND kind = 'grant_expenditure') WHERE account_id =
        (SELECT id FROM ledger_account WHERE fund_code = 'act' AND kind = 'advances_to_grantees')
        """,
        {"books", "accounts"},
    ),
    "a commitment three times as large": (
        """UPDATE commitment SET amount_usd_minor = 3 * amount_usd_minor
        WHERE movement_ref LIKE '%commit'""",
        {"accounts"},
    ),
    "an instalment that says otherwise": (
        "UPDATE instalment SET paid_usd = paid_usd - 1 WHERE paid_usd > 0",
        {"accounts"},
    ),
    "another account number": (
        "UPDATE bank_details SET fingerprint = repeat('0', 64)",
        {"sealed"},
    ),
}
TABLES = (
    "bank_details",
    "commitment",
    "instalment",
    "ledger_entry",
    "ledger_transaction",
    "payment_approval",
    "payment_order",
    "receivable",
    "report",
)


def broken() -> set[str]:
    """Return the names of the invariants that do not hold."""
    names = {sentence: name for name, sentence in NAMES.items()}
    return {
        names[check.name]
        for check in (*checks.of_orders(), *checks.of_awards())
        if check.run().violations
    }


def harm(statement: str) -> None:
    """Run `statement` as the owner of the tables can, with all triggers off."""
    for table in TABLES:
        session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    session.execute(sa.text(statement))
    session.expire_all()


@pytest.fixture
def paid(world: World) -> World:
    make.signed(world.order, world.till)
    service.confirm(world.order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    session.commit()
    return world


def test_nothing_is_wrong_with_what_the_verbs_did(paid: World) -> None:
    assert broken() == set()
    counts = {check.name: check.run().count for check in (*checks.of_orders(), *checks.of_awards())}
    single = ("signed", "digests", "award", "books", "instruction", "sealed")
    assert [counts[NAMES[name]] for name in single] == [1] * len(single)
    assert (counts[NAMES["people"]], counts[NAMES["accounts"]]) == (7, 3)
    session.rollback()
    service.return_order(paid.order, "No such account.", on=clock.today(), by=paid.till.finance)
    session.commit()
    assert broken() == set()


def test_every_harm_is_found_by_the_invariants_that_it_breaks(paid: World) -> None:
    del paid
    assert {check.name for check in (*checks.of_orders(), *checks.of_awards())} == set(
        NAMES.values()
    )
    for name, (statement, expected) in HARM.items():
        harm(statement)
        assert broken() == expected, name
        session.rollback()


def test_a_payment_that_nobody_speaks_of_is_found(world: World) -> None:
    make.signed(world.order, world.till)
    session.commit()
    assert broken() == set()
    with clock.at(clock.now() + checks.STUCK_AFTER * 2):
        assert broken() == {"stuck"}


SWAP = """
UPDATE bank_details d SET sealed = other.sealed FROM bank_details other WHERE other.id <> d.id
"""


def test_bank_details_swapped_between_two_grants_are_found(paid: World) -> None:
    make.verified(paid.other, paid.till)
    session.commit()
    assert broken() == set()
    harm(SWAP)
    assert broken() == {"sealed"}


def test_bank_details_that_were_erased_are_no_violation(paid: World) -> None:
    crypto.destroy(paid.paid.application.sealing_key)
    session.commit()
    harm("UPDATE bank_details SET sealed = 'x'")
    assert broken() == set()


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE receivable SET amount_usd = amount_usd + 1,
        paid_usd = paid_usd + (paid_usd > 0)::int""",
        "DELETE FROM receivable",
        "UPDATE report SET accepted_usd = accepted_usd + 1",
        """UPDATE ledger_transaction SET subject_ref = 'other'
        WHERE kind IN ('refund_due', 'refund_received')""",
    ],
)
def test_refunds_and_reports_that_are_not_in_the_books_are_found(
    paid: World, statement: str
) -> None:
    reports.accepted(reports.submitted(paid.paid), 300_000)
    owed = service.settle_account(paid.paid, by=paid.till.finance)
    assert owed is not None
    session.commit()
    assert broken() == set()
    harm(statement)
    assert broken() == {"accounts"}
    session.rollback()
    make.paid_back(owed)
    session.commit()
    assert broken() == set()
    harm(statement)
    assert broken() == {"accounts"}


def test_the_account_of_each_award_takes_a_fixed_number_of_statements(
    paid: World, count_sql: Callable[[], AbstractContextManager[SqlCount]]
) -> None:
    make.verified(paid.other, paid.till)
    session.commit()
    taken = {}
    for check in (*checks.of_orders(), *checks.of_awards()):
        session.expunge_all()
        with count_sql() as count:
            check.run()
        taken[check.name] = count.total
    assert [taken[NAMES[name]] for name in ("people", "accounts", "sealed")] == [2, 1, 1]
