"""Contributions as people meet them: from a donor to a receipt, each step on its page."""

import gzip
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.contributions import service
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    Donor,
    DonorKind,
)
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.outbox import Message
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import contributions as make
from tests.make import payments
from tests.make.accounts import PASSWORD, person
from tests.make.contributions import Desk

Count = Callable[[], AbstractContextManager[SqlCount]]

MOST_BYTES = 30_000
MOST_STATEMENTS = 10
LISTS = ("", "/donors", "/pledges", "/agreements", "/receivables", "/received", "/earmarks")


@dataclass(frozen=True)
class Emails:
    """Where the desk is written to; a request ends the session that its people are in."""

    officer: str
    finance: str


@pytest.fixture
def emails(who: Desk) -> Emails:
    return Emails(who.officer.email, who.finance.email)


def enter(browser: Browser, email: str) -> Browser:
    browser.sign_in(email, PASSWORD)
    return browser


def only(kind: type[Donor] | type[Contribution] | type[ContributionAgreement]) -> str:
    """Return the reference of the only row of a kind."""
    return session.scalars(select(kind.ref)).one()


def test_a_donor_is_recorded_and_a_pledge_noted(
    who: Desk, emails: Emails, browser: Browser
) -> None:
    del who
    enter(browser, emails.officer)
    browser.open("/contributions/donors")
    assert "No donors yet" in browser.page.text
    browser.follow("Record a donor")
    browser.fill("Official name", "Swiss Confederation")
    browser.press("Save the donor", 422)
    assert "Say which State it is" in browser.page.text
    assert browser.value("Official name") == "Swiss Confederation"
    browser.fill("Country", "Switzerland")
    browser.fill("E-mail address of the person to write to", "aid@eda.example")
    browser.press("Save the donor")
    browser.follow("Note a pledge")
    browser.fill("Amount", "8 000,00")
    browser.fill("Currency", "CHF")
    browser.press("Note the pledge", 422)
    assert "Type the amount in digits" in browser.page.text
    browser.fill("Amount", "8,000.00")
    browser.press("Note the pledge")
    assert "US$ 10,000.00" in browser.page.text


def test_a_draft_is_corrected_until_it_adds_up(who: Desk, emails: Emails, browser: Browser) -> None:
    pledge = make.pledge(who, amount=Money(800_000, "CHF"))
    session.commit()
    today, path = clock.today(), f"/contributions/pledges/{pledge.ref}"
    enter(browser, emails.officer)
    browser.open(path)
    browser.follow("Draft the agreement")
    assert browser.value("Amount") == "8,000.00"
    browser.fill_all(**{"schedule-0-amount": "4,000", "schedule-1-amount": "3,000"})
    browser.press("Save the draft", 422)
    assert "what you typed is kept" in browser.page.text
    assert "Fill in both the day and the amount" in browser.page.text
    browser.press("Add rows")
    assert len([e for e in browser.page.controls if "due_on" in e.get("name", "")]) == 8
    days = [(today + timedelta(days=ahead)).isoformat() for ahead in (10, 40)]
    browser.fill_all(**{"schedule-0-due_on": days[0], "schedule-1-due_on": days[1]})
    browser.press("Save the draft", 422)
    assert "The instalments sum to CHF 7,000.00, the agreement is over CHF 8,000.00" in (
        browser.page.text
    )
    browser.fill_all(**{"schedule-1-amount": "4,000"})
    browser.press("Save the draft")
    assert "The signed paper is missing" in browser.page.text
    browser.follow("Correct the draft")
    browser.attach("The signed paper", "signed.png", make.paper().getvalue())
    browser.press("Save the draft")
    ref = only(ContributionAgreement)
    browser.open(f"/contributions/agreements/{ref}/confirm", 404)
    browser.open("/home")
    assert "Confirm the agreement" not in browser.page.text


def test_a_second_person_confirms_and_records_the_money(
    who: Desk, emails: Emails, browser: Browser
) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT, amount=Money(800_000, "CHF"))
    payments.fund_account(currency="CHF")
    session.commit()
    ref = draft.ref
    enter(browser, emails.finance)
    browser.open("/home")
    browser.follow("Confirm the agreement with a donor")
    browser.follow("Confirm the agreement")
    browser.press("Confirm the agreement")
    assert "In force" in browser.page.text
    browser.follow("Record a bank transfer")
    browser.fill("Amount", "5,000")
    browser.fill("The bank’s reference", "قيد 12")
    browser.press("Book the transfer", 422)
    assert "letters A to Z" in browser.page.text
    browser.fill("The bank’s reference", "CRDT 2026/00017")
    browser.press("Book the transfer")
    assert "The receipt is being made" in browser.page.text
    contribution = only(Contribution)
    service.issue_due_receipts()
    session.commit()
    browser.open(f"/contributions/received/{contribution}")
    assert "Its link was sent to the donor" in browser.page.text
    browser.follow("Receipt ACT")
    assert browser.response.mimetype == "application/pdf"
    browser.open(f"/contributions/agreements/{ref}")
    assert "CHF 3,000.00" in browser.page.text
    browser.sign_out()

    enter(browser, emails.officer)
    browser.open(f"/contributions/agreements/{ref}/reminder")
    assert ref in browser.page.text
    assert "CHF 3,000.00, due on" in browser.page.text
    browser.open(f"/contributions/received/{contribution}")
    assert "it settles CHF 5,000.00 of it" in browser.page.text.replace("\xa0", " ")
    assert "&lt;" not in browser.page.html


