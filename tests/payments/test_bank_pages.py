"""The pages of the bank as people meet them: files, answers, accounts, many signatures at once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.accounts.models import Person, Role
from portal.applications.models import Recusal
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.payments import exchange, service
from portal.payments.models import (
    BankMessage,
    FileStatus,
    MessageKind,
    OrderStatus,
    PaymentFile,
)
from portal.payments.rails import bank as rail
from portal.payments.rules import SILENT_AFTER
from portal.payments.service import gathering, sending
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make.accounts import PASSWORD, administrator, person, signed_up
from tests.payments.payday import FUND, Payday, release
from tests.payments.test_bank_checks import answered

Count = Callable[[], AbstractContextManager[SqlCount]]
MOST_SQL = 10
MOST_BYTES = 30 * 1024
READERS = ("finance", "certifier", "approver", "treasurer")


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser on the day's database, nobody signed in."""
    del payday
    return Browser(application)


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Path]:
    """Return the folder from which the bank takes files."""
    rail.configure(tmp_path, None)
    yield tmp_path
    rail.configure(None, None)


def enter(visitor: Browser, payday: Payday, part: str) -> Browser:
    visitor.sign_in(payday.emails[part], PASSWORD)
    return visitor


def kept(payday: Payday, count: int = 2) -> PaymentFile:
    """Return a file of released orders that nobody took to the bank yet."""
    release(payday, count)
    [file] = exchange.gather_all()
    return file


def somebody(*roles: tuple[Role, str | None, str | None]) -> str:
    """Return the address of a new person with these roles."""
    email = person(roles=roles).email
    session.commit()
    return email


def recused(who: Person, payday: Payday) -> None:
    """Let somebody declare an interest in the first order's case."""
    application = payday.orders[0].instalment.award.application
    session.add(Recusal(application=application, person=who, sealed_reason=b"-"))
    session.commit()


def count_of(action: str) -> int:
    rows = select(func.count()).where(AuditEvent.action == action)
    return int(session.scalar(rows) or 0)


def test_treasury_takes_a_file_to_the_bank_by_hand(payday: Payday, visitor: Browser) -> None:
    file = kept(payday)
    name, digest, expected = file.message_id, file.sha256, sending.content_of(file)
    session.rollback()
    enter(visitor, payday, "treasurer").open("/home")
    visitor.follow("Take payment files to the bank (1)")
    assert "To be sent" in visitor.page.text
    visitor.follow(name)
    assert digest in visitor.page.text
    assert "Send the same file again" not in visitor.page.text
    visitor.press("Download the file")
    assert visitor.response.mimetype == "application/xml"
    assert visitor.response.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in visitor.response.headers["Cache-Control"]
    content = visitor.response.data
    assert content == expected
    assert all(ref.encode() in content for ref in payday.refs[:2])
    assert count_of("payment_file.read") == 1
    visitor.open(f"/bank/files/{name}")
    visitor.follow("Record that the bank has it")
    assert digest in visitor.page.text
    visitor.press("Record that the bank has it")
    assert "the file is with the bank" in visitor.page.text
    assert "With the bank, no answer yet" in visitor.page.text
    visitor.open(f"/bank/files/{name}/handed-over")
    assert visitor.page.heading == f"Payment file {name}"
    assert count_of("payment_file.sent") == 1
    visitor.open("/home")
    assert "Take payment files" not in visitor.page.text


def test_the_same_file_is_sent_again_until_the_bank_has_answered(
    payday: Payday, visitor: Browser, drop: Path
) -> None:
    file = kept(payday, 1)
    name, content = file.message_id, sending.content_of(file)
    enter(visitor, payday, "treasurer").open(f"/bank/files/{name}")
    for act in ("Send the same file again", "Record that the bank has it"):
        assert act not in visitor.page.text, "it leaves by itself"
    visitor.open(f"/bank/files/{name}/handed-over")
    assert visitor.page.heading == f"Payment file {name}"
    assert "You say that the bank has this very file" not in visitor.page.text
    sending.begin_next()
    session.commit()
    visitor.open(f"/bank/files/{name}")
    visitor.press("Send the same file again")
    assert (drop / f"{name}.xml").read_bytes() == content
    (drop / f"{name}.xml").unlink()
    visitor.press("Send the same file again")
    assert (drop / f"{name}.xml").read_bytes() == content
    assert (count_of("payment_file.sent"), count_of("payment_file.sent_again")) == (1, 2)
    visitor.sign_out()
    enter(visitor, payday, "finance")
    upload(visitor, answered(name))
    visitor.sign_out()
    enter(visitor, payday, "treasurer")
    visitor.open(f"/bank/files/{name}")
    assert "Accepted by the bank" in visitor.page.text
    assert "Send the same file again" not in visitor.page.text


