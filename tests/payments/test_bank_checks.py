"""The invariants of payment files find what somebody did behind the triggers' back."""

# ruff: noqa: S608 — the statements are made of values of this file

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa

from portal.core import clock, crypto
from portal.core.check import Check
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import checks, exchange, service
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.rules import SILENT_AFTER
from portal.payments.service import bank_messages, sending
from portal.payments.service.bank_messages import Received
from tests.conftest import SqlCount
from tests.payments.payday import FUND, Payday, release

NAMES = {
    "files": "Every payment file opens, and pays exactly its orders",
    "messages": "What the bank answered is kept as it came",
    "filed": "Every payment released for the bank is in a file within a day",
    "left": "Every payment file leaves in time, or is withdrawn",
    "signed": "Every order in a file was signed by all, and released",
    "hand": "What the bank paid, nobody says by hand",
    "transit": "Payments by the bank are in transit until it speaks, and then no longer",
    "told": "Files, messages and accounts are what the audit chain says",
}

CONFIRMED = "WHERE status = 'confirmed'"
HARM = {
    "another payment file": (
        "UPDATE payment_file SET sha256 = repeat('0', 64)",
        {"files", "told"},
    ),
    "the content of another document": (
        "UPDATE payment_file SET content_id = (SELECT content_id FROM bank_message LIMIT 1)",
        {"files"},
    ),
    "an order moved out of its file": (
        f"UPDATE payment_order SET file_id = NULL {CONFIRMED}",
        {"files", "hand"},
    ),
    "another amount than left": (
        f"UPDATE payment_order SET amount = amount - 1, amount_usd = amount_usd - 1 {CONFIRMED}",
        {"files"},
    ),
    "another answer of the bank": (
        "UPDATE bank_message SET sha256 = repeat('0', 64)",
        {"messages", "told"},
    ),
    "a signature taken away": (
        "DELETE FROM payment_approval WHERE step = 'approve'",
        {"signed"},
    ),
    "a release over something else": (
        "UPDATE payment_approval SET digest = repeat('0', 64) WHERE step = 'release'",
        {"signed"},
    ),
    "a confirmation by hand": (
        f"UPDATE payment_order SET confirmed_by_id = (SELECT id FROM person LIMIT 1) {CONFIRMED}",
        {"hand"},
    ),
    "a settlement of nothing": (
        "UPDATE ledger_transaction SET source_ref = 'another' WHERE kind = 'payment_settled'",
        {"transit"},
    ),
    "a payment that never was in transit": (
        """UPDATE ledger_transaction SET source_ref = 'another' WHERE kind = 'advance_paid'
        AND source_ref = (SELECT ref FROM payment_order WHERE status = 'released')""",
        {"transit"},
    ),
    "a file that left on another day": (
        "UPDATE payment_file SET sent_at = sent_at - interval '1 day'",
        {"told"},
    ),
    "another who confirmed an account": (
        """UPDATE bank_account SET confirmed_by_id =
        (SELECT id FROM person WHERE id NOT IN (proposed_by_id, confirmed_by_id) LIMIT 1)""",
        {"told"},
    ),
}
TABLES = (
    "bank_account",
    "bank_message",
    "ledger_transaction",
    "payment_approval",
    "payment_file",
    "payment_order",
)


def every() -> dict[str, Check]:
    return {check.name: check for check in checks.of_files()}


def broken() -> set[str]:
    """Return the names of the invariants that do not hold."""
    session.expunge_all()
    found = every()
    return {name for name, sentence in NAMES.items() if found[sentence].run().violations}


def harm(statement: str) -> None:
    """Run `statement` as the owner of the tables can, with all triggers off."""
    for table in TABLES:
        session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    session.execute(sa.text(statement))
    session.expire_all()