def test_a_donor_fetches_the_receipt_by_its_link(
    who: Desk, emails: Emails, browser: Browser
) -> None:
    came = make.wire(who, usd(5_000))
    session.commit()
    link, contribution = service.receipt_link(came), came.ref
    browser.open(link)
    assert "is being made" in browser.page.text
    service.issue_due_receipts()
    session.commit()
    message = session.scalars(select(Message).where(Message.template == "receipt_ready")).one()
    assert message.link == link
    assert "act" not in f"{message.subject} {message.body}".replace(link, "").split()
    browser.open(link)
    assert browser.response.mimetype == "application/pdf"
    first = browser.response.data
    browser.open(f"/receipts/{contribution}/{'A' * 24}", 404)
    browser.open(f"/receipts/ZZZZ-ZZZZ/{link.rsplit('/', 1)[-1]}", 404)

    enter(browser, emails.finance)
    browser.open(f"/contributions/received/{contribution}")
    browser.follow("Record a refund")
    assert browser.value("Amount that went back") == "50.00"
    browser.fill("Amount that went back", "50.005")
    browser.press("Book the refund", 422)
    assert "2 decimals at most" in browser.page.text
    browser.fill("Amount that went back", "20")
    browser.fill("The bank’s reference", "DBIT-1")
    browser.fill("Reason", "It came twice.")
    browser.press("Book the refund")
    assert "Refunded in part" in browser.page.text
    assert "US$ 30.00" in browser.page.text
    service.issue_due_receipts()
    session.commit()
    browser.open(link)
    assert browser.response.data != first


def test_only_the_desk_of_the_fund_sees_anything(
    who: Desk, emails: Emails, browser: Browser
) -> None:
    agreement = make.agreement(who)
    came = make.wire(who, usd(5_000), agreement)
    pledge = make.pledge(who)
    session.commit()
    stranger = make.desk("vftc").officer
    session.commit()
    paths = [
        f"/contributions/donors/{agreement.donor.ref}",
        f"/contributions/agreements/{agreement.ref}",
        f"/contributions/agreements/{agreement.ref}/paper",
        f"/contributions/pledges/{pledge.ref}",
        f"/contributions/received/{came.ref}",
    ]
    name = agreement.donor.name
    enter(browser, stranger.email)
    for path in paths:
        browser.open(path, 404)
    for each in LISTS:
        browser.open(f"/contributions{each}", 200)
        assert name not in browser.page.text
    assert name not in taken(browser, "/contributions/received.csv").get_data(as_text=True)
    browser.sign_out()
    enter(browser, emails.officer)
    for path in paths:
        browser.open(path, 200)


def test_an_auditor_reads_and_changes_nothing(who: Desk, browser: Browser) -> None:
    agreement = make.agreement(who)
    make.wire(who, usd(5_000), agreement)
    auditor = person(roles=[Role.AUDITOR]).email
    session.commit()
    ref, donor = agreement.ref, agreement.donor.ref
    enter(browser, auditor)
    browser.open(f"/contributions/agreements/{ref}", 200)
    assert {"Cancel what is still to come", "Record a bank transfer"}.isdisjoint(
        said for said, _href in browser.page.links
    )
    for path in (
        f"/contributions/agreements/{ref}/cancel",
        f"/contributions/agreements/{ref}/wire",
        f"/contributions/donors/{donor}/edit",
        f"/contributions/donors/{donor}/pledge",
    ):
        browser.open(path, 404)


def test_lists_are_narrowed_paged_and_exported(who: Desk, emails: Emails, browser: Browser) -> None:
    formula = make.donor(who, name="=SUM(A1)")
    for _number in range(30):
        make.wire(who, usd(1_000), of=formula)
    make.card(usd(700), name="Zoë Quill")
    session.commit()
    enter(browser, emails.officer)
    browser.open("/contributions/received")
    assert "31 entries" in browser.page.text
    browser.follow("Next page")
    browser.open("/contributions/received?means=card")
    assert "Zoë Quill" in browser.page.text
    browser.open("/contributions/received?text=nothing+like+it")
    assert "No contribution fits this choice" in browser.page.text
    browser.open("/contributions/received?year=99999&status=%F0%9F%92%A3&means=x&page=-4", 200)
    browser.open("/contributions/received?means=wire")
    browser.press("Download this list")
    body = browser.response.get_data(as_text=True)
    assert body.count("\n") == 31
    exported = select(AuditEvent.facts).where(AuditEvent.action == "contributions.exported")
    assert session.scalars(exported).all() == [{"fund": "act", "contributions": 30}]
    assert browser.client.get("/contributions/received.csv").status_code in {404, 405}
    assert "'=SUM(A1)" in body


