"""The public site, read by somebody who has no account."""

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from portal.core import clock
from portal.core.money import format_money, usd
from portal.funds import service
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]

FUNDS = list(make.profiles())
FIRST_VIEW = 30 * 1024
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def funds(db: Db) -> None:
    """Load the funds."""
    service.load_profiles_into_database(make.profiles())
    db.commit()


def addresses(ref: str) -> list[str]:
    """Return every page of the public site, with the call `ref`."""
    pages = ["", "form", "figures"]
    return [
        *("/", "/calls", f"/calls/{ref}", f"/calls/{ref}/form"),
        *("/how-to-apply", "/privacy", "/accessibility"),
        *(f"/funds/{code}/{page}".rstrip("/") for code in FUNDS for page in pages),
    ]


@pytest.mark.parametrize("language", ["en", "fr", "en-XA", "ar-XB"])
def test_every_page_is_sound_in_both_directions(db: Db, browser: Browser, language: str) -> None:
    ref = make.call().ref
    db.commit()
    for address in addresses(ref):
        page = browser.open(f"{address}?lang={language}", 200)
        assert ('dir="rtl"' in page.html) == (language == "ar-XB"), address
        assert page.text.count("%(") == 0


def test_every_text_of_the_pages_goes_through_gettext(db: Db, browser: Browser) -> None:
    ref = make.call().ref
    db.commit()
    for address in addresses(ref):
        page = browser.open(f"{address}?lang=en-XA", 200)
        for heading in page.headings:
            text = heading.partition(". ")[2] if heading[0].isdigit() else heading
            assert text.startswith("[") or text == "Human rights where we live", heading


def test_the_front_page_says_what_is_open_and_how_to_apply(db: Db, browser: Browser) -> None:
    make.call(title="Rights at the river")
    make.draft_call(title="A secret draft")
    db.commit()
    page = browser.open("/", 200)
    for words in ("Rights at the river", "How to apply, in five steps", "Register", "ACT", "VFTC"):
        assert words in page.text
    assert "A secret draft" not in page.html
    browser.follow("Rights at the river")
    assert browser.page.heading == "Rights at the river"


def test_an_empty_portal_says_what_will_be_there(browser: Browser) -> None:
    page = browser.open("/", 200)
    for words in ("No fund is described yet", "No call is open now", "No figures yet"):
        assert words in page.text
    assert "No call is open now" in browser.open("/calls", 200).text


def test_deadlines_stand_in_utc_and_in_the_zone_of_the_call(db: Db, browser: Browser) -> None:
    for zone in ("Asia/Kathmandu", "America/Lima", "UTC"):
        make.call(title=f"Call of {zone}", closes_at=NOON, time_zone=zone)
    db.commit()
    texts = []
    for zone in ("Asia/Kathmandu", "America/Lima", "UTC"):
        browser.open("/calls", 200)
        browser.follow(f"Call of {zone}")
        texts.append(browser.page.text)
    assert "1 March 2027, 12:00 UTC (17:45 in Kathmandu)" in texts[0]
    assert "1 March 2027, 12:00 UTC (07:00 in Lima)" in texts[1]
    assert "1 March 2027, 12:00 UTC" in texts[2]
    assert " in UTC" not in texts[2]


def test_drafts_do_not_exist_for_the_public(db: Db, browser: Browser) -> None:
    olga = make.officer("act")
    draft = make.draft_call(by=olga, title="A secret draft")
    dropped = make.draft_call(by=olga, title="A dropped draft")
    service.cancel_call(dropped, by=olga)
    refs = [draft.ref, dropped.ref]
    db.commit()
    for ref in refs:
        browser.open(f"/calls/{ref}", 404)
        browser.open(f"/calls/{ref}/form", 404)
    for address in ("/", "/calls", "/funds/act"):
        assert "draft" not in browser.open(address, 200).text
    browser.open("/funds/none", 404)
    browser.open("/calls/AAAA-AAAA", 404)


def test_a_call_says_how_it_stands(db: Db, browser: Browser) -> None:
    olga = make.officer("act")
    now = clock.now()
    call = make.call(by=olga, opens_at=now + timedelta(days=2), closes_at=now + timedelta(days=9))
    cancelled = make.call(by=olga, title="Called off")
    service.cancel_call(cancelled, by=olga)
    ref, gone = call.ref, cancelled.ref
    db.commit()
    seen = []
    for days in (0, 5, 9):
        with clock.at(now + timedelta(days=days, seconds=1)):
            text = browser.open(f"/calls/{ref}", 200).text
            seen.append(("Opens later" in text, "Open for applications" in text))
            assert ("Start an application" in text) == (days == 5)
    assert seen == [(True, False), (False, True), (False, False)]
    assert "Closed, being decided" in browser.page.text
    text = browser.open(f"/calls/{gone}", 200).text
    assert "Cancelled" in text
    assert "Start an application" not in text
    assert "Called off" not in browser.open("/", 200).text
    assert "Called off" in browser.open("/calls", 200).text