def test_a_folder_that_cannot_be_written_is_a_sentence(
    payday: Payday, visitor: Browser, drop: Path
) -> None:
    name = kept(payday, 1).message_id
    sending.begin_next()
    session.commit()
    enter(visitor, payday, "treasurer").open(f"/bank/files/{name}")
    rail.configure(drop / "nowhere", None)
    visitor.press("Send the same file again")
    assert "could not be written" in visitor.page.text
    assert count_of("payment_file.sent") == 0


def test_who_declared_an_interest_handles_no_file_with_that_case(
    payday: Payday, visitor: Browser
) -> None:
    name, hidden = kept(payday).message_id, payday.orders[0].instalment.award.application.ref
    recused(payday.till.treasurer, payday)
    enter(visitor, payday, "treasurer").open(f"/bank/files/{name}")
    says = visitor.page.text
    assert "Download the file" not in says
    assert "Record that the bank has it" not in says
    assert hidden not in says
    visitor.open(f"/bank/files/{name}/handed-over")
    assert visitor.page.heading == f"Payment file {name}"
    session.rollback()
    file = session.scalars(select(PaymentFile).where(PaymentFile.message_id == name)).one()
    for verb in (service.read_file, service.hand_over, service.send_again):
        with pytest.raises(Refused, match="by treasury"):
            verb(file, by=payday.till.treasurer)
        with pytest.raises(Refused, match="by treasury"):
            verb(file, by=payday.till.finance)
    assert count_of("payment_file.read") == 0


def test_a_silent_bank_is_asked(payday: Payday, visitor: Browser) -> None:
    file = kept(payday)
    service.hand_over(file, by=payday.till.treasurer)
    name = file.message_id
    session.commit()
    with clock.at(clock.now() + SILENT_AFTER + timedelta(hours=1)):
        enter(visitor, payday, "finance").open("/home")
        visitor.follow("Ask the bank: it is silent over 1 file")
        assert "The bank is silent: ask it." in visitor.page.text
        visitor.follow(name)
        assert "unknown is not failed" in visitor.page.text


def answer_of(payday: Payday) -> tuple[str, bytes]:
    file = kept(payday)
    service.hand_over(file, by=payday.till.treasurer)
    name = file.message_id
    session.commit()
    return name, answered(name)


def upload(visitor: Browser, content: bytes, status: int | None = None) -> str:
    visitor.open("/bank/messages")
    visitor.attach("File of the bank", "from-the-bank.xml", content)
    visitor.press("Take it in", status)
    return visitor.page.text


def test_an_answer_is_taken_in_once(payday: Payday, visitor: Browser) -> None:
    name, message = answer_of(payday)
    enter(visitor, payday, "finance")
    assert "2 answers taken in." in upload(visitor, message)
    assert "Answer to a payment file" in visitor.page.text
    assert "taken in before: nothing changed" in upload(visitor, message)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(BankMessage)) == 1
    file = session.scalars(select(PaymentFile).where(PaymentFile.message_id == name)).one()
    assert file.status is FileStatus.ACCEPTED


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda text: text[:200], "not whole"),
        (lambda _text: b"", "empty"),
        (lambda _text: b"%PDF-1.7 no message", "XML"),
        (lambda text: text.replace(b"VFP-", b"XXX-"), "which the portal never wrote"),
        (lambda text: text.replace(b"pain.002.001.10", b"pain.002.001.99"), "This is version"),
        (lambda text: b'<!DOCTYPE x [<!ENTITY a "b">]>' + text, "document type"),
    ],
    ids=["cut", "empty", "another kind", "of somebody else", "another version", "an entity"],
)
def test_what_cannot_be_taken_in_is_refused_beside_the_form(
    payday: Payday, visitor: Browser, harm: Callable[[bytes], bytes], sentence: str
) -> None:
    _name, message = answer_of(payday)
    enter(visitor, payday, "finance")
    says = upload(visitor, harm(message), 422)
    assert sentence in says
    assert "Take it in" in says
    session.rollback()
    assert session.scalar(select(func.count()).select_from(BankMessage)) == 0
    assert {order.accepted_at for order in payday.orders} == {None}


def test_what_fits_no_payment_waits_for_a_person(payday: Payday, visitor: Browser) -> None:
    _name, message = answer_of(payday)
    one = b"""<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts>
<OrgnlEndToEndId>NOBO-DYS1</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>"""
    message = message.replace(b"</OrgnlGrpInfAndSts>", b"</OrgnlGrpInfAndSts>" + one)
    enter(visitor, payday, "finance")
    assert "is no payment of the portal" in upload(visitor, message)
    visitor.open("/home")
    visitor.follow("1 answer of the bank waits for a person")
    assert visitor.page.heading == "From the bank"
    assert "To be seen to" in visitor.page.text
    visitor.follow("Answer to a payment file")
    assert "“NOBO-DYS1” is no payment of the portal." in visitor.page.text
    visitor.press("It was seen to", 422)
    assert "Say how it was seen to." in visitor.page.text
    visitor.fill("How it was seen to", "The bank mixed up two customers, and said so.")
    visitor.press("It was seen to")
    assert "mixed up two customers" in visitor.page.text
    assert "Fiona Finance" in visitor.page.text
    assert count_of("bank_message.seen_to") == 1
    visitor.open("/home")
    assert "waits for a person" not in visitor.page.text