def test_earmarks_are_made_and_retired(emails: Emails, browser: Browser) -> None:
    enter(browser, emails.officer)
    browser.open("/contributions/earmarks")
    browser.fill("What it is for", "Schools in Kenya")
    browser.fill("Country", "Kenya")
    browser.press("Make the earmark")
    assert "The earmark can be chosen now" in browser.page.text
    browser.press("Offer no more")
    assert "No earmarks yet" in browser.page.text


def test_a_mistake_is_taken_back_on_a_page(who: Desk, emails: Emails, browser: Browser) -> None:
    came = make.wire(who, usd(5_000), make.agreement(who))
    session.commit()
    path = f"/contributions/received/{came.ref}"
    enter(browser, emails.finance)
    browser.open(path)
    browser.follow("Entered by mistake")
    browser.press("It was a mistake", 422)
    browser.fill("Reason", "The line was another donor’s.")
    browser.press("It was a mistake")
    assert "its receipt is void" in browser.page.text
    assert "The line was another donor’s." in browser.page.text
    assert service.issue_due_receipts() == 1


def test_two_rows_of_a_donor_are_joined_on_a_page(
    who: Desk, emails: Emails, browser: Browser
) -> None:
    one, other = make.donor(who), make.donor(who)
    make.wire(who, usd(5_000), of=one)
    session.commit()
    gone, stays, name = one.ref, other.ref, other.name
    enter(browser, emails.officer)
    browser.open(f"/contributions/donors/{gone}/merge")
    browser.fill("It is the same donor as", name)
    browser.press("They are the same donor")
    assert browser.page.path == f"/contributions/donors/{stays}"
    assert "US$ 50.00" in browser.page.text
    browser.open(f"/contributions/donors/{gone}", 404)


def test_what_will_not_come_is_taken_back(who: Desk, emails: Emails, browser: Browser) -> None:
    pledge = make.pledge(who)
    draft = make.agreement(who, AgreementStatus.DRAFT)
    agreement = make.agreement(who)
    session.commit()
    refs = pledge.ref, draft.ref, agreement.ref
    enter(browser, emails.officer)
    browser.open(f"/contributions/pledges/{refs[0]}/withdraw")
    browser.press("It was withdrawn", 422)
    browser.fill("Reason", "Another budget.")
    browser.press("It was withdrawn")
    assert "Withdrawn" in browser.page.text
    browser.open(f"/contributions/agreements/{refs[1]}/discard")
    browser.press("Discard the draft")
    assert "Cancelled" in browser.page.text
    browser.sign_out()
    enter(browser, emails.finance)
    browser.open(f"/contributions/agreements/{refs[2]}/cancel")
    browser.fill("Reason", "The donor fell silent.")
    browser.press("The rest will not come")
    assert "will not come" in browser.page.text
    assert "The donor fell silent." in browser.page.text


def test_pages_stay_small_and_ask_little_of_the_database(
    who: Desk, emails: Emails, browser: Browser, count_sql: Count
) -> None:
    donors = [make.donor(who, name=f"{'Long ' * 50}{number}") for number in range(28)]
    made = [make.agreement(who, of=donor, amount=Money(90_000, "CHF")) for donor in donors]
    for agreement in made:
        make.wire(who, Money(10_000, "CHF"), agreement)
        make.pledge(who, of=agreement.donor)
    service.issue_due_receipts()
    session.commit()
    first = made[0]
    came = session.scalars(select(Contribution.ref)).first()
    paths = [f"/contributions{each}" for each in LISTS]
    paths += [
        f"/contributions/donors/{first.donor.ref}",
        f"/contributions/agreements/{first.ref}",
        f"/contributions/received/{came}",
        f"/contributions/agreements/{first.ref}/wire",
        f"/contributions/received/{came}/refund",
    ]
    enter(browser, emails.finance)
    for path in paths:
        with count_sql() as counted:
            browser.open(path, 200)
        size = len(gzip.compress(browser.response.data))
        assert size < MOST_BYTES, f"{path}: {size} bytes"
        assert counted.total <= MOST_STATEMENTS, f"{path}:\n" + "\n".join(
            re.sub(r"SELECT .*? FROM", "SELECT … FROM", one, flags=re.DOTALL)[:200]
            for one in counted.statements
        )
        browser.open(f"{path}?lang=ar-XB", 200)


def test_a_state_that_has_no_receipt_address_and_rtl_names(
    who: Desk, emails: Emails, browser: Browser
) -> None:
    donor = make.donor(who, DonorKind.INDIVIDUAL, name="مريم الحسيني <b>x</b>", email="")
    make.wire(who, usd(5_000), of=donor)
    service.issue_due_receipts()
    session.commit()
    assert session.scalars(select(Message).where(Message.template == "receipt_ready")).all() == []
    ref = only(Contribution)
    enter(browser, emails.officer)
    browser.open(f"/contributions/received/{ref}")
    assert "مريم الحسيني <b>x</b>" in browser.page.text
    assert "The donor has no address" in browser.page.text
