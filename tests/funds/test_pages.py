"""The programme officer's pages of calls."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.core import clock
from portal.core.db import session
from portal.funds import service
from portal.funds.models import Call, CallStatus
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]


@pytest.fixture
def olga(db: Db, browser: Browser) -> str:
    """Return the address of a programme officer of ACT who is signed in."""
    service.load_profiles_into_database(make.profiles())
    found = make.officer("act")
    email = found.email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    return email


def person(email: str) -> Person:
    """Return the person; each request ends the session, and with it what was read before."""
    return session.scalars(select(Person).where(Person.email == email)).one()


def fill_in(browser: Browser, **changes: str) -> None:
    """Fill in the form of a call."""
    today = clock.today()
    given = {
        "Fund": "ACT: Communities Together",
        "Title": "Rights at the river",
        "Opens on": today.isoformat(),
        "Deadline: day": (today + timedelta(days=30)).isoformat(),
        "Deadline: time": "18:00",
        "Time zone of these dates": "Africa/Nairobi",
        "Reference date": today.isoformat(),
        "Money in the call": "100,000.00",
        "Ceiling of one grant": "4,000",
    }
    for label, value in (given | changes).items():
        browser.fill(label, value)


def only_call(db: Db) -> Call:
    db.expire_all()
    return db.scalars(select(Call)).one()


def test_a_call_is_prepared_published_and_cancelled(db: Db, browser: Browser, olga: str) -> None:
    browser.open("/manage/calls")
    assert "No calls yet" in browser.page.text
    browser.follow("Prepare a call")
    fill_in(browser)
    browser.choose("Français")
    browser.choose("Kenya")
    browser.press("Save the draft", 200)
    call = only_call(db)
    ref = call.ref
    assert call.created_by_id == person(olga).id
    assert (call.ceiling_usd, call.envelope_usd) == (400_000, 10_000_000)
    assert (call.countries, call.languages) == (["KEN"], ["en", "fr"])
    closes = call.closes_at.astimezone(call.zone)
    assert (closes.hour, closes.minute, closes.utcoffset()) == (18, 0, timedelta(hours=3))
    assert "15:00 UTC" in browser.page.text
    assert "18:00 in Nairobi" in browser.page.text

    browser.follow("Publish the call")
    assert "can no longer be changed" in browser.page.text
    assert only_call(db).status is CallStatus.DRAFT
    browser.press("Publish the call", 200)
    assert only_call(db).status is CallStatus.OPEN
    assert "Edit the draft" not in browser.page.text
    browser.open(f"/manage/calls/{ref}/edit", 409)
    assert "cannot be changed any more" in browser.page.text

    browser.open(f"/manage/calls/{ref}")
    browser.follow("Cancel the call")
    browser.press("Cancel the call", 200)
    assert only_call(db).status is CallStatus.CANCELLED


def test_a_draft_says_what_it_lacks(db: Db, browser: Browser, olga: str) -> None:
    ref = make.draft_call(by=person(olga), countries=[]).ref
    db.commit()
    browser.open(f"/manage/calls/{ref}")
    assert "Name the countries" in browser.page.text
    assert "Publish the call" not in [text for text, _href in browser.page.links]
    browser.open(f"/manage/calls/{ref}/publish", 409)
    browser.open(f"/manage/calls/{ref}/edit")
    browser.choose("Nepal")
    browser.press("Save the draft", 200)
    assert only_call(db).countries == ["NPL"]
    browser.follow("Publish the call")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("Ceiling of one grant", "5,000.01", "never higher"),
        ("Ceiling of one grant", "5,000.004", "decimals"),
        ("Ceiling of one grant", "-1", "not below zero"),
        ("Ceiling of one grant", "1e4", "digit by digit"),
        ("Ceiling of one grant", "0", "more than nothing"),
        ("Money in the call", "", "Type an amount"),
        ("Title", "", "Give the call a title"),
        ("Deadline: day", "2020-01-01", "must come after the opening"),
        ("Deadline: day", "0026-01-01", "Check the year"),
        ("Deadline: time", "99:99", "18:00"),
        ("Reference date", "tomorrow", ""),
    ],
)
@pytest.mark.usefixtures("olga")
def test_bad_input_gets_a_sentence_and_loses_nothing(
    browser: Browser, field: str, typed: str, sentence: str
) -> None:
    browser.open("/manage/calls/new")
    fill_in(browser, **{field: typed})
    browser.choose("Kenya")
    browser.press("Save the draft", 422)
    assert sentence in browser.page.text or sentence == "18:00"
    assert browser.value("Time zone of these dates") == "Africa/Nairobi"
    if field not in {"Deadline: time", "Reference date"}:
        assert browser.value(field) == typed
    if field != "Title":
        assert browser.value("Title") == "Rights at the river"
    assert session.scalars(select(Call)).all() == []


@pytest.mark.usefixtures("olga")
def test_somebody_elses_draft_and_fund_do_not_exist(db: Db, browser: Browser) -> None:
    ref = make.draft_call("vftc", title="Somebody else's").ref
    db.commit()
    for path in ("", "/edit", "/publish", "/cancel", "/decided"):
        browser.open(f"/manage/calls/{ref}{path}", 404)
    browser.open("/manage/calls")
    assert "Somebody else's" not in browser.page.text
    browser.open("/manage/calls/new")
    assert "VFTC: " not in browser.page.text


def test_an_auditor_reads_and_changes_nothing(db: Db, browser: Browser) -> None:
    ref, email = make.draft_call().ref, make.person(roles=[Role.AUDITOR]).email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    browser.open(f"/manage/calls/{ref}", 200)
    assert "Publish the call" not in browser.page.text
    assert "Cancel the call" not in browser.page.text
    browser.open(f"/manage/calls/{ref}/publish", 404)


def test_applicants_have_no_such_pages(db: Db, browser: Browser) -> None:
    ref, email = make.draft_call().ref, make.person().email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    for path in ("", "/new", f"/{ref}"):
        browser.open(f"/manage/calls{path}", 404)


def test_a_decided_call_is_marked(db: Db, browser: Browser, olga: str) -> None:
    deadline = clock.now() + timedelta(minutes=1)
    ref = make.call(by=person(olga), closes_at=deadline).ref
    db.commit()
    browser.open(f"/manage/calls/{ref}")
    assert "it can be decided after its deadline" in browser.page.text
    with clock.at(deadline):
        browser.open(f"/manage/calls/{ref}")
        browser.follow("Mark as decided")
        browser.press("Mark as decided", 200)
    assert only_call(db).status is CallStatus.DECIDED


def test_the_list_takes_few_statements_however_long(
    db: Db, browser: Browser, olga: str, count_sql: Count
) -> None:
    for number in range(2):
        make.draft_call(by=person(olga), title=f"Call {number}")
    db.commit()
    with count_sql() as few:
        browser.open("/manage/calls")
    for number in range(30):
        make.draft_call(by=person(olga), title=f"More {number}")
    db.commit()
    with count_sql() as many:
        browser.open("/manage/calls")
    assert "Page 1 of 2" in browser.page.text
    assert many.total == few.total <= 10
    browser.follow("Next page")
    assert "Page 2 of 2" in browser.page.text
    browser.open("/manage/calls?status=cancelled&fund_code=act&page=-3", 200)
    assert "No call fits this choice" in browser.page.text
    browser.open("/manage/calls?status=nonsense&page=x", 200)


@pytest.mark.usefixtures("olga")
def test_the_form_can_be_read_from_right_to_left(browser: Browser) -> None:
    browser.open("/manage/calls/new?lang=ar-XB", 200)
    assert 'dir="rtl"' in browser.page.html
    assert "Save the draft" not in browser.page.text