def test_certifiers_and_auditors_read_and_bring_nothing(payday: Payday, visitor: Browser) -> None:
    name = kept(payday).message_id
    auditor = somebody((Role.AUDITOR, None, None))
    for email in (auditor, payday.emails["certifier"]):
        visitor.sign_in(email, PASSWORD)
        for path in ("/bank/files", f"/bank/files/{name}", "/bank/messages", "/bank/accounts"):
            visitor.open(path, 200)
            for act in ("Take it in", "Download the file", "Enter an account"):
                assert act not in visitor.page.text
        visitor.open("/bank/accounts/new", 404)
        visitor.sign_out()


def test_the_bank_is_no_page_for_one_country_another_fund_or_nobody(
    payday: Payday, visitor: Browser
) -> None:
    name = kept(payday).message_id
    nobody = signed_up("stranger@example.org").email
    chief = administrator().email
    session.commit()
    country = somebody((Role.TREASURY, FUND, "KEN"), (Role.FINANCE_OFFICER, None, "KEN"))
    other = somebody((Role.TREASURY, "act", None))
    paths = ("/bank/files", f"/bank/files/{name}", "/bank/messages", "/bank/accounts")
    for email in (nobody, chief, country):
        visitor.sign_in(email, PASSWORD)
        for path in (*paths, "/bank/accounts/new"):
            visitor.open(path)
            assert visitor.page.status in {403, 404}, (email, path)
        visitor.sign_out()
    visitor.sign_in(other, PASSWORD)
    visitor.open("/bank/files", 200)
    assert name not in visitor.page.text
    visitor.open(f"/bank/files/{name}", 404)
    assert "NL41" not in visitor.open("/bank/accounts", 200).text


@pytest.mark.parametrize("part", READERS)
def test_pages_of_the_bank_take_a_fixed_number_of_statements(
    payday: Payday, visitor: Browser, count_sql: Count, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_PER_FILE", 1)
    totals = list[dict[str, int]]()
    paths = ["/bank/files", "/bank/messages", "/bank/accounts", "/payments"]
    paths += [f"/payments/several/{step}" for step in ("certify", "approve")]
    for count in (1, 5):
        for order in payday.orders[6 - count : 6]:
            make.signed(order, payday.till)
        for order in payday.orders[12 - count :]:
            make.signed(order, payday.till, OrderStatus.CERTIFIED)
        session.commit()
        for file in list(exchange.gather_all()):
            service.hand_over(file, by=payday.till.treasurer)
            session.add(_message(file))
        session.commit()
        emails = payday.emails
        visitor.sign_in(emails[part], PASSWORD)
        totals.append({})
        for path in paths:
            with count_sql() as counted:
                visitor.open(path, 200)
            totals[-1][path] = counted.total
            assert len(visitor.response.data) <= MOST_BYTES, path
        visitor.sign_out()
    assert totals[0] == totals[1]
    assert {path: number for path, number in totals[1].items() if number > MOST_SQL} == {}


def _message(file: PaymentFile) -> BankMessage:
    return BankMessage(
        kind=MessageKind.STATUS_REPORT,
        message_id=file.message_id,
        sha256=file.sha256,
        sealing_key=file.sealing_key,
        content=file.content,
        told=1,
        left=0,
    )


def test_a_file_of_many_payments_takes_as_many_statements_as_one_of_one(
    payday: Payday, visitor: Browser, count_sql: Count
) -> None:
    totals = []
    for count in (1, 12):
        name = kept(payday, count).message_id
        session.rollback()
        enter(visitor, payday, "treasurer")
        with count_sql() as counted:
            visitor.open(f"/bank/files/{name}", 200)
        totals.append(counted.total)
        assert len(visitor.response.data) <= MOST_BYTES
        visitor.sign_out()
    assert totals[0] == totals[1] <= MOST_SQL


def test_every_page_of_the_bank_reads_from_right_to_left(payday: Payday, visitor: Browser) -> None:
    name = kept(payday).message_id
    session.rollback()
    enter(visitor, payday, "treasurer")
    paths = ("/bank/files", f"/bank/files/{name}", "/bank/messages", "/bank/accounts")
    for path in (*paths, f"/bank/files/{name}/handed-over", "/bank/accounts/new"):
        visitor.open(f"{path}?lang=ar-XB", 200)
        assert 'dir="rtl"' in visitor.response.get_data(as_text=True)


def test_empty_pages_say_what_will_stand_there(application: Portal, payday: Payday) -> None:
    visitor = enter(Browser(application), payday, "finance")
    assert "No file was written yet" in visitor.open("/bank/files").text
    assert "The bank has not answered yet" in visitor.open("/bank/messages").text
