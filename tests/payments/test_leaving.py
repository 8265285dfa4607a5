"""Files that stand still: they leave by a word of their own, or are withdrawn before they do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.awards.models import AwardStatus
from portal.core import clock, crypto
from portal.core.crypto import SealingKey
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.payments import banking, checks, exchange, service
from portal.payments.models import (
    BankDetails,
    BankStatus,
    FileStatus,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.rails import bank
from portal.payments.rules import SILENT_AFTER
from portal.payments.service import sending
from tests.browser import Browser
from tests.make import payments as make
from tests.make.accounts import PASSWORD
from tests.payments.payday import Payday
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the bank takes files, once it is set."""
    return tmp_path


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser on the day's database, nobody signed in."""
    del payday
    return Browser(application)


@pytest.fixture(autouse=True)
def _no_folder_after_the_test() -> Iterator[None]:
    yield
    bank.configure(None, None)


def kept(payday: Payday, count: int = 2) -> tuple[PaymentFile, list[PaymentOrder]]:
    """Return a file that was written and has not left, with its payments."""
    waiting = [order for order in payday.orders if order.status is OrderStatus.PREPARED][:count]
    orders = [make.signed(order, payday.till) for order in waiting]
    session.commit()
    [file] = exchange.gather_all()
    return file, orders


def wrong() -> list[str]:
    return [f"{each.name}: {said}" for each in checks.checks() for said in each.run().violations]


def suspend(order: PaymentOrder) -> None:
    order.instalment.award.status = AwardStatus.SUSPENDED
    session.commit()


def test_a_file_says_that_it_leaves_before_its_bytes_do(payday: Payday, folder: Path) -> None:
    file, _orders = kept(payday)
    bank.configure(folder, None)
    assert sending.begin_next() is file
    session.commit()
    assert (file.status, file.leaving_at is None) == (FileStatus.KEPT, False)
    assert list(folder.iterdir()) == []
    assert sending.begin_next() is None
    assert sending.send_next() is file
    session.commit()
    assert [path.name for path in folder.iterdir()] == [f"{file.message_id}.xml"]
    assert file.status is FileStatus.SENT
    assert wrong() == []


def test_what_must_wait_stops_its_file_and_the_others_enter_another(
    payday: Payday, folder: Path
) -> None:
    file, (held, other) = kept(payday)
    suspend(held)
    bank.configure(folder, None)
    assert list(exchange.send_all()) == []
    assert file.status is FileStatus.WITHDRAWN
    assert (held.file, held.status) == (None, OrderStatus.RELEASED)
    [anew] = exchange.gather_all()
    assert anew.orders == [other]
    assert list(exchange.send_all()) == [anew]
    assert wrong() == []
    held.instalment.award.status = AwardStatus.ACTIVE
    session.commit()
    [last] = exchange.gather_all()
    assert last.orders == [held]


def test_a_debit_of_an_earlier_attempt_stops_a_file_that_was_written(
    payday: Payday, folder: Path
) -> None:
    file, [order] = kept(payday, 1)
    service.hand_over(file, by=payday.till.treasurer)
    service.reject_by_bank(order, reason="AM04")
    anew = make.signed(service.prepare_order(order.instalment, by=payday.till.finance), payday.till)
    session.commit()
    [second] = exchange.gather_all()
    assert second.orders == [anew]
    teller = Teller(payday.account.account, payday.account.currency)
    taken_in(teller, Move(-order.amount, end_to_end_id=order.ref))
    bank.configure(folder, None)
    assert list(exchange.send_all()) == []
    assert second.status is FileStatus.WITHDRAWN
    assert list(exchange.gather_all()) == []
    assert list(folder.iterdir()) == []


def test_without_a_folder_the_sweep_withdraws_and_nobody_can_take_it_out(payday: Payday) -> None:
    file, (held, _other) = kept(payday)
    suspend(held)
    with pytest.raises(Refused, match=f"Payment {held.ref} of this file must not be made"):
        service.read_file(file, by=payday.till.treasurer)
    session.rollback()
    assert list(exchange.withdraw_all()) == [file]
    assert list(exchange.withdraw_all()) == []
    for verb in (service.read_file, service.hand_over):
        with pytest.raises(Refused, match="withdrawn before it left"):
            verb(file, by=payday.till.treasurer)
        session.rollback()
    service.reject_order(held, "The grant was suspended.", by=payday.till.finance)


