"""The pages of awards, walked through by those whose pages they are, without JavaScript."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.awards.models import Award, AwardStatus
from portal.core import clock
from tests.browser import Browser
from tests.make import awards as make
from tests.make.accounts import PASSWORD, member, person
from tests.make.reviews import approved

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[Any]]
Status = AwardStatus


def tab(award: Award) -> str:
    return f"/files/{award.application.ref}/agreement"


def enter(browser: Browser, email: str) -> None:
    """Sign in, leaving whoever was there."""
    browser.client.delete_cookie("portal")
    browser.sign_in(email, PASSWORD)


def test_an_officer_prepares_the_offer_and_bad_days_are_said(browser: Browser, db: Db) -> None:
    application = approved()
    officer = person(roles=[(Role.PROGRAMME_OFFICER, "act", None)]).email
    path = f"/files/{application.ref}/agreement"
    db.commit()
    enter(browser, officer)
    assert "Prepare the offer" in browser.open("/home").text
    browser.open(path)
    browser.follow("Prepare the offer")
    assert browser.value("First day of the activities")
    today = clock.today()
    for first, last, said in (
        (today, today - timedelta(days=1), "before the first"),
        (today - timedelta(days=9), today - timedelta(days=8), "has passed"),
        (today, today + timedelta(days=190), "at the latest"),
    ):
        browser.fill("First day of the activities", first.isoformat())
        browser.fill("Last day of the activities", last.isoformat())
        page = browser.press("Make the offer", 422)
        assert said in page.text
        assert browser.value("Last day of the activities") == last.isoformat()
    browser.fill("First day of the activities", today.isoformat())
    browser.fill("Last day of the activities", (today + timedelta(days=60)).isoformat())
    browser.choose("UNDP country office")
    page = browser.press("Make the offer", 200)
    assert "The offer is on its way" in page.text
    assert "US$ 4,800.00" in browser.open(path).text


def test_a_grantee_brings_the_budget_down_and_signs(browser: Browser, db: Db) -> None:
    made = make.offered(amount_usd=300_000)
    who, path = make.signatory(made), tab(made)
    name, email = who.name, who.email
    names = [f"line_{line.position}" for line in made.budget]
    db.commit()
    enter(browser, email)
    browser.open(path)
    browser.follow("Bring the budget to the amount awarded")
    for typed, said in (
        ("-1", "amount"),
        ("1e4", "amount"),
        ("2,400.004", "decimals"),
        ("2400", "above it"),
        ("", "amount"),
    ):
        browser.fill_all(**{names[0]: "2,400.00", names[1]: typed})
        page = browser.press("Settle this budget", 422)
        assert said in page.text.lower() or said in page.text, (typed, page.text)
    browser.fill_all(**{names[0]: "2,400.00", names[1]: "600.00"})
    page = browser.press("Settle this budget", 200)
    assert "the document has been made" in page.text
    browser.follow("Accept the award")
    page = browser.press("Accept the award and sign", 422)
    assert "Type your name." in page.text
    browser.choose("I have read the whole document and may sign for my organisation.")
    browser.fill("Type your name", "Somebody Else")
    page = browser.press("Accept the award and sign", 422)
    assert "exactly as it stands in your profile" in page.text
    browser.fill("Type your name", name)
    page = browser.press("Accept the award and sign", 200)
    assert "You have signed" in page.text
    for name in ("document.pdf", "signatures.pdf"):
        with browser.client.get(f"{path}/{name}") as pdf:
            assert pdf.data.startswith(b"%PDF")
            assert "attachment" in pdf.headers["Content-Disposition"]


def test_the_authority_countersigns_and_the_officer_suspends(browser: Browser, db: Db) -> None:
    made = make.award(Status.ACCEPTED)
    authority, officer = make.authority(made).email, make.officer(made).email
    path = tab(made)
    db.commit()
    enter(browser, authority)
    assert "Countersign the agreement" in browser.open("/home").text
    browser.open(path)
    browser.follow("Countersign the agreement")
    assert "tick this box" in browser.press("Countersign the agreement", 422).text
    browser.choose("I have read the document and sign it for the fund.")
    assert "signed by both sides" in browser.press("Countersign the agreement", 200).text
    enter(browser, officer)
    browser.open(path)
    browser.follow("Suspend the grant")
    assert "Give the reason." in browser.press("Suspend the grant", 422).text
    browser.fill("Reason", "A question about receipts is open.")
    page = browser.press("Suspend the grant", 200)
    assert "A question about receipts is open." in page.text
    assert "Suspended" in page.text


def test_signing_asks_for_the_password_again(browser: Browser, db: Db) -> None:
    made = make.offered()
    path = tab(made)
    email = make.signatory(made).email
    db.commit()
    enter(browser, email)
    later = clock.now() + timedelta(minutes=20)
    with clock.at(later):
        page = browser.open(f"{path}/accept", 401)
        assert "Accept the award and sign" not in page.text


def test_a_grantee_declines_with_a_reason(browser: Browser, db: Db) -> None:
    made = make.offered()
    path = tab(made)
    email = make.signatory(made).email
    db.commit()
    enter(browser, email)
    browser.open(path)
    browser.follow("Decline the award")
    browser.fill("Reason", "Our premises were closed.")
    assert "Declined by the grantee" in browser.press("Decline the award", 200).text


@pytest.mark.parametrize("status", [Status.OFFERED, Status.ACCEPTED, Status.ACTIVE])
def test_strangers_find_nothing_and_colleagues_only_read(
    status: Status, browser: Browser, db: Db
) -> None:
    made = make.award(status)
    editor = member(made.application.organisation).email
    stranger = make.signatory(make.award(Status.OFFERED)).email
    auditor = person(roles=[(Role.AUDITOR, None, None)]).email
    task_force = person(roles=[(Role.TASK_FORCE, "act", "KEN")]).email
    path, offer = tab(made), f"/files/{made.application.ref}/offer"
    db.commit()
    pages = ["", "/accept", "/countersign", "/suspend", "/document.pdf", "/budget"]
    for who in (stranger, task_force):
        enter(browser, who)
        for each in pages:
            assert browser.client.get(path + each).status_code == 404, (who, each)
        assert browser.client.get(offer).status_code == 404
    for who in (editor, auditor):
        enter(browser, who)
        page = browser.open(path, 200)
        assert "US$ 4,800.00" in page.text
        for each in ("/accept", "/countersign", "/suspend", "/terminate", "/nonsense"):
            assert browser.client.get(path + each).status_code == 404, (who, each)


def test_the_tab_asks_little_of_the_database(browser: Browser, db: Db, count_sql: Count) -> None:
    made = make.award()
    path = tab(made)
    people = (make.signatory(made).email, make.officer(made).email, make.authority(made).email)
    db.commit()
    for who in people:
        enter(browser, who)
        with count_sql() as count:
            browser.open(path, 200)
        assert count.total <= 10, count.statements
