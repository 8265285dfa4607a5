"""Queues show their rows page by page, each row once, with links between the pages."""

import re

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.core import paging
from portal.reviews import service as reviews
from tests.browser import Browser
from tests.make.accounts import PASSWORD, person
from tests.make.applications import application, call
from tests.make.awards import award
from tests.make.payments import entered
from tests.make.reports import submitted
from tests.make.reviews import cast, in_review

Db = scoped_session[Session]
ROWS = 3
REF = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b")
pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page hold two rows."""
    monkeypatch.setattr(paging, "PAGE_ROWS", 2)


def both_pages(browser: Browser, who: Person, path: str, wanted: set[str]) -> None:
    """Demand that a queue shows `wanted` on two pages, each once, whatever page is asked for."""
    browser.sign_in(who.email, PASSWORD)
    browser.open(path, 200)
    assert "Page 1 of 2" in browser.page.text
    first = refs(browser)
    browser.follow("Next page")
    assert "Page 2 of 2" in browser.page.text
    second = refs(browser)
    assert first | second == wanted
    assert not first & second
    browser.follow("Previous page")
    assert refs(browser) == first
    for number, shown in (("99", second), ("-1", first), ("x", first)):
        browser.open(f"{path}{'&' if '?' in path else '?'}page={number}", 200)
        assert refs(browser) == shown
    browser.sign_out()


def refs(browser: Browser) -> set[str]:
    """Return the references in the rows of the page's table."""
    return {ref for row in browser.page.all("tr") for ref in REF.findall("".join(row.itertext()))}


@pytest.mark.usefixtures("short")
def test_screening_and_my_reviews(db: Db, browser: Browser) -> None:
    under = call("act")
    people = cast(under)
    reader = people.reviewers[0]
    sent = {application(of=under).ref for _n in range(ROWS)}
    read = [in_review(under, people) for _n in range(ROWS)]
    for each in read:
        reviews.declare_no_conflict(each, by=reader)
    in_hand = {each.ref for each in read}
    in_review(under, people)
    db.commit()
    officer = db.merge(people.officer)
    both_pages(browser, officer, "/screening", sent)
    both_pages(browser, db.merge(reader), "/reviews", in_hand)


@pytest.mark.usefixtures("short")
def test_entitlements_have_pages_of_their_own(db: Db, browser: Browser) -> None:
    people = cast(call("upr-p"))
    checks = {in_review(call("upr-p"), people).ref for _n in range(ROWS)}
    email = people.officer.email
    db.commit()
    browser.sign_in(email, PASSWORD)
    browser.open("/screening", 200)
    found = refs(browser)
    browser.follow("Next page")
    assert "checks=2" in browser.page.path
    assert found | refs(browser) == checks


@pytest.mark.usefixtures("short")
def test_calls_in_review(db: Db, browser: Browser) -> None:
    titles = [f"Call number {n}" for n in range(ROWS)]
    for title in titles:
        call("act", title=title)
    email = person(roles=[Role.AUDITOR]).email
    db.commit()
    browser.sign_in(email, PASSWORD)
    browser.open("/reviews/calls", 200)
    first = [title for title in titles if title in browser.page.text]
    browser.follow("Next page")
    second = [title for title in titles if title in browser.page.text]
    assert len(first) == 2
    assert sorted(first + second) == titles


@pytest.mark.usefixtures("short")
def test_payments_and_reports(db: Db, browser: Browser) -> None:
    finance = person(roles=[Role.FINANCE_OFFICER])
    waiting, told = set(), set()
    for _n in range(ROWS):
        waiting.add(entered(award()).award.application.ref)
        told.add(submitted(award()).award.application.ref)
    db.commit()
    both_pages(browser, db.merge(finance), "/payments?matter=verify", waiting)
    both_pages(browser, db.merge(finance), "/reports", told)
