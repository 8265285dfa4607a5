"""The pages of reviews, as each person opens them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.applications.models import Application, ApplicationStatus
from portal.reviews import queries, service
from portal.reviews.models import Recommendation, RecommendationStatus, Verdict
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD, person, representative_of
from tests.make.applications import application as make_application
from tests.make.applications import by_ref
from tests.make.applications import call as make_call
from tests.make.reviews import Cast, cast, decided, in_review, recommended, reviewed, score

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]
MOST = 10
Status = ApplicationStatus
pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def act(db: Db) -> tuple[Cast, Application]:
    """Return the people of a call and one application in review."""
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    settle(db)
    return people, made


def settle(db: Db) -> None:
    """Commit, and keep what the test holds readable: a request ends the session it came from."""
    db.commit()
    for each in list(db.identity_map.values()):
        db.refresh(each)
    db.expunge_all()


def declare(db: Db, made: Application, reader: Person) -> None:
    again = db.get(Person, reader.id)
    assert again is not None
    service.declare_no_conflict(by_ref(made.ref), by=again)
    settle(db)


def enter(browser: Browser, person: Person) -> Browser:
    email = person.email
    if "Sign out" in browser.page.text:
        browser.sign_out()
    browser.sign_in(email, PASSWORD)
    return browser


def test_an_officer_screens_item_by_item_and_completes(db: Db, browser: Browser) -> None:
    call = make_call()
    people = cast(call)
    made = make_application(of=call)
    settle(db)
    enter(browser, people.officer)
    browser.follow("Screening")
    browser.follow(made.title)
    assert "R3" in browser.page.text
    browser.press("Save, and complete the screening", 422)
    assert "is open" in browser.page.text
    for control in browser.page.controls:
        if control.get("name", "").startswith("finding_"):
            control.attrib.pop("checked", None)
            if control.get("value") == "met":
                control.set("checked", "")
    for control in browser.page.controls:
        if control.get("name", "").startswith("note_"):
            control.text = "Seen on file."
    browser.press("Save all")
    assert "Saved" in browser.page.text
    browser.press("Save, and complete the screening")
    assert by_ref(made.ref).status is Status.IN_REVIEW
    assert "Screening" in browser.page.text


def test_a_waiver_without_a_reason_loses_nothing(db: Db, browser: Browser) -> None:
    made = make_application()
    people = cast(made.call)
    settle(db)
    enter(browser, people.officer).open(f"/files/{made.ref}/screening")
    first = next(c for c in browser.page.controls if c.get("value") == "waived")
    first.set("checked", "")
    opened = next(
        c
        for c in browser.page.controls
        if c.get("name") == first.get("name") and c.get("value") == "open"
    )
    opened.attrib.pop("checked", None)
    browser.submit(
        next(b for b in browser.page.buttons if "Save this item" in "".join(b.itertext())), 422
    )
    assert "Say why this is waived" in browser.page.text
    again = next(
        c
        for c in browser.page.controls
        if c.get("name") == first.get("name") and c.get("value") == "waived"
    )
    assert "checked" in again.attrib


def test_the_inadmissible_applicant_reads_rule_and_reasons(db: Db, browser: Browser) -> None:
    made = make_application()
    people = cast(made.call)
    settle(db)
    enter(browser, people.officer).open(f"/files/{made.ref}/screening")
    browser.follow("Declare inadmissible")
    browser.press("Declare inadmissible", 422)
    browser.choose("R6: ")
    browser.fill("Reasons", "The organisation was founded three weeks ago.")
    browser.press("Declare inadmissible")
    enter(browser, representative_of(made.organisation)).open(f"/files/{made.ref}")
    browser.follow("Review")
    browser.follow("The decision with its reasons")
    assert "three weeks ago" in browser.page.text
    assert "R6" in browser.page.text
    browser.open(f"/files/{made.ref}/decision.pdf", 200)
    assert browser.response.data.startswith(b"%PDF")


def test_a_reviewer_declares_before_anything_is_shown(
    act: tuple[Cast, Application], browser: Browser
) -> None:
    people, made = act
    enter(browser, people.reviewers[0]).open(f"/reviews/{made.ref}")
    assert browser.page.heading == "Declare your interests"
    assert made.organisation.name in browser.page.text
    browser.press("Declare", 422)
    assert "Say whether anything ties you" in browser.page.text
    browser.choose("Nothing ties me to this applicant")
    browser.press("Declare")
    browser.follow(made.title)
    assert "Your score sheet" in browser.page.text


def test_a_sheet_is_saved_as_a_draft_refused_half_full_and_submitted(
    act: tuple[Cast, Application], browser: Browser, db: Db
) -> None:
    people, made = act
    declare(db, made, people.reviewers[0])
    enter(browser, people.reviewers[0]).open(f"/reviews/{made.ref}")
    browser.fill_all(reason_need="Half a thought")
    browser.press("Submit scores", 422)
    assert "Give points and a justification" in browser.page.text
    browser.open(f"/reviews/{made.ref}")
    assert "Half a thought" in browser.page.text
    for criterion in made.fund.criteria:
        browser.fill_all(**{f"reason_{criterion.key}": f"Because of {criterion.key}"})
    for control in browser.page.controls:
        if control.get("type") == "radio" and control.get("value") == "4":
            control.set("checked", "")
    browser.press("Submit scores")
    assert "80" in browser.page.text
    assert people.reviewers[0].name in browser.page.text


def test_a_draft_is_saved_while_it_is_written(
    act: tuple[Cast, Application], browser: Browser, db: Db
) -> None:
    people, made = act
    declare(db, made, people.reviewers[0])
    enter(browser, people.reviewers[0]).open(f"/reviews/{made.ref}")
    token = next(e for e in browser.page.all("input") if e.get("name") == "csrf_token")
    answer = browser.client.post(
        f"/reviews/{made.ref}/draft",
        data={
            "csrf_token": token.get("value", ""),
            "points_need": "3",
            "reason_need": "As typed",
            "comment": "",
        },
        headers={"X-Autosave": "1", "Accept": "application/json"},
    )
    assert answer.status_code == 200
    assert "saved_at" in answer.get_json()
    browser.open(f"/reviews/{made.ref}")
    assert "As typed" in browser.page.text


def test_a_conflict_ends_it(act: tuple[Cast, Application], browser: Browser) -> None:
    people, made = act
    enter(browser, people.reviewers[0]).open(f"/reviews/calls/{made.call.ref}/interests")
    browser.choose("I have, or may seem to have, a conflict")
    browser.press("Declare", 422)
    assert "what ties you to the applicant" in browser.page.text
    browser.fill("If there is one: what ties you to the applicant?", "My brother leads it.")
    browser.press("Declare")
    assert "Nothing waits for your review" in browser.page.text
    for path in (f"/reviews/{made.ref}", f"/files/{made.ref}", f"/files/{made.ref}/review"):
        browser.open(path, 404)


def test_the_list_is_drawn_up_edited_made_and_approved(db: Db, browser: Browser) -> None:
    call = make_call(envelope_usd=500_000)
    people = cast(call)
    best, other = reviewed(call, people, 5), reviewed(call, people, [2, 5, 1])
    settle(db)
    enter(browser, people.recommender).open(f"/reviews/calls/{call.ref}/recommendation")
    browser.press("Draw up the list")
    assert "The money ends here" in browser.page.text
    assert "readers disagree" in browser.page.html
    name = best.ref.replace("-", "_")
    browser.fill_all(**{f"amount_{name}": "5,000.004"})
    browser.press("Save the list", 422)
    assert "5,000.004" in browser.page.html
    browser.fill_all(**{f"amount_{name}": "4,900"})
    browser.press("Save the list", 422)
    assert "more cannot be recommended" in browser.page.text
    browser.fill_all(**{f"amount_{name}": "4,500.00"})
    browser.press("Save the list")
    assert "4,500.00" in browser.page.text
    browser.follow("Put before the approving authority")
    browser.press("Put before the approving authority", 409)
    assert "Write the reasons" in browser.page.text
    browser.open(f"/reviews/calls/{call.ref}/recommendation")
    second = other.ref.replace("-", "_")
    browser.fill_all(**{f"verdict_{second}": "decline", f"reasons_{second}": "Too costly."})
    browser.press("Save the list")
    browser.follow("Put before the approving authority")
    browser.press("Put before the approving authority")
    assert "Before the approving authority" in browser.page.text
    enter(browser, people.approver)
    assert "Decide on a recommendation" in browser.page.text
    browser.follow("Decide on a recommendation")
    browser.follow("Approve the list")
    browser.press("Approve the list")
    assert "every applicant has been told" in browser.page.text
    enter(browser, representative_of(other.organisation)).open(f"/files/{other.ref}/decision")
    assert "Too costly." in browser.page.text
    enter(browser, representative_of(best.organisation)).open(f"/files/{best.ref}/decision")
    assert "less than the US$ 4,800.00 that you asked for" in browser.page.text


def test_the_line_moves_with_the_envelope_that_is_asked_about(db: Db, browser: Browser) -> None:
    call = make_call(envelope_usd=500_000)
    people = cast(call)
    reviewed(call, people, 5)
    reviewed(call, people, 3)
    service.draft_recommendation(call, by=people.recommender)
    settle(db)
    enter(browser, people.recommender)
    path = f"/reviews/calls/{call.ref}/recommendation"
    browser.open(path)
    assert "The money ends here" in browser.page.text
    browser.open(f"{path}?envelope=20000")
    assert "The money ends here" not in browser.page.text
    browser.open(f"{path}?envelope=1e4")
    assert "envelope-error" in browser.page.html
    browser.open(path)
    assert "The money ends here" in browser.page.text


def test_a_list_is_sent_back_with_remarks(db: Db, browser: Browser) -> None:
    call = make_call()
    people = cast(call)
    reviewed(call, people)
    made = recommended(call, people)
    settle(db)
    enter(browser, people.approver).open(f"/reviews/calls/{call.ref}/recommendation")
    browser.follow("Send back with remarks")
    browser.press("Send back with remarks", 422)
    browser.fill("What should be looked at again?", "The travel costs.")
    browser.press("Send back with remarks")
    again = db.get(Recommendation, made.id)
    assert again is not None
    assert again.status is RecommendationStatus.RETURNED
    enter(browser, people.recommender).open(f"/reviews/calls/{call.ref}/recommendation")
    assert "The travel costs." in browser.page.text
    browser.press("Draw up the next round")
    assert "Round 2" in browser.page.text


def test_priority_funds_show_the_reasons_of_the_order(db: Db, browser: Browser) -> None:
    call = make_call("ldc-sids")
    people = cast(call)
    made = in_review(call, people)
    settle(db)
    enter(browser, people.officer)
    browser.open("/screening")
    browser.follow(made.title)
    assert "Supported by this fund before" in browser.page.text
    browser.press("Confirm the entitlement")
    assert "Never supported before" in browser.page.text
    browser.follow("To the recommendation")
    browser.press("Draw up the list")
    assert "Why each request stands where it does" in browser.page.text


def _people_and_pages(db: Db) -> list[tuple[Person, list[str]]]:
    call = make_call(envelope_usd=1_500_000)
    people = cast(call)
    for points in (5, 4, 3):
        reviewed(call, people, points)
    fresh = in_review(call, people)
    score(fresh, people.recommender)
    score(fresh, people.reviewers[1], submit=False)
    waiting = make_application(of=call)
    service.draft_recommendation(call, by=people.recommender)
    settle(db)
    path = f"/reviews/calls/{call.ref}"
    return [
        (
            people.officer,
            [
                "/screening",
                f"/files/{waiting.ref}/inadmissible",
                f"/files/{waiting.ref}/screening",
                f"/files/{fresh.ref}/review",
                "/reviews/calls",
                f"{path}/ranking",
                f"{path}/recommendation",
            ],
        ),
        (
            people.recommender,
            ["/reviews/calls", f"{path}/recommendation", f"{path}/recommendation/make"],
        ),
        (
            people.reviewers[1],
            ["/reviews", f"{path}/interests", f"/reviews/{fresh.ref}", f"{path}/ranking"],
        ),
        (people.approver, ["/reviews/calls", f"{path}/recommendation"]),
    ]


def test_every_page_runs_few_statements(db: Db, browser: Browser, count_sql: Count) -> None:
    found = {}
    for who, pages in _people_and_pages(db):
        enter(browser, who)
        for path in pages:
            with count_sql() as count:
                browser.open(path, 200)
            if count.total > MOST:
                found[path] = (count.total, [s.split("FROM")[-1][:80] for s in count.statements])
    assert not found


def test_the_checklist_runs_the_same_statements_whatever_it_finds(
    db: Db, browser: Browser, count_sql: Count
) -> None:
    made = make_application()
    people = cast(made.call)
    settle(db)
    enter(browser, people.officer)
    totals = []
    for _round in range(2):
        with count_sql() as count:
            browser.open(f"/files/{made.ref}/screening", 200)
        totals.append(count.total)
        service.prepare_checklist(by_ref(made.ref))
        db.commit()
    assert totals[0] == totals[1]


def test_the_decided_list_is_shown_to_the_auditor_and_not_to_the_treasury(
    db: Db, browser: Browser
) -> None:
    made = decided(verdict=Verdict.FUND).application
    auditor = person(roles=[Role.AUDITOR])
    treasury = person(roles=[Role.TREASURY])
    settle(db)
    path = f"/reviews/calls/{made.call.ref}/recommendation"
    enter(browser, auditor).open(path, 200)
    assert "Approved" in browser.page.text
    browser.open(f"/files/{made.ref}/review", 200)
    assert "Reader 1" in browser.page.text
    enter(browser, treasury).open(path, 404)
    browser.open(f"/files/{made.ref}/review", 200)
    assert "Reader 1" not in browser.page.text


def test_the_applicant_never_sees_a_sheet(db: Db, browser: Browser) -> None:
    call = make_call()
    people = cast(call)
    made = reviewed(call, people)
    settle(db)
    recommended(call, people)
    settle(db)
    signs = representative_of(made.organisation)
    settle(db)
    enter(browser, signs).open(f"/files/{made.ref}/review", 404)
    list_ = queries.recommendation(call.ref)
    approver = db.get(Person, people.approver.id)
    assert list_ is not None
    assert approver is not None
    service.approve(list_, by=approver)
    db.commit()
    browser.open(f"/files/{made.ref}/review", 200)
    assert "Reader" not in browser.page.text
    assert "Because of" not in browser.page.text
