"""Reconciliation as people meet it: a file brought in, lines beside payments, suspense, undoing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.core import clock, crypto
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.payments import service as payments
from portal.payments.statements import queries, service
from portal.payments.statements.models import Purpose
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make import reports
from tests.make.accounts import PASSWORD, person
from tests.payments.conftest import World, enter
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller

Count = Callable[[], AbstractContextManager[SqlCount]]
MOST_BYTES = 30_000


def owing(world: World) -> None:
    """Let the grantee owe US$ 840.00."""
    order = make.signed(world.order, world.till)
    payments.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(world.paid), 300_000)
    payments.settle_account(world.paid, by=world.till.finance)
    session.commit()


def test_from_the_upload_to_a_line_that_somebody_placed(
    world: World, teller: Teller, visitor: Browser
) -> None:
    enter(visitor, world, "finance")
    visitor.open("/bank/reconciliation")
    visitor.follow("Import a statement")
    content = teller.file(Move(10_000, "thank you"), Move(-250, code="MDOP/CHRG"))
    visitor.press("Import the statement", 422)
    assert "Choose the file" in visitor.page.text
    visitor.attach("Statement of the bank", "statement.xml", content.getvalue())
    visitor.press("Import the statement")
    assert "2 lines are imported" in visitor.page.text
    visitor.open("/home")
    visitor.follow("Say what 2 lines in suspense are")
    assert "2 lines wait" in visitor.page.text
    visitor.follow(f"{teller.account[-4:]}-2")
    visitor.follow("Say what it is")
    visitor.choose("Bank charge")
    visitor.press("Book it as this", 422)
    assert "Give the reason" in visitor.page.text
    visitor.fill("Reason", "The quarterly fee.")
    visitor.press("Book it as this")
    assert "Recorded, and booked" in visitor.page.text
    visitor.follow("Take back: Bank charge")
    visitor.fill("Reason", "It was a transfer.")
    visitor.press("Take it back")
    assert "waits in suspense again" in visitor.page.text
    assert "The quarterly fee." in visitor.page.text


MISTAKES = (
    (
        7_000,
        "A mistake: to be sent back to its sender",
        ("until the bank shows that it went back", "Ask the bank to send it back to its sender"),
    ),
    (
        -7_000,
        "A mistake, or paid twice: claimed back",
        ("until the bank shows that it came back", "or who received it, to give it back"),
    ),
)


def test_what_is_to_go_back_says_who_sends_it_and_what_ends_it(
    world: World, teller: Teller, visitor: Browser
) -> None:
    lines = [taken_in(teller, Move(amount, "by mistake"))[0].id for amount, _, _ in MISTAKES]
    enter(visitor, world, "finance")
    for line_id, (_amount, choice, told) in zip(lines, MISTAKES, strict=True):
        visitor.open(f"/bank/lines/{line_id}/allocate")
        visitor.choose(choice)
        visitor.fill("Reason", "Not ours.")
        visitor.press("Book it as this")
        said = visitor.page.text.replace("\xa0", " ")
        assert all(words in said for words in told)
        assert "and booked" not in said
        assert "US$ 70.00 has still to" in said
        assert "Say what it is after all" in dict(visitor.page.links)


def test_what_has_gone_back_offers_to_take_back_only_that(
    world: World, teller: Teller, visitor: Browser
) -> None:
    [came] = taken_in(teller, Move(7_000, "by mistake"))
    said, finance = service.Target(Purpose.SEND_BACK), world.till.finance
    service.allocate(came.id, said, "Not ours.", by=finance)
    [left] = taken_in(teller, Move(-7_000, "sent back"))
    said = service.Target(Purpose.SENT_BACK, counterpart=came)
    service.allocate(left.id, said, "It went.", by=finance)
    session.commit()
    address = f"/bank/lines/{came.id}"
    enter(visitor, world, "finance")
    visitor.open(address)
    assert "Take back: Gone back" in visitor.page.text
    assert "Take back: To go back" not in visitor.page.text
    visitor.open(f"{address}/undo/1")
    visitor.fill("Reason", "A mistake.")
    visitor.press("Take it back", 422)
    assert "has gone back" in visitor.page.text
    assert "Taken back" not in visitor.page.text
    visitor.open(address)
    visitor.follow("Take back: Gone back where it came from")
    visitor.fill("Reason", "Another line.")
    visitor.press("Take it back")
    assert "Take back: To go back" in visitor.page.text


def test_a_file_that_cannot_be_taken_is_told_with_its_figures(
    world: World, teller: Teller, visitor: Browser
) -> None:
    taken_in(teller, Move(100))
    enter(visitor, world, "treasurer")
    visitor.open("/bank/statements/new")
    content = teller.file(Move(50), opening=teller.balance + 700)
    visitor.attach("Statement of the bank", "statement.xml", content.getvalue())
    visitor.press("Import the statement", 422)
    said = visitor.page.text.replace("\xa0", " ")
    assert "does not begin with what the account held before" in said
    assert "nothing is booked" in said
    assert "US$ 7.00" in said
    assert service.waiting() == 0


def test_a_file_replayed_is_told_kindly(world: World, teller: Teller, visitor: Browser) -> None:
    enter(visitor, world, "finance")
    content = teller.file(Move(100)).getvalue()
    for said in ("1 line is imported", "imported already: nothing changed"):
        visitor.open("/bank/statements/new")
        visitor.attach("Statement of the bank", "statement.xml", content)
        visitor.press("Import the statement")
        assert said in visitor.page.text


def test_a_line_is_matched_by_hand_with_what_was_found(
    world: World, teller: Teller, visitor: Browser
) -> None:
    owing(world)
    taken_in(teller, Move(84_000, "refund of the lake"))
    award = world.town.awards["paid"]
    enter(visitor, world, "finance")
    visitor.open("/bank/suspense")
    assert "refund of the lake" in visitor.page.text, "by which people know a line"
    assert '</bdi><br><span class="soft"><bdi>refund of' in visitor.page.html, "on a line each"
    visitor.follow(f"{teller.account[-4:]}-1")
    assert "refund of the lake" in visitor.page.text
    assert "NL30MOCK" not in visitor.page.text
    visitor.follow("Say what it is")
    visitor.choose(f"Refund from a grantee · {award}")
    visitor.fill("Reason", "The letter names the award.")
    visitor.press("Book it as this")
    visitor.open(f"/files/{world.town.files['paid']}/payments/owed")
    assert "Paid back" in visitor.page.text


def test_what_was_erased_of_a_line_stands_in_no_list(
    world: World, teller: Teller, visitor: Browser
) -> None:
    [line] = taken_in(teller, Move(84_000, "refund of the lake"))
    ref = line.reference
    crypto.destroy(line.statement.file.sealing_key)
    session.commit()
    enter(visitor, world, "finance").open("/bank/suspense", 200)
    assert ref in visitor.page.text
    assert "refund of the lake" not in visitor.page.text


def test_a_reference_that_is_not_there_is_refused_and_what_was_typed_is_kept(
    world: World, teller: Teller, visitor: Browser
) -> None:
    taken_in(teller, Move(84_000))
    enter(visitor, world, "finance")
    visitor.open("/bank/suspense")
    visitor.follow(f"{teller.account[-4:]}-1")
    visitor.follow("Say what it is")
    visitor.choose("Refund from a grantee")
    visitor.fill_all(reference="NOPE-NOPE", reason="A letter.", amount="1,00,0")
    visitor.press("Book it as this", 422)
    visitor.fill_all(amount="10.00")
    visitor.press("Book it as this", 422)
    assert "no award" in visitor.page.text
    assert visitor.value("Reference") == "NOPE-NOPE"


def test_a_file_is_handed_out_whole_and_as_a_table(
    world: World, teller: Teller, visitor: Browser
) -> None:
    content = teller.file(Move(10_000, "=cmd()"))
    [done] = service.import_statement(content, by=None)
    statement_id = done.statement.id
    path = f"/bank/statements/{statement_id}"
    session.commit()
    enter(visitor, world, "finance")
    visitor.open(path)
    visitor.press("Download the bank's file")
    assert visitor.response.data == content.getvalue()
    assert "no-store" in visitor.response.headers["Cache-Control"]
    visitor.open(path)
    visitor.press("Download as a table (CSV)")
    assert visitor.response.mimetype == "text/csv"
    text = visitor.response.get_data(as_text=True)
    assert "100.00" in text
    taken = select(AuditEvent.action).where(AuditEvent.subject_id == statement_id)
    acts = list(session.scalars(taken.order_by(AuditEvent.number)))
    assert acts[-2:] == ["statement.file_read", "statement.exported"]
    assert visitor.client.get(f"{path}.csv").status_code in {404, 405}


def test_debits_leave_as_numbers_and_what_is_left_out_is_said(
    world: World, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first, *_rest] = taken_in(teller, Move(-1_200, "=1+1"), Move(5_000), Move(7_000))
    _heads, rows = queries.as_table(first.statement, world.till.finance)
    assert rows[0][4] == "-12.00"
    assert len(rows) == 3
    listing = import_module("portal.payments.statements.queries.lines")
    monkeypatch.setattr(listing, "EXPORT_ROWS", 1)
    _heads, rows = queries.as_table(first.statement, world.till.finance)
    assert rows[1:] == [["2 more lines are not in this file"]]


def test_three_people_write_off_by_the_pages(world: World, visitor: Browser) -> None:
    owing(world)
    file = world.town.files["paid"]
    enter(visitor, world, "finance")
    visitor.open(f"/files/{file}/payments")
    visitor.follow("What has to come back, and what did")
    visitor.follow("Propose to write it off")
    visitor.press("Propose the write-off", 422)
    visitor.fill("Reason", "The organisation ended.")
    visitor.press("Propose the write-off")
    assert "Two others have to approve it" in visitor.page.text
    assert "Propose to write it off" not in dict(visitor.page.links)
    visitor.sign_out()
    for who, step, after in (
        ("approver", "Approve the write-off", "next The approving authority approves it for good"),
        ("authority", "Approve the write-off for good", "next The programme officer closes"),
    ):
        enter(visitor, world, who)
        if who == "approver":  # the approving authority has no list of payments
            visitor.open("/payments")
            visitor.follow(f"Decide on a write-off {file}")
        visitor.open("/home")
        visitor.follow(f"Decide on writing off what is owed for {file}")
        visitor.open(f"/files/{file}")
        visitor.follow("Decide on a write-off")
        visitor.follow(step)
        assert "To be written off US$" in visitor.page.text
        visitor.press(step)
        assert after in visitor.page.text
        assert ("To be written off US$" in visitor.page.text) == (who == "approver")
        visitor.sign_out()
    enter(visitor, world, "officer")
    visitor.open(f"/files/{file}/payments/owed")
    assert "Written off" in visitor.page.text
    visitor.open(f"/files/{file}/payments/close")
    visitor.press("Close the file")
    assert "The file is closed" in visitor.page.text


def test_the_grantee_sees_what_is_owed_and_nothing_of_the_proposal(
    world: World, visitor: Browser
) -> None:
    owing(world)
    from portal.payments.service.closing import receivable_of
    from portal.payments.write_offs.service import propose_write_off

    owed = receivable_of(world.paid)
    assert owed is not None
    proposal = propose_write_off(owed, "They are in danger.", by=world.till.finance)
    path = f"/payments/write-offs/{proposal.id}"
    session.commit()
    enter(visitor, world, "grantee of paid")
    visitor.open(f"/files/{world.town.files['paid']}/payments/owed")
    assert "US$ 840.00" in visitor.page.text.replace("\xa0", " ")
    assert "danger" not in visitor.page.text
    visitor.open(path, 404)
    visitor.open(f"/files/{world.town.files['paid']}/payments/owed/write-off", 404)


def test_who_does_not_belong_finds_nothing(world: World, teller: Teller, visitor: Browser) -> None:
    [line] = taken_in(teller, Move(100))
    paths = [
        f"/bank/reconciliation/{line.bank_account_id}",
        f"/bank/accounts/{line.bank_account_id}/statements",
        f"/bank/statements/{line.statement_id}",
        f"/bank/lines/{line.id}",
        f"/bank/lines/{line.id}/allocate",
    ]
    person("vftc@example.org", roles=[(Role.FINANCE_OFFICER, "vftc", None)])
    person("auditor@example.org", roles=[Role.AUDITOR])
    session.commit()
    visitor.sign_in("vftc@example.org", PASSWORD)
    for path in paths:
        visitor.open(path, 404)
    visitor.open("/bank/suspense")
    assert "Nothing is in suspense" in visitor.page.text
    visitor.open("/bank/reconciliation")
    assert "No account is in use yet" in visitor.page.text
    visitor.sign_out()
    visitor.sign_in("auditor@example.org", PASSWORD)
    for path in paths[:-1]:
        visitor.open(path, 200)
    visitor.open(paths[-1], 404)
    visitor.open("/bank/statements/new", 404)
    visitor.sign_out()
    enter(visitor, world, "grantee of paid")
    for path in [*paths, "/bank/reconciliation", "/bank/suspense", "/bank/statements/new"]:
        visitor.open(path, 404)


@pytest.mark.parametrize("language", ["en", "ar-XB"])
def test_pages_take_few_statements_and_bytes_whatever_the_number_of_lines(
    world: World, teller: Teller, visitor: Browser, count_sql: Count, language: str
) -> None:
    make.signed(world.order, world.till)
    lines = taken_in(teller, *(Move(100 + each, f"gift {each}") for each in range(60)))
    first = lines[0]
    paths = [
        "/bank/reconciliation",
        f"/bank/reconciliation/{first.bank_account_id}",
        f"/bank/reconciliation/{first.bank_account_id}?status=suspense&text=9000",
        f"/bank/accounts/{first.bank_account_id}/statements",
        f"/bank/statements/{first.statement_id}",
        "/bank/suspense",
        f"/bank/lines/{first.id}",
        f"/bank/lines/{first.id}/allocate",
        "/home",
    ]
    enter(visitor, world, "finance")
    for path in paths:
        mark = "&" if "?" in path else "?"
        with count_sql() as count:
            visitor.open(f"{path}{mark}lang={language}", 200)
        assert count.total <= 10, (path, *count.statements)
        answer = visitor.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert len(answer.data) <= MOST_BYTES, path
