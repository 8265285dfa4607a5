"""The applicant's way through the pages of a draft, without JavaScript."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.accounts.models import OrganisationKind
from portal.applications import queries, service
from tests.applications.reader import Db, keep, of, signed_in
from tests.browser import Browser
from tests.make.accounts import member, organisation, person, representative_of
from tests.make.applications import (
    applicant_for,
    by_ref,
    call,
    draft,
    fill,
    pdf,
    rate,
)

Counting = Callable[[], AbstractContextManager[Any]]


def test_somebody_starts_in_a_call_and_finds_the_task_list(browser: Browser, db: Db) -> None:
    under = call()
    where = applicant_for(under)
    signed_in(browser, representative_of(where), db)
    browser.open(f"/calls/{under.ref}/apply")
    browser.choose(where.name)
    browser.press("Start the application")
    assert browser.page.heading == "Your application"
    assert "Not started" in browser.page.text
    browser.open(f"/calls/{under.ref}/apply")
    assert "Already in this call" in browser.page.text


def test_who_cannot_apply_reads_the_rule_and_its_source(browser: Browser, db: Db) -> None:
    under = call()
    where = organisation(OrganisationKind.GOVERNMENT, "KEN")
    signed_in(browser, representative_of(where), db)
    browser.open(f"/calls/{under.ref}/apply")
    assert "Governments, parliaments, political parties" in browser.page.text
    assert "Rule R3" in browser.page.text
    assert "Call for applications of the programme" in browser.page.text
    assert "Enter an organisation" in browser.page.text


def test_a_draft_call_does_not_exist_for_applicants(browser: Browser, db: Db) -> None:
    signed_in(browser, person(), db)
    browser.open("/calls/NONE-NONE/apply", status=404)


def test_a_section_is_saved_and_leads_on(browser: Browser, db: Db) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/need")
    browser.fill("Title of the project", "Rights at the lake")
    browser.choose("Children")
    browser.choose("Rural communities")
    browser.fill("How many people do you expect to reach directly?", "120")
    browser.press("Save and continue", status=200)
    assert browser.page.heading == "Activities and dates"
    browser.open(f"/files/{made.ref}/draft/need")
    assert browser.value("Title of the project") == "Rights at the lake"
    saved = queries.answers(by_ref(made.ref))
    assert (saved["groups"], saved["people_expected"]) == (["children", "rural"], 120)
    assert "place" not in saved


def test_bad_input_has_a_sentence_and_stays_in_its_field(browser: Browser, db: Db) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/need")
    browser.fill("Title of the project", "Kept all the same")
    browser.fill("How many people do you expect to reach directly?", "a hundred")
    browser.press("Save and continue", status=422)
    assert "“a hundred” is not a whole number" in browser.page.text
    assert browser.value("How many people do you expect to reach directly?") == "a hundred"
    assert queries.answers(by_ref(made.ref))["title"] == "Kept all the same"


def test_a_past_end_date_is_kept_and_said(browser: Browser, db: Db) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/activities")
    browser.fill("First day of activities", "2020-02-30")
    browser.fill("Last day of activities", "2020-03-01")
    browser.press("Save and continue", status=422)
    assert "“2020-02-30” is not a day of the calendar" in browser.page.text
    browser.fill("First day of activities", "2020-02-20")
    browser.press("Save and continue", status=200)
    assert "2020-03-01 has passed" in browser.page.text
    assert queries.answers(by_ref(made.ref))["ends_on"] == "2020-03-01"


def test_two_editors_see_both_texts(browser: Browser, db: Db, app: Any) -> None:
    made = draft()
    colleague = member(made.organisation)
    other = Browser(app)
    signed_in(browser, of(made), db)
    signed_in(other, colleague, db)
    for each in (browser, other):
        each.open(f"/files/{made.ref}/draft/need")
    browser.fill("Title of the project", "Mine")
    browser.press("Save and continue", status=200)
    other.fill("Title of the project", "Theirs")
    other.fill("Where will the activities take place?", "Kisumu")
    other.press("Save and continue", status=409)
    assert "Mine" in other.page.text
    assert other.value("Title of the project") == "Theirs"
    other.press("Save and continue", status=200)
    saved = queries.answers(by_ref(made.ref))
    assert (saved["title"], saved["place"]) == ("Theirs", "Kisumu")


def test_what_a_colleague_changed_elsewhere_on_the_page_is_no_conflict(
    browser: Browser, db: Db, app: Any
) -> None:
    made = draft()
    other = Browser(app)
    signed_in(browser, of(made), db)
    signed_in(other, member(made.organisation), db)
    for each in (browser, other):
        each.open(f"/files/{made.ref}/draft/need")
    browser.fill("Title of the project", "Title by one")
    browser.press("Save and continue", status=200)
    other.fill("Where will the activities take place?", "Place by the other")
    other.press("Save and continue", status=200)
    saved = queries.answers(by_ref(made.ref))
    assert (saved["title"], saved["place"]) == ("Title by one", "Place by the other")


def autosave(browser: Browser, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
    """Send what is on the page with `fields` changed, as the page's script does."""
    page = browser.open(path)
    data = {
        field.get("name", ""): field.get("value", "") or (field.text or "")
        for field in page.all("input", "textarea")
        if field.get("type") not in {"radio", "checkbox"}
    }
    answer = browser.client.post(path, data=data | fields, headers={"X-Autosave": "1"})
    return answer.status_code, json.loads(answer.data)


