"""The applicant's way through the pages, without JavaScript; what staff see of it."""

import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pypdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind, Person, Role
from portal.applications import queries, service
from portal.applications.models import Application, ApplicationStatus
from portal.core.audit import case_events
from tests.browser import Browser
from tests.make.accounts import PASSWORD, member, organisation, person, representative_of
from tests.make.applications import (
    applicant_for,
    application,
    by_ref,
    call,
    draft,
    fill,
    officer,
    pdf,
    rate,
)

Db = scoped_session[Session]
Counting = Callable[[], AbstractContextManager[Any]]


def signed_in(browser: Browser, who: Person, db: Db) -> Browser:
    keep(db)
    browser.sign_in(who.email, PASSWORD)
    return browser


def keep(db: Db) -> None:
    """Commit, and let the test go on reading what it holds after the requests' sessions ended."""
    db().expire_on_commit = False
    db.commit()


def of(made: Application) -> Person:
    return representative_of(made.organisation)


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


def test_only_the_representative_is_offered_the_button(browser: Browser, db: Db) -> None:
    made = fill(draft())
    signed_in(browser, member(made.organisation), db)
    browser.open(f"/files/{made.ref}/check")
    assert "Only the legal representative can submit" in browser.page.text
    assert of(made).name in browser.page.text


def test_submitted_once_with_a_receipt_however_often_it_is_clicked(
    browser: Browser, db: Db
) -> None:
    made = fill(draft())
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}/check")
    button = next(b for b in browser.page.buttons if b.text == "Submit application")
    browser.submit(button)
    digest = re.findall(r"[0-9a-f]{64}", browser.page.text)
    assert browser.page.heading == "Receipt"
    browser.open(f"/files/{made.ref}/receipt")
    again = browser.client.post(
        f"/files/{made.ref}/submit",
        data={"csrf_token": browser.page.all("input")[0].get("value")},
    )
    assert again.headers["Location"].endswith("/receipt")
    frozen = queries.submissions(by_ref(made.ref))
    assert [each.digest for each in frozen] == digest
    body = browser.client.get(f"/files/{made.ref}/submitted.json").data
    last = queries.last_submission(by_ref(made.ref))
    assert last is not None
    assert body == queries.submitted_body(last)


def test_the_receipt_and_the_dossier_are_documents(browser: Browser, db: Db) -> None:
    made = application(answers={"title": "Rights at the lake", "contact_name": "CANARY-77"})
    signed_in(browser, of(made), db)
    texts = {}
    for name in ("receipt", "dossier"):
        answer = browser.client.get(f"/files/{made.ref}/{name}.pdf")
        assert answer.mimetype == "application/pdf"
        reader = pypdf.PdfReader(io.BytesIO(answer.data))
        texts[name] = " ".join(page.extract_text() for page in reader.pages)
        assert made.ref in texts[name]
    assert "Rights at the lake" in texts["dossier"]
    assert "CANARY-77" in texts["dossier"]
    browser.sign_out()
    signed_in(browser, officer("act"), db)
    answer = browser.client.get(f"/files/{made.ref}/dossier.pdf")
    staff = " ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    assert "Rights at the lake" in staff
    assert "CANARY-77" not in staff


def test_taken_back_changed_and_withdrawn(browser: Browser, db: Db) -> None:
    made = application()
    signed_in(browser, of(made), db)
    browser.open(f"/files/{made.ref}")
    browser.follow("Take back to change it")
    browser.press("Take it back")
    assert browser.page.heading == "Your application"
    browser.open(f"/files/{made.ref}/check")
    browser.press("Submit application")
    browser.open(f"/files/{made.ref}")
    browser.follow("Withdraw for good")
    browser.press("Withdraw for good")
    assert by_ref(made.ref).status is ApplicationStatus.WITHDRAWN
    assert "Withdrawn" in browser.page.text


def test_the_officer_asks_and_the_applicant_answers(browser: Browser, db: Db) -> None:
    made = application()
    asks = officer("act")
    signed_in(browser, asks, db)
    browser.open(f"/files/{made.ref}")
    browser.follow("Ask for a clarification")
    browser.fill("Which section is it about?", "Activities and dates")
    browser.fill("What do you want to know?", "Who leads the courses?")
    browser.fill("Answer by", "2020-01-01")
    browser.press("Send the question")
    assert "still to come" in browser.page.text
    assert browser.value("What do you want to know?") == "Who leads the courses?"
    browser.fill("Answer by", "2199-01-01")
    browser.press("Send the question", status=200)
    browser.sign_out()
    signed_in(browser, of(made), db)
    browser.open("/home")
    browser.follow(f"Answer the question about {made.ref}")
    assert "Who leads the courses?" in browser.page.text
    browser.fill("Your answer", "Two trained teachers.")
    browser.press("Send the answer", status=200)
    assert "Two trained teachers." in browser.page.text
    assert by_ref(made.ref).status is ApplicationStatus.SUBMITTED


