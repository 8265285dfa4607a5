"""The pages of reports, walked through by grantee, programme and finance, without JavaScript."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from io import BytesIO
from typing import Any

import pypdf
import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.core import clock
from portal.core.files import stored
from portal.reports import queries, service
from portal.reports.models import Report, ReportStatus
from tests.browser import Browser
from tests.make import awards as make_awards
from tests.make import reports as make
from tests.make.accounts import PASSWORD, member, person, person_with
from tests.make.applications import rate

Db = scoped_session[Session]
SMALL = 100 * 1024
Count = Callable[[], AbstractContextManager[Any]]
Status = ReportStatus


def enter(browser: Browser, email: str) -> None:
    """Sign in, leaving whoever was there."""
    browser.client.delete_cookie("portal")
    browser.sign_in(email, PASSWORD)


def place(report: Report) -> str:
    return f"/files/{report.award.application.ref}/reports/{report.key}"


def test_a_grantee_writes_a_report_and_hands_it_in(
    browser: Browser, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate("KES", "129.5")
    award = make_awards.award()
    make.advance(award)
    who, ref = make_awards.signatory(award).email, award.application.ref
    positions = [line.position for line in award.budget]
    db.commit()
    enter(browser, who)
    browser.open(f"/files/{ref}/reports")
    browser.press("Begin this report", 200)
    browser.follow("What was done")
    browser.fill("What did you do?", "We held four evenings. Call Mrs Okello.")
    page = browser.press("Save and continue", 200)
    assert "looks like a person’s name" in page.text
    browser.follow("What was spent")
    first, second = (f"line_{number}" for number in positions)
    for typed, said in (("-1", "amount"), ("1e4", "amount"), ("12.345", "decimals")):
        browser.fill_all(**{f"{first}__spent": typed})
        page = browser.press("Save and work out the sums", 422)
        assert said in page.text, typed
    browser.fill_all(
        **{
            f"{first}__spent": "129,500.00",
            f"{first}__currency": "KES",
            f"{first}__rate": "1,295",
            f"{second}__spent": "2,400",
        }
    )
    page = browser.press("Save and work out the sums", 422)
    assert "is not a rate" in page.text
    browser.fill_all(**{f"{first}__rate": "140"})
    assert "another rate than the UN’s" in browser.press("Save and work out the sums", 422).text
    browser.fill_all(**{f"{first}__rate": ""})
    page = browser.press("Save and work out the sums", 200)
    assert "US$ 1,000.00" in page.text
    assert "US$ 3,400.00" in page.text
    browser.open(f"/files/{ref}/reports/final/people")
    browser.fill("Woman, Children (0–17)", "many")
    assert "whole number" in browser.press("Save and continue", 422).text
    browser.fill("Woman, Children (0–17)", "12")
    browser.press("Save and continue", 200)
    browser.open(f"/files/{ref}/reports/final/evidence")
    assert "Choose a file first." in browser.press("Add this file", 422).text
    monkeypatch.setattr(stored._place, "max_bytes", SMALL)
    browser.attach("Choose a file", "day.jpg", bytes(SMALL + 1))
    browser.fill("Caption", "The fourth evening")
    assert "larger than 100 KB" in browser.press("Add this file", 422).text
    assert browser.value("Caption") == "The fourth evening"
    browser.attach("Choose a file", "day.jpg", make.photograph().getvalue())
    assert "is with the report" in browser.press("Add this file", 200).text
    page = browser.open(f"/files/{ref}/reports/final/check")
    assert "still open" in page.text
    assert "Give the reason for the difference" in page.text
    assert "Hand in the report" not in page.text


def test_what_was_typed_into_a_report_that_was_handed_in_meanwhile_is_given_back(
    browser: Browser, db: Db
) -> None:
    made = make.filled(make.opened())
    path, who = place(made), make_awards.signatory(made.award)
    email = who.email
    db.commit()
    enter(browser, email)
    browser.open(f"{path}/narrative")
    browser.fill("What did you do?", "Three hours of writing that nobody types twice.")
    found = queries.report_in(*path.split("/")[2::2])
    assert found is not None
    service.submit(found, by=person_with(email))
    db.commit()
    page = browser.press("Save and continue", 409)
    assert "handed in" in page.text
    assert "Three hours of writing" in page.text


def test_a_whole_report_is_handed_in_returned_and_accepted(browser: Browser, db: Db) -> None:
    made = make.filled(make.opened())
    path, award = place(made), made.award
    grantee = make_awards.signatory(award).email
    programme, finance = make.programme(award).email, make.finance(award).email
    db.commit()
    enter(browser, grantee)
    browser.open(f"{path}/check")
    assert "The report is in." in browser.press("Hand in the report", 200).text
    enter(browser, programme)
    assert "Look at the report" in browser.open("/home").text
    browser.open("/reports")
    browser.open(f"{path}/review")
    browser.choose("Return with comments")
    assert "Say what has to be changed" in browser.press("Record your word", 422).text
    browser.fill("Comment", "Say more about the results.")
    browser.press("Record your word", 200)
    enter(browser, finance)
    page = browser.open(path, 200)
    assert "is changing the report" in page.text
    assert "Words about done" not in page.text
    enter(browser, grantee)
    assert "Say more about the results." in browser.open(f"{path}/draft").text
    browser.open(f"{path}/check")
    browser.press("Hand in the report", 200)
    enter(browser, programme)
    browser.open(f"{path}/review")
    browser.choose("Accept")
    browser.press("Record your word", 200)
    enter(browser, finance)
    browser.open(f"{path}/review")
    assert browser.value("Accepted as spent, in US dollars (optional)") == "4,800.00"
    browser.choose("Accept")
    browser.fill("Accepted as spent, in US dollars (optional)", "4,800.01")
    assert "from nothing to US$ 4,800.00" in browser.press("Record your word", 422).text
    browser.fill("Accepted as spent, in US dollars (optional)", "4,800.00")
    page = browser.press("Record your word", 200)
    assert "Accepted as spent" in page.text
    with browser.client.get(f"{path}/report.pdf") as pdf:
        read = pypdf.PdfReader(BytesIO(pdf.data)).pages
        text = " ".join(page.extract_text() for page in read)
    assert "Final report" in text


def test_a_stale_form_shows_both_and_loses_nothing(browser: Browser, db: Db) -> None:
    made = make.filled(make.opened())
    path = place(made)
    first = make_awards.signatory(made.award).email
    second = member(made.award.application.organisation).email
    db.commit()
    enter(browser, first)
    browser.open(f"{path}/narrative")
    other = Browser(browser.app)
    enter(other, second)
    other.open(f"{path}/narrative")
    other.fill("What did you do?", "Theirs")
    other.press("Save and continue", 200)
    browser.fill("What did you do?", "Mine")
    page = browser.press("Save and continue", 409)
    assert "Theirs" in page.text
    assert browser.value("What did you do?") == "Mine"
    browser.press("Save and continue", 200)
    browser.open(f"{path}/spending")
    other.open(f"{path}/spending")
    other.press("Save and work out the sums", 200)
    assert "at the same time" in browser.press("Save and work out the sums", 409).text
    assert "Saved." in browser.press("Save and work out the sums", 200).text


def test_autosave_speaks_json(browser: Browser, db: Db) -> None:
    made = make.opened()
    path, email = place(made), make_awards.signatory(made.award).email
    db.commit()
    enter(browser, email)
    browser.open(f"{path}/narrative")
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.response.text)
    assert found is not None
    token = found[1]
    answer = browser.client.post(
        f"{path}/narrative",
        data={"csrf_token": token, "q_done": "Saved as I type", "seen_done": "0."},
        headers={"X-Autosave": "1", "Accept": "application/json"},
    )
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["revisions"]["seen_done"].startswith("1.")


def test_strangers_find_nothing_and_funders_only_what_was_handed_in(
    browser: Browser, db: Db
) -> None:
    made = make.filled(make.opened())
    path, award = place(made), made.award
    file = queries.evidence(made)[0].id
    stranger = make_awards.signatory(make_awards.award()).email
    officer = make.programme(award).email
    auditor = person(roles=[(Role.AUDITOR, None, None)]).email
    db.commit()
    pages = ["", "/draft", "/narrative", "/spending", "/people", "/evidence", "/check", "/review"]
    pages += ["/report.pdf", f"/evidence/{file}"]
    for who in (stranger, officer, auditor):
        enter(browser, who)
        for each in pages:
            assert browser.client.get(path + each).status_code == 404, (who, each)
    enter(browser, auditor)
    assert browser.client.get("/reports").status_code == 404


def test_the_encrypted_answers_open_on_request_and_are_recorded(browser: Browser, db: Db) -> None:
    made = make.report()
    path, officer = place(made), make.programme(made.award).email
    finance = make.finance(made.award).email
    db.commit()
    enter(browser, finance)
    assert "Open the encrypted answers" not in browser.open(path).text
    enter(browser, officer)
    page = browser.open(path)
    assert "Words about difficulties" not in page.text
    assert "Words about difficulties" in browser.press("Open the encrypted answers", 200).text


def test_an_overdue_report_is_said_everywhere(browser: Browser, db: Db) -> None:
    award = make_awards.award()
    grantee, officer = make_awards.signatory(award).email, make.programme(award).email
    path = f"/files/{award.application.ref}/reports"
    db.commit()
    with clock.at(clock.now() + timedelta(days=200)):
        for who in (grantee, officer):
            enter(browser, who)
            assert "Overdue" in browser.open(path).text
        assert "Overdue" in browser.open("/reports").text
        enter(browser, grantee)
        assert "Final report" in browser.open("/home").text


@pytest.mark.parametrize("status", [Status.DUE, Status.SUBMITTED, Status.ACCEPTED])
def test_pages_ask_little_of_the_database(
    status: Status, browser: Browser, db: Db, count_sql: Count
) -> None:
    made = make.report(status)
    if status is Status.DUE:
        make.filled(made)
    path, award = place(made), made.award
    tab = f"/files/{award.application.ref}/reports"
    own, staff = make_awards.signatory(award).email, make.programme(award).email
    db.commit()
    seen = {own: [tab, path], staff: [tab, "/reports"]}
    if status is Status.DUE:
        seen[own] += [
            f"{path}/{each}"
            for each in ("draft", "narrative", "spending", "people", "evidence", "check")
        ]
    if status is Status.SUBMITTED:
        seen[staff] += [path, f"{path}/review"]
    counted = {}
    for who, pages in seen.items():
        enter(browser, who)
        for page in pages:
            with count_sql() as count:
                browser.open(page, 200)
            counted[page] = (count.total, count.statements)
    most = {page: total for page, (total, _all) in counted.items() if total > 10}
    assert most == {}