def test_autosave_answers_in_json(browser: Browser, db: Db) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    path = f"/files/{made.ref}/draft/need"
    status, told = autosave(browser, path, q_title="Typed")
    assert status == 200
    assert told["saved_at"].startswith("20")
    assert told["revisions"]["seen_title"].startswith("1.")
    service.save_answers(by_ref(made.ref), "need", {"title": "Other"}, by=of(made))
    keep(db)
    stale = {"q_title": "Again", "seen_title": told["revisions"]["seen_title"]}
    status, told = autosave(browser, path, **stale)
    assert (status, told["conflict"][0]["label"]) == (409, "Title of the project")
    status, told = autosave(browser, path, q_people_expected="x")
    assert (status, "not a whole number" in told["refused"]) == (422, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("5,000.004", "."),
        ("-1", "."),
        ("1e4", "."),
        ("five", "digits"),
        ("", "."),
        ("0", "above zero"),
        ("99999999999999999999", "."),
    ],
)
def test_bad_amounts_are_refused_with_a_sentence_and_stay(
    browser: Browser, db: Db, typed: str, said: str
) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/budget")
    browser.fill("Category, line 1", "Workshops and courses")
    browser.fill("What it is for, line 1", "Room")
    browser.fill("How many, line 1", "2")
    browser.fill("Price of one, line 1", typed)
    browser.press("Save and work out the sums", status=422)
    summary = next(each for each in browser.page.flashes if "mend" in each)
    assert said in summary
    assert browser.value("Price of one, line 1") == typed
    assert browser.value("What it is for, line 1") == "Room"
    assert by_ref(made.ref).requested == 0


def test_an_arabic_decimal_mark_is_read_as_one(browser: Browser, db: Db) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/budget")
    browser.fill("Category, line 1", "Workshops and courses")
    browser.fill("What it is for, line 1", "Room")
    browser.fill("How many, line 1", "٢")
    browser.fill("Price of one, line 1", "٥٠٠٫٠٠")
    browser.press("Save and work out the sums", status=200)
    assert by_ref(made.ref).requested == 100_000


def test_the_budget_is_added_up_in_both_currencies(browser: Browser, db: Db) -> None:
    rate("KES", "129.25")
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/budget")
    browser.fill("Currency of the budget", "KES")
    for row, (what, price) in enumerate([("Room", "12,925"), ("Booklets", "1292.50")], start=1):
        browser.fill(f"Category, line {row}", "Workshops and courses")
        browser.fill(f"What it is for, line {row}", what)
        browser.fill(f"How many, line {row}", "2")
        browser.fill(f"Price of one, line {row}", price)
    browser.press("Add a line", status=200)
    browser.fill("What it is for, line 5", "")
    text = browser.page.text
    assert "28,435.00" in text
    assert "US$ 220.00" in text
    assert "129.25" in text
    found = by_ref(made.ref)
    assert (found.requested, found.requested_usd, found.currency) == (2_843_500, 22_000, "KES")


def test_an_emptied_line_is_removed_and_above_the_ceiling_is_said(browser: Browser, db: Db) -> None:
    made = fill(draft())
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/budget")
    for field in ("What it is for", "How many", "Price of one"):
        browser.fill(f"{field}, line 2", "")
    browser.fill("Price of one, line 1", "1,250.01")
    browser.press("Save and continue", status=200)
    assert "Above the ceiling" in browser.page.text
    assert by_ref(made.ref).requested_usd == 500_004
    browser.open(f"/files/{made.ref}/check")
    assert "5,000" in browser.page.text
    assert "(R9)" in browser.page.text


def test_an_unknown_currency_is_refused(client: FlaskClient, browser: Browser, db: Db) -> None:
    del client
    made = draft()
    signed_in(browser, of(made), db)
    path = f"/files/{made.ref}/draft/budget"
    status, told = autosave(browser, path, currency="ZZZ")
    assert (status, "refused" in told) == (422, True)


def test_what_was_typed_stands_on_the_page_when_it_was_submitted_meanwhile(
    browser: Browser, db: Db
) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/need")
    late = by_ref(made.ref)
    service.submit(fill(late), by=of(late))
    keep(db)
    browser.fill("Title of the project", "Typed in the last minute")
    browser.press("Save and continue", status=409)
    assert "no longer a draft" in browser.page.text
    assert browser.value("Title of the project") == "Typed in the last minute"


def test_documents_are_attached_and_removed(browser: Browser, db: Db) -> None:
    made = draft()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/draft/documents")
    label = "File for “Registration certificate”"
    form = browser.page.by_id("registration")
    assert form is not None
    button = next(form.iter("button"))
    browser.attach(label, "paper.pdf", b"this is no PDF")
    browser.submit(button, status=422)
    assert "The file was not taken" in browser.page.text
    form = browser.page.by_id("registration")
    assert form is not None
    browser.attach(label, "paper.pdf", pdf().getvalue())
    browser.submit(next(form.iter("button")), status=200)
    assert "paper.pdf" in browser.page.text
    (href,) = [href for said, href in browser.page.links if said == "paper.pdf"]
    answer = browser.client.get(href)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    browser.press("Remove", status=200)
    assert "Not attached yet" in browser.page.text
    assert browser.client.get(href).status_code == 404