def test_a_file_that_has_not_begun_to_leave_is_not_sent_by_hand(
    payday: Payday, folder: Path
) -> None:
    file, _orders = kept(payday, 1)
    bank.configure(folder, None)
    with pytest.raises(Refused, match="has not begun to leave"):
        service.send_again(file, by=payday.till.treasurer)
    session.rollback()
    assert list(folder.iterdir()) == []


def test_one_whose_account_cannot_be_read_stops_no_other(payday: Payday) -> None:
    first, second = payday.orders[:2]
    for order in (first, second):
        make.signed(order, payday.till)
    session.execute(
        sa.update(SealingKey)
        .where(SealingKey.id == first.instalment.award.application.sealing_key.id)
        .values(destroyed_at=clock.now(), wrapped=None)
    )
    session.commit()
    [file] = exchange.gather_all()
    assert file.orders == [second]


def test_what_treasury_took_out_may_have_left_and_stays(payday: Payday) -> None:
    file, (held, _other) = kept(payday)
    service.read_file(file, by=payday.till.treasurer)
    session.commit()
    suspend(held)
    assert list(exchange.withdraw_all()) == []
    with pytest.raises(Refused, match="still has time to answer"):
        service.reject_order(held, "The grant was suspended.", by=payday.till.finance)
    session.rollback()
    service.hand_over(file, by=payday.till.treasurer, told_to_stop=[held.ref])
    assert file.status is FileStatus.SENT


def test_a_folder_that_cannot_be_written_holds_no_payment_that_may_leave(
    payday: Payday, folder: Path
) -> None:
    file, (held, other) = kept(payday)
    bank.configure(folder / "gone", None)
    with pytest.raises(OSError, match="gone"):
        list(exchange.send_all())
    session.rollback()
    assert (file.status, file.leaving_at) == (FileStatus.KEPT, None)
    suspend(held)
    (folder / "gone").mkdir()
    assert list(exchange.withdraw_all()) == [file]
    [anew] = exchange.gather_all()
    assert anew.orders == [other]
    assert list(exchange.send_all()) == [anew]
    assert [path.name for path in (folder / "gone").iterdir()] == [f"{anew.message_id}.xml"]
    assert wrong() == []


def test_a_file_that_cannot_be_read_never_begins_to_leave_and_stops_no_other(
    payday: Payday, folder: Path
) -> None:
    lost, _orders = kept(payday, 1)
    crypto.destroy(lost.sealing_key)
    sound, _orders = kept(payday, 1)
    bank.configure(folder, None)
    assert list(exchange.send_all()) == [sound]
    assert (lost.status, lost.leaving_at) == (FileStatus.KEPT, None)


def test_a_leaving_file_that_must_wait_lets_the_next_one_leave(
    payday: Payday, folder: Path
) -> None:
    first, [held] = kept(payday, 1)
    second, _orders = kept(payday, 1)
    bank.configure(folder, None)
    assert {sending.begin_next(), sending.begin_next()} == {first, second}
    session.commit()
    suspend(held)
    assert list(exchange.send_all()) == [second]
    assert first.status is FileStatus.KEPT
    with pytest.raises(Refused, match="must not be made now"):
        service.send_again(first, by=payday.till.treasurer)


def test_what_the_books_refuse_leaves_no_bytes_behind(payday: Payday, folder: Path) -> None:
    file, _orders = kept(payday, 1)
    bank.configure(folder, None)
    never = "ALTER TABLE ledger_entry ADD CONSTRAINT never CHECK (false) NOT VALID"
    session.execute(sa.text(never))
    session.commit()
    assert list(exchange.send_all()) == []
    assert list(folder.iterdir()) == []
    assert file.status is FileStatus.KEPT
    session.execute(sa.text("ALTER TABLE ledger_entry DROP CONSTRAINT never"))
    session.commit()
    assert list(exchange.send_all()) == [file]


