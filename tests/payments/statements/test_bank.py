"""Statements of an independent bank: taken in day by day, booked, and agreeing to the cent."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pycamt.parser import Camt053Parser
from sqlalchemy import select

from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import exchange
from portal.payments.models import BankAccount, OrderStatus, PaymentOrder
from portal.payments.statements import queries, service
from portal.payments.statements.models import Purpose, StatementLine
from tests.make import contributions as give
from tests.make import payments as make
from tests.payments.bank import OURS, Bank
from tests.payments.conftest import World
from tests.payments.counter import Counter, opened
from tests.payments.statements import outgoing
from tests.payments.statements.books import wrong


@pytest.fixture
def order(world: World) -> PaymentOrder:
    """Return a payment by the bank that three people signed."""
    make.fund_account(who=world.till)
    found = outgoing.signed(world)
    session.commit()
    return found


@pytest.fixture
def counter(order: PaymentOrder, tmp_path: Path) -> Iterator[Counter]:
    """Return a bank that holds what the books say."""
    del order
    held = ledger.bank_balance("act", "USD").minor
    with opened(tmp_path / "bank", balance=held) as found:
        yield found


def booked(counter: Counter) -> list[exchange.Read]:
    """Take in what the bank sent, and book its lines."""
    read = counter.answers()
    for _done in exchange.book_all():
        pass
    return read


def held_by(bank: Bank) -> int:
    return int(bank.accounts()[OURS]["balance"])


def test_a_week_at_the_bank_agrees_to_the_cent(counter: Counter, order: PaymentOrder) -> None:
    agreement = give.agreement(give.desk(), amount=usd(5_000_000))
    session.commit()
    counter.bank.credit(OURS, 3_000_000, "Harbour Foundation", note=f"as agreed {agreement.ref}")
    counter.bank.credit(OURS, 12_345, "Somebody", note="keep up the good work")
    counter.send()
    for _day in range(3):
        counter.next_day()
        assert not [read.refusal for read in booked(counter) if "053" in read.name and read.refusal]
    session.expire_all()
    assert order.status is OrderStatus.CONFIRMED
    purposes = [each.purpose for each in session.scalars(select(StatementLine))]
    assert sorted(str(each) for each in purposes) == sorted(
        [str(Purpose.CONTRIBUTION), str(Purpose.PAYMENT), "None"]
    )
    assert agreement.settled == 3_000_000
    account = session.scalars(select(BankAccount)).one()
    standing = queries.standing(account)
    assert standing.by_bank == standing.by_books == usd(held_by(counter.bank))
    assert standing.in_suspense == usd(12_345)
    assert [balance for _fund, _day, balance in queries.closings()][-1] == standing.by_books
    assert wrong() == []


def test_a_statement_with_a_line_left_out_stops_with_its_figures(
    counter: Counter, order: PaymentOrder
) -> None:
    del order
    counter.next_day()
    booked(counter)
    counter.bank.patch(OURS, behaviour="statement-gap")
    counter.bank.credit(OURS, 12_345, "Somebody", note="left out")
    counter.next_day()
    [refused] = [read.refusal for read in booked(counter) if read.refusal]
    assert "do not lead to its closing balance" in refused
    assert session.scalars(select(StatementLine)).all() == []
    counter.bank.patch(OURS, behaviour="accept")
    counter.next_day()
    [after] = [read.refusal for read in booked(counter) if read.refusal]
    assert "A statement is missing" in after


def test_a_second_reader_finds_the_same_lines(counter: Counter, order: PaymentOrder) -> None:
    del order
    for cents in (12_345, 99, 500_000):
        counter.bank.credit(OURS, cents, "Somebody", note=f"gift {cents}")
    counter.send()
    counter.next_day()
    [sent] = [each for each in counter.bank.messages("camt.053") if each.account == OURS]
    booked(counter)
    theirs = Camt053Parser(sent.xml).get_transactions()
    ours = session.scalars(select(StatementLine).order_by(StatementLine.number)).all()
    assert [
        (line.reference, f"{abs(line.money).amount:f}", "CRDT" if line.is_credit else "DBIT")
        for line in ours
    ] == [(each["TransactionID"], each["Amount"], each["CreditDebitIndicator"]) for each in theirs]


def test_the_banks_own_file_replayed_changes_nothing(counter: Counter, order: PaymentOrder) -> None:
    del order
    counter.next_day()
    [sent] = [each for each in counter.bank.messages("camt.053") if each.account == OURS]
    booked(counter)
    [again] = service.import_statement(BytesIO(sent.xml), by=None)
    assert again.again
    with pytest.raises(Refused):
        service.import_statement(BytesIO(sent.xml.replace(b"CRDT", b"DBIT", 1)), by=None)