def test_staff_open_sealed_answers_by_a_recorded_act_only(browser: Browser, db: Db) -> None:
    made = application(answers={"contact_name": "CANARY-77", "risk_contact": "yes"})
    signed_in(browser, officer("act"), db)
    browser.open(f"/files/{made.ref}")
    assert "Handle with care" in browser.page.text
    browser.open(f"/files/{made.ref}/application")
    assert "CANARY-77" not in browser.page.html
    before = len(case_events(made.id))
    browser.press("Show risk answers", status=200)
    assert "CANARY-77" in browser.page.text
    assert [event.action for event in case_events(made.id)[before:]] == [
        "application.sealed_answers_read"
    ]
    browser.open(f"/files/{made.ref}/sensitivity")
    browser.choose("We have assessed it and found no risk")
    browser.press("Take the mark off", status=200)
    assert not by_ref(made.ref).sensitive


def test_the_list_is_narrowed_and_exported_without_formulas(browser: Browser, db: Db) -> None:
    under = call()
    one = application(of=under, answers={"title": "=HYPERLINK(1)"})
    two = application(of=under, answers={"title": "Second", "risk_contact": "yes"})
    draft(under)
    signed_in(browser, officer("act"), db)
    browser.open("/files")
    assert one.ref in browser.page.text
    assert two.ref in browser.page.text
    assert "Without a title" not in browser.page.text
    browser.fill("Reference, title or organisation", "second")
    browser.press("Show", status=200)
    assert one.ref not in browser.page.text
    table = browser.client.get("/files.csv").get_data(as_text=True)
    assert "'=HYPERLINK(1)" in table
    assert "(sensitive)" in table
    assert two.organisation.name not in table
    browser.open("/files?status=nonsense&page=99&text=%00%25_", status=200)


def test_other_people_find_nothing(browser: Browser, db: Db) -> None:
    made, hidden = application(), fill(draft())
    signed_in(browser, representative_of(organisation()), db)
    for path in ("", "/application", "/draft", "/check", "/receipt", "/receipt.pdf", "/ask"):
        browser.open(f"/files/{made.ref}{path}", status=404)
    browser.sign_out()
    signed_in(browser, officer("act"), db)
    browser.open(f"/files/{hidden.ref}", status=404)
    browser.open(f"/files/{made.ref}/draft", status=404)
    browser.open(f"/files/{made.ref}", status=200)


def test_every_page_runs_at_most_ten_statements(
    browser: Browser, db: Db, count_sql: Counting
) -> None:
    under = call()
    made = [application(of=under) for _number in range(3)]
    unfinished = fill(draft(under))
    asked = application(ApplicationStatus.CLARIFICATION, of=under)
    staff, applicant = officer("act"), of(unfinished)
    pages = {
        applicant: [
            "/applications",
            f"/calls/{under.ref}/apply",
            f"/files/{unfinished.ref}",
            *(
                f"/files/{unfinished.ref}/draft{rest}"
                for rest in ("", "/need", "/budget", "/documents", "/risk?mend=all")
            ),
            f"/files/{unfinished.ref}/check",
            f"/files/{unfinished.ref}/application",
        ],
        of(made[0]): [f"/files/{made[0].ref}/receipt", f"/files/{made[0].ref}"],
        of(asked): [f"/files/{asked.ref}/answer", f"/files/{asked.ref}"],
        staff: ["/files", f"/files/{made[0].ref}", f"/files/{made[0].ref}/application"],
    }
    too_many = {}
    for who, paths in pages.items():
        signed_in(browser, who, db)
        for path in paths:
            db.expire_all()
            with count_sql() as count:
                browser.open(path, status=200)
            if count.total > 10:
                too_many[path] = [
                    re.sub("SELECT.*FROM", "FROM", each.replace("\n", " "))[:120]
                    for each in count.statements
                ]
        browser.sign_out()
    assert not too_many, json.dumps(too_many, indent=1)


def test_pages_are_light_and_read_in_both_directions(browser: Browser, db: Db) -> None:
    made = fill(draft())
    signed_in(browser, of(made), db)
    for path in ("draft/need", "draft/budget", "check", "draft/documents", "draft"):
        for tag in ("en-XA", "ar-XB"):
            browser.open(f"/files/{made.ref}/{path}?lang={tag}", status=200)
        answer = browser.client.get(
            f"/files/{made.ref}/{path}?lang=en", headers={"Accept-Encoding": "gzip"}
        )
        assert len(answer.data) < 15_000, path


def test_reviewers_do_not_open_sealed_answers(browser: Browser, db: Db) -> None:
    made = application()
    for role in (Role.FINANCE_OFFICER, Role.TREASURY):
        signed_in(browser, person(roles=[(role, "act", None)]), db)
        browser.open(f"/files/{made.ref}/application", status=200)
        assert "Show risk answers" not in browser.page.text
        browser.sign_out()
