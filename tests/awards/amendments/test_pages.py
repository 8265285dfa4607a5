"""The pages of amendments, walked through by those whose pages they are, without JavaScript."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.awards.amendments.models import AmendmentStatus
from portal.awards.amendments.queries import amendments_of
from portal.awards.models import Award
from portal.core import clock
from tests.browser import Browser
from tests.make import amendments as make
from tests.make import awards as make_awards
from tests.make.accounts import PASSWORD, member, person

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[Any]]
Status = AmendmentStatus


def tab(award: Award) -> str:
    return f"/files/{award.application.ref}/agreement"


def enter(browser: Browser, email: str) -> None:
    """Sign in, leaving whoever was there."""
    browser.client.delete_cookie("portal")
    browser.sign_in(email, PASSWORD)


def test_a_request_becomes_a_proposal_and_bad_amounts_are_said(browser: Browser, db: Db) -> None:
    award = make_awards.award()
    grantee, officer = make_awards.signatory(award).email, make_awards.officer(award).email
    path, wished = tab(award), (award.ends_on + timedelta(days=30)).isoformat()
    first, second = (f"line_{line.position}" for line in award.budget)
    db.commit()
    enter(browser, grantee)
    browser.open(path)
    browser.follow("Ask for an amendment")
    assert "Say what should change" in browser.press("Ask for this amendment", 422).text
    browser.fill("What should change, and why", "Rain closed the road.")
    browser.fill("Last day of the activities that you would like", wished)
    assert "finds your request" in browser.press("Ask for this amendment", 200).text
    enter(browser, officer)
    assert "Answer the request for an amendment" in browser.open("/home").text
    browser.open(path)
    browser.follow("Propose the amendment")
    assert "Rain closed the road." in browser.page.text
    assert browser.value("Last day of the activities") == wished
    browser.fill("Reason", "The road is open again.")
    amount = "New amount of the grant, in US dollars"
    for typed, lines, said in (
        ("5,000.01", ("2,400.00", "2,600.01"), "ceiling"),
        ("5,000.004", ("2,400.00", "2,600.00"), "decimals"),
        ("5,000.00", ("-1", "2,600.00"), "amount"),
        ("EUR 4,900", ("2,400.00", "2,500.00"), "digits"),
        ("4,900.00", ("2,400.00", "2,600.00"), "100.00 above it"),
    ):
        browser.fill(amount, typed)
        browser.fill_all(**{first: lines[0], second: lines[1]})
        page = browser.press("Propose this amendment", 422)
        assert said in page.text, (typed, page.text)
        assert browser.value(amount) == typed
    browser.fill(amount, "\u0664\u0669\u0660\u0660")
    browser.fill_all(**{first: "2,400.00", second: "2,500.00"})
    assert "US$ 4,900.00" in browser.press("Propose this amendment", 200).text


def test_both_sides_sign_on_their_pages(browser: Browser, db: Db) -> None:
    award = make_awards.award()
    who, authority = make_awards.signatory(award), make_awards.authority(award).email
    name, grantee, path = who.name, who.email, tab(award)
    make.proposed(award, 10_000)
    db.commit()
    enter(browser, grantee)
    assert "Read and answer the amendment" in browser.open("/home").text
    browser.open(path)
    browser.follow("Accept the amendment")
    browser.choose("I have read the whole text and may sign for my organisation.")
    browser.fill("Type your name", "Somebody Else")
    assert "exactly as it stands" in browser.press("Accept the amendment and sign", 422).text
    browser.fill("Type your name", name)
    assert "You have signed" in browser.press("Accept the amendment and sign", 200).text
    enter(browser, authority)
    assert "Countersign the amendment" in browser.open("/home").text
    browser.open(path)
    browser.follow("Countersign the amendment")
    assert "tick this box" in browser.press("Countersign the amendment", 422).text
    browser.choose("I have read the text and sign it for the fund.")
    page = browser.press("Countersign the amendment", 200)
    assert "The amendment is in force" in page.text
    assert "US$ 3,920.00" in page.text
    for name in ("document.pdf", "signatures.pdf"):
        with browser.client.get(f"{path}/amendments/1/{name}") as pdf:
            assert pdf.data.startswith(b"%PDF")
            assert "attachment" in pdf.headers["Content-Disposition"]
    enter(browser, grantee)
    history = browser.open(path.replace("/agreement", "/history")).text
    assert "Amendment countersigned" in history


def test_a_proposal_is_declined_or_withdrawn_with_a_reason(browser: Browser, db: Db) -> None:
    award = make_awards.award()
    grantee, officer = make_awards.signatory(award).email, make_awards.officer(award).email
    path = tab(award)
    make.proposed(award, 1_000)
    db.commit()
    enter(browser, grantee)
    browser.open(path)
    browser.follow("Decline the amendment")
    assert "Give the reason." in browser.press("Decline the amendment", 422).text
    browser.fill("Reason", "We do not need it.")
    assert "We do not need it." in browser.press("Decline the amendment", 200).text
    award = db.merge(award)
    make.proposed(award, 1_000)
    db.commit()
    enter(browser, officer)
    browser.open(path)
    browser.follow("Withdraw the amendment")
    browser.fill("Reason", "A slip.")
    assert "Withdrawn" in browser.press("Withdraw the amendment", 200).text
    assert [each.number for each in amendments_of(db.merge(award))] == [2, 1]


def test_signing_asks_for_the_password_again(browser: Browser, db: Db) -> None:
    award = make_awards.award()
    make.proposed(award, 1_000)
    path, email = tab(award), make_awards.signatory(award).email
    db.commit()
    enter(browser, email)
    with clock.at(clock.now() + timedelta(minutes=20)):
        page = browser.open(f"{path}/amendments/1/accept", 401)
        assert "Accept the amendment and sign" not in page.text


@pytest.mark.parametrize("status", [Status.ASKED, Status.PROPOSED, Status.ACCEPTED])
def test_strangers_find_nothing_and_colleagues_only_read(
    status: AmendmentStatus, browser: Browser, db: Db
) -> None:
    award = make_awards.award()
    make.amendment(status, award)
    editor = member(award.application.organisation).email
    stranger, auditor = person().email, person(roles=[(Role.AUDITOR, None, None)]).email
    agreement = tab(award)
    path = f"{agreement}/amendments"
    db.commit()
    closed = ["/propose", "/1/accept", "/1/countersign", "/1/nonsense", "/2/document.pdf"]
    for who in (editor, stranger, auditor):
        enter(browser, who)
        for each in closed:
            assert browser.client.get(path + each).status_code == 404 or (
                who == editor and each == "/propose"
            ), (who, each)
    for who in (editor, auditor):
        enter(browser, who)
        assert "Amendment No. 1" in browser.open(agreement, 200).text


@pytest.mark.parametrize("language", ["en", "ar-XB"])
def test_every_page_opens_and_asks_little_of_the_database(
    language: str, browser: Browser, db: Db, count_sql: Count
) -> None:
    award = make_awards.award()
    path = tab(award)
    officer, grantee = make_awards.officer(award).email, make_awards.signatory(award).email
    authority = make_awards.authority(award).email
    for change in (1_000, 2_000):
        make.in_force(award, change)
    db.commit()
    enter(browser, grantee)
    opened(browser, count_sql, f"{path}/amendments/ask?lang={language}")
    enter(browser, officer)
    opened(browser, count_sql, f"{path}/amendments/propose?lang={language}")
    award = db.merge(award)
    make.accepted(make.proposed(award, 3_000))
    db.commit()
    enter(browser, authority)
    opened(browser, count_sql, f"{path}/amendments/3/countersign?lang={language}")
    opened(browser, count_sql, f"{path}/amendments/3/decline?lang={language}")
    for who in (grantee, officer, authority):
        enter(browser, who)
        opened(browser, count_sql, f"{path}?lang={language}")


def opened(browser: Browser, count_sql: Count, path: str) -> None:
    """Open a page within the statements that it may take."""
    with count_sql() as count:
        browser.open(path, 200)
    assert count.total <= 10, (path, count.statements)
