"""Files that should have left: the list, the home page, the file's page and the check name them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.payments import banking, exchange, service, steps
from portal.payments.models import FileStatus, PaymentFile
from portal.payments.rails import bank
from portal.payments.rules import LEAVES_WITHIN, SILENT_AFTER
from portal.payments.service import sending
from tests.browser import Browser
from tests.make.accounts import PASSWORD
from tests.payments.payday import Payday
from tests.payments.test_bank_pages import enter
from tests.payments.test_leaving import kept, suspend, wrong

STAYS = "See to payment files that do not leave (1)"
TO_TAKE = "Take payment files to the bank (1)"
ASK = "Ask the bank: it is silent over 1 file"
MINUTE = timedelta(minutes=1)
NAME = "Every payment file leaves in time, or is withdrawn"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the bank, which is set."""
    bank.configure(tmp_path, None)
    return tmp_path


@pytest.fixture(autouse=True)
def _no_folder_after_the_test() -> Iterator[None]:
    yield
    bank.configure(None, None)


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser in which treasury is signed in."""
    return enter(Browser(application), payday, "treasurer")


def titles(payday: Payday) -> list[str]:
    """Return the tasks of treasury that are about files."""
    found = [todo.title for todo in steps.todos(payday.till.treasurer)]
    return [title for title in found if title in {STAYS, TO_TAKE, ASK}]


def stuck(payday: Payday) -> PaymentFile:
    """Return a file that began to leave, and cannot: a payment of it must not be made any more."""
    file, (held, _other) = kept(payday)
    assert sending.begin_next() is file
    session.commit()
    suspend(held)
    assert list(exchange.send_all()) == []
    return file


def test_one_that_began_to_leave_and_cannot_is_named_until_the_bank_is_asked(
    payday: Payday, folder: Path, visitor: Browser
) -> None:
    file = stuck(payday)
    name = file.message_id
    assert titles(payday) == []
    with clock.at(clock.now() + LEAVES_WITHIN + MINUTE):
        assert titles(payday) == [STAYS]
        assert banking.file_is_overdue(file)
        session.rollback()
        visitor.open("/home")
        visitor.follow(STAYS)
        assert "Nobody says that the bank has it." in visitor.page.text
        visitor.follow(name)
        assert "It began to leave on" in visitor.page.text
        assert "Record that the bank has it" in visitor.page.text
    with clock.at(clock.now() + timedelta(days=1) + MINUTE):
        [said] = wrong()
        assert said.startswith(f"{NAME}: File {name} began to leave on")
    with clock.at(clock.now() + SILENT_AFTER + MINUTE):
        assert titles(payday) == [STAYS, ASK]
        session.rollback()
        visitor.sign_in(payday.emails["treasurer"], PASSWORD)
        assert "unknown is not failed" in visitor.open(f"/bank/files/{name}", 200).text
        assert "The bank is silent: ask it." in visitor.open("/bank/files", 200).text
    assert list(folder.iterdir()) == []


def test_one_that_leaves_by_itself_is_not_recorded_by_hand_before_it_is_overdue(
    payday: Payday, folder: Path, visitor: Browser
) -> None:
    file, treasurer = stuck(payday), payday.till.treasurer
    page, held = f"/bank/files/{file.message_id}/handed-over", sorted(sending.why_not(file))
    with pytest.raises(Refused, match="leaves by itself"):
        service.hand_over(file, by=treasurer, told_to_stop=held)
    with clock.at(clock.now() + LEAVES_WITHIN + MINUTE):
        service.hand_over(file, by=treasurer, told_to_stop=held)
        assert file.status is FileStatus.SENT
    session.rollback()
    bank.configure(None, None)
    visitor.open(page, 200)
    bank.configure(folder, None)
    visitor.press("Record that the bank has it", 422)
    assert "leaves by itself within minutes" in visitor.page.text


def test_one_that_cannot_begin_to_leave_is_named(
    payday: Payday, folder: Path, visitor: Browser
) -> None:
    file, _orders = kept(payday, 1)
    name = file.message_id
    bank.configure(folder / "gone", None)
    with pytest.raises(OSError, match="gone"):
        list(exchange.send_all())
    session.rollback()
    assert titles(payday) == []
    with clock.at(clock.now() + LEAVES_WITHIN + MINUTE):
        assert titles(payday) == [STAYS]
        session.rollback()
        assert "It does not leave." in visitor.open("/bank/files", 200).text
        assert "the folder in which" in visitor.open(f"/bank/files/{name}", 200).text
    with clock.at(clock.now() + SILENT_AFTER + MINUTE):
        [said] = wrong()
        assert f"File {name} was written on" in said
        assert titles(payday) == [STAYS], "the bank cannot have it"


def test_where_treasury_takes_files_there_one_is_overdue_once_it_was_taken_out(
    payday: Payday, visitor: Browser
) -> None:
    file, _orders = kept(payday, 1)
    soon, tomorrow = clock.now() + LEAVES_WITHIN + MINUTE, clock.now() + timedelta(days=1, hours=1)
    with clock.at(soon):
        assert (titles(payday), banking.file_is_overdue(file)) == ([TO_TAKE], False)
    service.read_file(file, by=payday.till.treasurer)
    session.commit()
    with clock.at(soon):
        assert (titles(payday), banking.file_is_overdue(file)) == ([TO_TAKE], True)
    with clock.at(tomorrow):
        assert [NAME in said for said in wrong()] == [True]
    service.hand_over(file, by=payday.till.treasurer)
    session.commit()
    with clock.at(tomorrow):
        assert (titles(payday), banking.file_is_overdue(file)) == ([], False)
        assert wrong() == []
        session.rollback()
        assert "Nobody says" not in visitor.open("/bank/files", 200).text


def test_what_has_not_left_stands_first_in_the_list(payday: Payday) -> None:
    first, _orders = kept(payday, 1)
    second, _orders = kept(payday, 1)
    service.hand_over(second, by=payday.till.treasurer)
    session.commit()
    found = [row.file for row in banking.files(payday.till.treasurer, 1).rows]
    assert found == [first, second]
    assert second.status is FileStatus.SENT