def answered(refs: str) -> bytes:
    """Return what a bank says of a file it has: each payment accepted."""
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>A-1</MsgId><CreDtTm>2026-11-22T09:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{refs}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>""".encode()


def left(payday: Payday, count: int) -> list[PaymentOrder]:
    """Return orders in one file that left."""
    orders = release(payday, count)
    [file] = exchange.gather_all()
    service.hand_over(file, by=payday.till.treasurer)
    session.commit()
    return orders


@pytest.fixture
def busy(payday: Payday) -> Payday:
    """Return a day on which the bank took a file of two, paid one, and said so."""
    first, _second = left(payday, 2)
    message = answered(first.file.message_id if first.file else "")
    take(message)
    service.settle_by_bank(first, debited=first.money, on=clock.today(), reference="B-1")
    session.commit()
    return payday


def take(message: bytes) -> Received:
    received = bank_messages.receive_file(BytesIO(message), by=None)
    session.commit()
    return received


def test_nothing_is_wrong_with_what_the_verbs_did(busy: Payday) -> None:
    assert broken() == set()
    assert {
        check.name: check.run().violations for check in (*checks.of_orders(), *checks.of_awards())
    } == {check.name: [] for check in (*checks.of_orders(), *checks.of_awards())}
    counts = {name: every()[sentence].run().count for name, sentence in NAMES.items()}
    assert (counts["files"], counts["messages"], counts["signed"]) == (1, 1, len(busy.refs))
    first, second, *_rest = busy.orders
    service.return_by_bank(
        first, credited=first.money, on=clock.today(), reference="R-1", reason="AC04"
    )
    service.reject_by_bank(second, reason="AM04")
    session.commit()
    assert broken() == set()
    assert [
        each.run().violations
        for each in (*checks.of_orders(), *checks.of_awards())
        if each.run().violations
    ] == []


def test_every_harm_is_found_by_the_invariants_that_it_breaks(busy: Payday) -> None:
    del busy
    assert {check.name for check in checks.of_files()} == set(NAMES.values())
    for name, (statement, expected) in HARM.items():
        harm(statement)
        assert broken() == expected, name
        session.rollback()


def test_a_released_payment_that_no_file_takes_is_found_after_a_day(payday: Payday) -> None:
    release(payday, 1)
    assert broken() == set()
    with clock.at(clock.now() + timedelta(days=2)):
        assert broken() == {"filed"}


def test_files_of_which_the_key_was_destroyed_are_no_violation(busy: Payday) -> None:
    file = busy.orders[0].file
    assert file is not None
    crypto.destroy(file.sealing_key)
    session.commit()
    assert broken() == set()


def test_messages_come_back_as_they_came_whatever_their_letters(payday: Payday) -> None:
    order = left(payday, 1)[0]
    said = answered(order.file.message_id if order.file else "").replace(
        b"<GrpSts>", "<!-- café --><GrpSts>".encode("latin-1")
    )
    take(b'<?xml version="1.0" encoding="ISO-8859-1"?>' + said)
    assert broken() == set()


def test_a_silent_bank_may_be_said_not_to_have_paid_and_the_books_take_it_back(
    payday: Payday,
) -> None:
    order = left(payday, 1)[0]
    before = ledger.position(FUND).available
    with pytest.raises(Refused, match="still has time"):
        service.reject_order(order, "It says that it never had it.", by=payday.till.finance)
    session.rollback()
    with clock.at(clock.now() + SILENT_AFTER + timedelta(hours=1)):
        service.reject_order(order, "It says that it never had it.", by=payday.till.finance)
        session.commit()
        assert order.status is OrderStatus.REJECTED
        assert ledger.position(FUND).available == before
        assert broken() == set()
        assert [
            each.name
            for each in (*checks.of_orders(), *checks.of_awards())
            if each.run().violations
        ] == []
        late = payday.orders[0]
        with pytest.raises(Refused, match="does not fit"):
            service.settle_by_bank(late, debited=late.money, on=clock.today(), reference="late")


def test_what_was_rejected_before_its_file_never_leaves(payday: Payday) -> None:
    order = release(payday, 1)[0]
    service.reject_order(order, "The grantee asked for it.", by=payday.till.finance)
    session.commit()
    assert list(exchange.gather_all()) == []
    assert order.money == usd(order.amount_usd)
    assert broken() == set()


def test_an_order_that_got_into_a_file_meanwhile_is_not_rejected(payday: Payday) -> None:
    order = release(payday, 1)[0]
    assert order.file is None
    [file] = exchange.gather_all()
    sa.orm.attributes.set_committed_value(order, "file", None)
    sa.orm.attributes.set_committed_value(order, "file_id", None)
    with pytest.raises(Refused, match="still has time"):
        service.reject_order(order, "Too late.", by=payday.till.finance)
    session.rollback()
    assert sending.content_of(file)


def test_the_checks_of_files_take_a_fixed_number_of_statements(
    payday: Payday, count_sql: Callable[[], AbstractContextManager[SqlCount]]
) -> None:
    totals = []
    for _round in range(2):
        release(payday, 6 * (_round + 1))
        assert list(exchange.gather_all())
        session.expunge_all()
        with count_sql() as count:
            for check in checks.of_files():
                check.run()
        totals.append(count.total)
    assert totals[0] == totals[1]
