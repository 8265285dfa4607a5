"""Sending, the receipt, and what staff see of a file."""

import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pypdf
from sqlalchemy import select

from portal.accounts.models import Role
from portal.applications import queries
from portal.applications.models import ApplicationStatus
from portal.core.audit import AuditEvent, case_events
from tests.accounting.taking import taken
from tests.applications.reader import Db, of, signed_in
from tests.browser import Browser
from tests.make.accounts import member, organisation, person, representative_of
from tests.make.applications import (
    application,
    by_ref,
    call,
    draft,
    fill,
    officer,
)

Counting = Callable[[], AbstractContextManager[Any]]


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
    assert browser.client.get(f"/files/{made.ref}/submitted.json?number=1").data == body
    assert browser.client.get(f"/files/{made.ref}/submitted.json?number=2").status_code == 404


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
    table = taken(browser, "/files.csv").get_data(as_text=True)
    assert "'=HYPERLINK(1)" in table
    assert "(sensitive)" in table
    assert two.organisation.name not in table
    assert browser.client.get("/files.csv").status_code in {404, 405}
    facts = select(AuditEvent.facts).where(AuditEvent.action == "files.exported")
    assert db.scalars(facts).all() == [{"fund": "act", "applications": 2}]
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