def test_the_same_file_is_not_sent_again_once_a_payment_of_it_was_given_up(
    payday: Payday, folder: Path
) -> None:
    file, orders = kept(payday)
    bank.configure(folder, None)
    list(exchange.send_all())
    service.reject_by_bank(orders[0], reason="AM04")
    session.commit()
    with pytest.raises(Refused, match=f"Payment {orders[0].ref} of this file"):
        service.send_again(file, by=payday.till.treasurer)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment_order SET file_id = NULL",
        "UPDATE payment_file SET leaving_at = now(), status = 'withdrawn'",
        "UPDATE payment_file SET status = 'sent', sent_at = now()",
    ],
)
def test_the_database_lets_no_payment_out_of_a_file_that_may_leave(
    payday: Payday, change: str
) -> None:
    kept(payday, 1)
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.text(change))


def test_a_file_that_leaves_is_not_withdrawn(payday: Payday, folder: Path) -> None:
    file, _orders = kept(payday, 1)
    bank.configure(folder, None)
    sending.begin_next()
    session.commit()
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(
            sa.update(PaymentFile)
            .where(PaymentFile.id == file.id)
            .values(status=FileStatus.WITHDRAWN)
        )


def test_its_page_says_that_it_was_withdrawn(payday: Payday, visitor: Browser) -> None:
    file, (held, other) = kept(payday)
    name, stopped, moved = file.message_id, held.ref, other.ref
    session.execute(
        sa.update(BankDetails)
        .where(BankDetails.id == held.bank_details_id)
        .values(status=BankStatus.DOUBTED, doubted_at=clock.now(), remark="AC04")
    )
    session.commit()
    list(exchange.withdraw_all())
    session.refresh(file)
    assert file.status is FileStatus.WITHDRAWN
    [anew] = [each.message_id for each in exchange.gather_all()]
    visitor.sign_in(payday.emails["treasurer"], PASSWORD)
    page = visitor.open(f"/bank/files/{name}", 200)
    assert "Withdrawn before it left" in page.text
    assert "The others enter a file that follows it" in page.text
    assert "Download" not in page.text
    said = page.text.split("Payments that it had")[-1]
    for ref, words in ((stopped, "stopped the file"), (moved, f"now in {anew}")):
        assert words in said.split(ref)[1].split("Released, not yet paid")[1][:80]
    visitor.follow(anew)
    assert moved in visitor.page.text
    visitor.open("/bank/files", 200)
    visitor.follow(name, 200)


def test_a_withdrawn_file_of_one_payment_speaks_of_no_others(
    payday: Payday, visitor: Browser
) -> None:
    file, [held] = kept(payday, 1)
    name = file.message_id
    suspend(held)
    list(exchange.withdraw_all())
    visitor.sign_in(payday.emails["treasurer"], PASSWORD)
    assert "The others" not in visitor.open(f"/bank/files/{name}", 200).text


def test_a_file_of_which_the_statement_told_waits_for_no_answer(
    payday: Payday, folder: Path, visitor: Browser
) -> None:
    file, [order] = kept(payday, 1)
    name = file.message_id
    bank.configure(folder, None)
    list(exchange.send_all())
    today = clock.today()
    service.settle_by_bank(order, debited=order.money, on=today, reference="B-1")
    service.return_by_bank(order, credited=order.money, on=today, reference="R-1", reason="AC04")
    session.commit()
    with clock.at(clock.now() + SILENT_AFTER + timedelta(hours=1)):
        visitor.sign_in(payday.emails["treasurer"], PASSWORD)
        assert "Ask the bank" not in visitor.open("/home", 200).text
        for path in ("/bank/files", f"/bank/files/{name}"):
            said = visitor.open(path, 200).text
            assert "Told by the statement" in said
            for words in ("no answer yet", "silent", "Send the same file again"):
                assert words not in said
        [row] = banking.files(payday.till.treasurer, 1).rows
        assert (row.paid, row.unpaid, row.came_back) == (0, 0, 1)
