"""A payment that must not be made any more, in a file that may be with the bank already."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.payments import banking, checks, service
from portal.payments.models import BankDetails, BankStatus, FileStatus, PaymentFile, PaymentOrder
from portal.payments.rules import SILENT_AFTER
from tests.browser import Browser
from tests.payments.payday import Payday
from tests.payments.test_bank_checks import answered, take
from tests.payments.test_bank_pages import enter, recused
from tests.payments.test_leaving import kept, suspend

WARNING = "Not to be paid now"
SAYS_WHY = "no longer verified (The account is closed (AC04))"
TELL_IT = "Tell it not to make these payments"
TOLD = "The bank has had this file since before, and I told it not to make the payments above"


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser in which treasury is signed in."""
    return enter(Browser(application), payday, "treasurer")


def doubt(order: PaymentOrder) -> None:
    doubted = {"status": BankStatus.DOUBTED, "remark": "AC04", "doubted_at": clock.now()}
    rows = sa.update(BankDetails).where(BankDetails.id == order.bank_details_id)
    session.execute(rows.values(doubted))
    session.commit()
    session.expire_all()


def taken_out(payday: Payday) -> tuple[PaymentFile, PaymentOrder]:
    """Return a file that treasury took out, and the payment of it that was doubted since."""
    file, (held, _other) = kept(payday)
    service.read_file(file, by=payday.till.treasurer)
    session.commit()
    doubt(held)
    return file, held


def test_it_is_not_downloaded_again_before_the_bank_has_answered(payday: Payday) -> None:
    file, held = taken_out(payday)
    stops = f"Payment {held.ref} of this file must not be made now.*The file may be with the bank"
    with pytest.raises(Refused, match=stops):
        service.read_file(file, by=payday.till.treasurer)
    session.rollback()
    service.hand_over(file, by=payday.till.treasurer, told_to_stop=[held.ref])
    session.commit()
    with pytest.raises(Refused, match=stops):
        service.read_file(file, by=payday.till.treasurer)
    session.rollback()
    take(answered(file.message_id))
    assert file.status is FileStatus.ACCEPTED
    assert service.read_file(file, by=payday.till.treasurer)


def test_a_payment_given_up_stops_the_file_too(payday: Payday) -> None:
    file, [order] = kept(payday, 1)
    service.read_file(file, by=payday.till.treasurer)
    session.commit()
    with clock.at(clock.now() + SILENT_AFTER + timedelta(hours=1)):
        service.reject_order(order, "They never had it.", by=payday.till.finance)
    session.commit()
    for verb in (service.read_file, service.hand_over):
        with pytest.raises(Refused, match=f"Payment {order.ref} of this file must not be made"):
            verb(file, by=payday.till.treasurer)
        session.rollback()


def test_a_file_of_which_all_is_given_up_waits_for_nobody_and_may_still_turn_out_to_have_left(
    payday: Payday,
) -> None:
    file, [order] = kept(payday, 1)
    service.read_file(file, by=payday.till.treasurer)
    session.commit()
    later = clock.now() + SILENT_AFTER + timedelta(days=1)
    with clock.at(later):
        assert broken() == {"Every payment file leaves in time, or is withdrawn"}
        assert banking.waiting(payday.till.treasurer).to_send == 1
        service.reject_order(order, "They never had it.", by=payday.till.finance)
        session.commit()
        assert banking.waiting(payday.till.treasurer).to_send == 0
        assert broken() == set()
        service.hand_over(file, by=payday.till.treasurer, told_to_stop=[order.ref])
        session.commit()
        assert broken() == set()


def broken() -> set[str]:
    """Return which invariants of payments do not hold."""
    return {check.name for check in checks.checks() if check.run().violations}


def test_what_was_stopped_since_the_page_was_read_is_not_said_to_be_told_of(
    payday: Payday, visitor: Browser
) -> None:
    file, (held, other) = kept(payday)
    service.read_file(file, by=payday.till.treasurer)
    session.commit()
    doubt(held)
    name, first, second = file.message_id, held.ref, other.ref
    session.rollback()
    visitor.open(f"/bank/files/{name}/handed-over", 200)
    assert second not in visitor.page.text
    doubt(session.scalars(select(PaymentOrder).where(PaymentOrder.ref == second)).one())
    visitor.choose(TOLD)
    visitor.press("Record that the bank has it", 422)
    assert first in visitor.page.text
    assert second in visitor.page.text
    visitor.choose(TOLD)
    visitor.press("Record that the bank has it")
    assert "the file is with the bank" in visitor.page.text


def test_it_is_said_to_be_with_the_bank_only_by_who_told_it_to_stop_the_payment(
    payday: Payday, visitor: Browser
) -> None:
    file, held = taken_out(payday)
    name, ref = file.message_id, held.ref
    session.rollback()
    visitor.open(f"/bank/files/{name}", 200)
    visitor.follow("Record that the bank has it")
    assert SAYS_WHY in visitor.page.text
    assert ref in visitor.page.text
    visitor.press("Record that the bank has it", 422)
    assert "tell it not to" in visitor.page.text
    visitor.choose(TOLD)
    visitor.press("Record that the bank has it")
    assert "the file is with the bank" in visitor.page.text
    session.rollback()
    facts = select(AuditEvent.facts).where(AuditEvent.action == "payment_file.sent")
    assert session.scalars(facts).one()["told_to_stop"] == [ref]


def test_the_page_of_the_file_names_it_and_says_what_to_do(
    payday: Payday, visitor: Browser
) -> None:
    file, held = taken_out(payday)
    name, ref = file.message_id, held.ref
    session.rollback()
    said = visitor.open(f"/bank/files/{name}", 200).text
    assert said.index(WARNING) < said.index(ref) < said.index(SAYS_WHY) < said.index(TELL_IT)
    assert "Download the file" not in said
    service.hand_over(_named(name), by=payday.till.treasurer, told_to_stop=[ref])
    session.commit()
    said = visitor.open(f"/bank/files/{name}", 200).text
    assert said.index(WARNING) < said.index(TELL_IT)
    details = session.scalars(select(BankDetails).where(BankDetails.status == BankStatus.DOUBTED))
    service.verify_bank_details(details.one(), screened=True, by=payday.till.finance)
    session.commit()
    said = visitor.open(f"/bank/files/{name}", 200).text
    assert WARNING not in said
    assert "Download the file" in said


def test_before_it_left_the_page_says_that_it_is_withdrawn(
    payday: Payday, visitor: Browser
) -> None:
    file, (held, _other) = kept(payday)
    suspend(held)
    name = file.message_id
    session.rollback()
    said = visitor.open(f"/bank/files/{name}", 200).text
    assert "It is withdrawn within minutes" in said
    for act in ("Download the file", "Record that the bank has it"):
        assert act not in said


def test_who_may_not_see_the_payment_reads_neither_its_name_nor_why(
    payday: Payday, application: Portal
) -> None:
    file, held = taken_out(payday)
    name, ref = file.message_id, held.ref
    recused(payday.till.treasurer, payday)
    visitor = enter(Browser(application), payday, "treasurer")
    said = visitor.open(f"/bank/files/{name}", 200).text
    assert "A payment that is not open to you." in said
    pages = [said, visitor.open(f"/bank/files/{name}/handed-over").text]
    assert [WARNING in each for each in pages] == [True, True], "this leads back to the file"
    assert [each for each in pages if ref in each or SAYS_WHY in each] == []


def _named(name: str) -> PaymentFile:
    return session.scalars(select(PaymentFile).where(PaymentFile.message_id == name)).one()
