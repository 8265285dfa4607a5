"""An account that was taken out of use pays nothing: its files are withdrawn, or do not leave."""

from pathlib import Path

import pytest

from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import exchange, queries, service
from portal.payments.holding import held_back_at_all
from portal.payments.models import FileStatus, OrderStatus
from portal.payments.queries import Matter
from portal.payments.rails import bank
from portal.payments.service import sending
from tests.browser import Browser
from tests.make import payments as make
from tests.payments.payday import FUND, Payday
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller
from tests.payments.test_bank_pages import enter
from tests.payments.test_leaving import kept, wrong

ANOTHER = "NL57MOCK0000000004"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the bank, which is set."""
    bank.configure(tmp_path, None)
    return tmp_path


@pytest.fixture(autouse=True)
def _no_folder_after_the_test() -> None:
    bank.configure(None, None)


def close(payday: Payday) -> None:
    service.close_account(payday.account, by=payday.till.treasurer)
    session.commit()


def test_a_file_that_has_not_left_is_withdrawn_and_its_payments_wait_for_another_account(
    payday: Payday, folder: Path
) -> None:
    file, orders = kept(payday)
    close(payday)
    assert list(exchange.send_all()) == []
    assert list(folder.iterdir()) == []
    assert file.status is FileStatus.WITHDRAWN
    assert list(exchange.gather_all()) == []
    held = held_back_at_all(orders[0])
    assert held is not None
    assert "no account in USD in use any more" in held.why
    waits = [each.matter for each in queries.queue(payday.till.finance)]
    assert waits.count(Matter.HELD) == len(orders)
    another = make.fund_account(FUND, payday.till, account=ANOTHER)
    session.commit()
    waits = [each.matter for each in queries.queue(payday.till.finance)]
    assert Matter.HELD not in waits
    [anew] = exchange.gather_all()
    assert (anew.bank_account, set(anew.orders)) == (another, set(orders))
    assert list(exchange.send_all()) == [anew]
    assert wrong() == []


def test_without_a_folder_nobody_takes_it_out(payday: Payday) -> None:
    file, _orders = kept(payday)
    close(payday)
    for verb in (service.read_file, service.hand_over):
        with pytest.raises(Refused, match="was taken out of use"):
            verb(file, by=payday.till.treasurer)
        session.rollback()
    assert list(exchange.withdraw_all()) == [file]


def test_a_file_that_was_leaving_is_not_sent_any_more(payday: Payday, folder: Path) -> None:
    file, _orders = kept(payday)
    assert sending.begin_next() is file
    session.commit()
    close(payday)
    assert list(exchange.send_all()) == []
    with pytest.raises(Refused, match="was taken out of use"):
        service.send_again(file, by=payday.till.treasurer)
    session.rollback()
    assert list(folder.iterdir()) == []
    assert file.status is FileStatus.KEPT


def test_what_left_before_is_settled_by_the_statements_of_the_account(payday: Payday) -> None:
    file, [order] = kept(payday, 1)
    service.hand_over(file, by=payday.till.treasurer)
    close(payday)
    teller = Teller(payday.account.account, "USD", ledger.bank_balance(FUND, "USD").minor)
    taken_in(teller, Move(-order.amount, end_to_end_id=order.ref))
    session.refresh(order)
    assert order.status is OrderStatus.CONFIRMED
    assert wrong() == []


def test_who_takes_an_account_out_of_use_is_told_which_files_may_be_with_the_bank(
    payday: Payday, application: Portal
) -> None:
    left, _orders = kept(payday, 1)
    service.hand_over(left, by=payday.till.treasurer)
    session.commit()
    here, [order] = kept(payday, 1)
    names = [file.message_id for file in (left, here)]
    page, ref = f"/bank/accounts/{payday.account.id}/close", order.ref
    visitor = enter(Browser(application), payday, "treasurer")
    said = visitor.open(page, 200).text
    assert "Files of it may be with the bank" in said
    assert names[0] in said
    assert names[1] not in said
    visitor.press("Take the account out of use")
    list(exchange.withdraw_all())
    assert "It is held back" in visitor.open(f"/payments/{ref}", 200).text
    assert "out of use" in visitor.open(f"/bank/files/{names[1]}", 200).text