@pytest.mark.usefixtures("funds")
@pytest.mark.parametrize("code", FUNDS)
def test_a_fund_page_says_what_the_profile_says(browser: Browser, code: str) -> None:
    fund = make.profiles()[code]
    text = browser.open(f"/funds/{code}", 200).text
    assert browser.page.heading == fund.name
    for words in (fund.purpose, fund.who_may_apply, fund.where):
        assert " ".join(words.split()) in text
    for basis in fund.legal_basis:
        assert basis.text in text
    for criterion in fund.criteria:
        assert criterion.title in text
        assert f"{criterion.weight_percent} %" in text
        assert all(anchor in text for anchor in criterion.anchors)
    labels = [rule.label for rule in fund.priority] + [rule.label for rule in fund.stations]
    assert all(label in text for label in labels)
    for eligibility in fund.eligibility:
        assert eligibility.sentence in text
    for instalment in fund.instalments:
        assert f"{instalment.percent} %: {instalment.label}" in text
    if fund.budget.ceiling_usd_minor:
        assert f"At most {format_money(usd(fund.budget.ceiling_usd_minor))}" in text


@pytest.mark.usefixtures("funds")
@pytest.mark.parametrize("code", FUNDS)
def test_settings_to_be_confirmed_are_labelled(browser: Browser, code: str) -> None:
    fund = make.profiles()[code]
    marks = [criterion.mark for criterion in fund.criteria]
    marks += [instalment.mark for instalment in fund.instalments]
    marks += [report.mark for report in fund.reports]
    text = browser.open(f"/funds/{code}", 200).text
    assert text.count("(to be confirmed by the fund secretariat)") >= marks.count("T") > 0


@pytest.mark.usefixtures("funds")
@pytest.mark.parametrize("code", FUNDS)
def test_the_whole_form_can_be_read_before_registering(browser: Browser, code: str) -> None:
    fund = make.profiles()[code]
    page = browser.open(f"/funds/{code}/form", 200)
    for question in fund.questions():
        assert any(heading.startswith(question.label) for heading in page.headings)
        assert question.hint in page.text
        if question.max_words:
            assert f"Up to {question.max_words} words." in page.text
        assert all(choice.label in page.text for choice in question.choices)
    for attachment in fund.attachments:
        assert attachment.label in page.text
    assert page.controls == [] or all(control.tag == "button" for control in page.controls)


def test_a_call_shows_the_form_and_ceiling_that_are_frozen_in_it(db: Db, browser: Browser) -> None:
    ref = make.call(ceiling_usd=350_000).ref
    act = make.profiles()["act"].model_copy(update={"tagline": "Another tagline"})
    service.load_profiles_into_database({**make.profiles(), "act": act})
    db.commit()
    text = browser.open(f"/calls/{ref}", 200).text
    assert "US$ 3,500.00" in text
    assert "Kenya, Nepal, Peru" in text
    assert "English, Français, Español, العربية" in text
    browser.follow("Read the whole form")
    assert "US$ 3,500.00" in browser.page.text
    assert "Another tagline" in browser.open("/funds/act", 200).text


def test_pages_take_few_statements_however_many_calls(
    db: Db, browser: Browser, count_sql: Count
) -> None:
    olga = make.officer("act")
    ref = make.call(by=olga).ref
    db.commit()
    pages = addresses(ref)
    first = []
    for page in pages:
        with count_sql() as count:
            browser.open(page, 200)
        first.append(count.total)
    again = make.officer("act")
    for number in range(12):
        make.call(by=again, title=f"Call {number}")
    db.commit()
    for page, before in zip(pages, first, strict=True):
        with count_sql() as count:
            browser.open(page, 200)
        assert count.total == before <= 10, page


def test_the_first_view_is_light(db: Db, client: FlaskClient) -> None:
    ref = make.call().ref
    db.commit()
    shared = 0
    sheets = ("css/portal.css", "css/components.css", "css/forms.css")
    for name in (*sheets, "js/portal.js", "img/mark.svg"):
        with client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"}) as file:
            shared += len(file.data)
    for address in addresses(ref):
        page = client.get(address)
        assert "Set-Cookie" not in page.headers, address
        assert shared + len(gzip.compress(page.data)) <= FIRST_VIEW, address
