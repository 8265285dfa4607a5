"""“Why was this grant made?”: everything that led to it, by whom, and the proof."""

# ruff: noqa: S608 — the statements are made of values of this file

import io
from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa
from pypdf import PdfReader
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import service
from portal.accounts.models import Person, Role
from portal.admin import why
from portal.applications.models import Application
from portal.core.audit import AuditEvent, case_events
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import representative_of
from tests.make.applications import by_ref, draft
from tests.make.awards import award as make_award
from tests.make.reviews import cast, in_review, score
from tests.make.stories import CONFLICT, Story, auditor, story

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]


def test_one_page_says_all(db: Db, browser: Browser) -> None:
    made = story()
    ref, email = made.application.ref, made.auditor.email
    digest = made.award.agreement.digest if made.award.agreement else "?"
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/files/{ref}/why", status=200)
    assert page.heading == "Why was this grant made?"
    for words in (
        "Verified",
        "Grant approved",
        "What was submitted",
        "Eligibility",
        "Seen on file.",
        "Reader 1: 60 %",
        "Because of",
        "Sven Sibling",
        "sealed",
        "Alma Approver",
        "Countersigned for the fund",
        digest[:16],
        "Cem Certifier",
        "Ana Approver",
        "Tomas Treasurer",
        "reference AG-1",
        "Programme: the narrative",
        "Finance: the spending",
        "Grant closed",
        "Nothing had to be paid back.",
    ):
        assert words in page.text, words
    assert "Mean, in percent of the highest possible score 80" in page.text
    assert "Spread (standard deviation) 20" in page.text
    assert CONFLICT not in page.text
    assert "None" not in page.text


def test_the_page_takes_at_most_ten_statements(db: Db, browser: Browser, count_sql: Count) -> None:
    made = story()
    ref, email = made.application.ref, made.auditor.email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    with count_sql() as count:
        browser.open(f"/files/{ref}/why", status=200)
    assert count.total <= 10, count.statements
    with count_sql() as count:
        browser.open(f"/files/{ref}/history", status=200)
    assert count.total <= 10, count.statements


def test_reasons_of_recusals_are_opened_for_the_auditor_as_an_act_of_record(
    db: Db, browser: Browser
) -> None:
    made = story(closed=False)
    ref, email, case = made.application.ref, made.auditor.email, made.application.id
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    browser.open(f"/files/{ref}/why")
    assert not [e for e in case_events(case) if e.action == "recusal.reasons_read"]
    page = browser.press("Read the reasons", status=200)
    assert CONFLICT in page.text
    (event,) = [e for e in case_events(case) if e.action == "recusal.reasons_read"]
    assert CONFLICT not in str(event.facts)
    assert CONFLICT not in browser.open(f"/files/{ref}/why").text


def test_an_officer_asks_why_but_not_why_somebody_stepped_aside(db: Db, browser: Browser) -> None:
    made = story(closed=False)
    ref, email = made.application.ref, made.people.officer.email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/files/{ref}/why", status=200)
    assert "Sven Sibling" in page.text
    assert "Read the reasons" not in page.text
    token = page.html.split('name="csrf_token" value="')[1].split('"')[0]
    reply = browser.client.post(f"/files/{ref}/why", data={"csrf_token": token})
    assert reply.status_code == 409
    assert CONFLICT not in reply.text


def readers(made: Story) -> dict[str, tuple[Person, int]]:
    """Return people and what the page answers them."""
    return {
        "officer": (made.people.officer, 200),
        "authority": (made.people.approver, 200),
        "secretary": (make.person(roles=[(Role.BOARD_SECRETARY, "act", None)]), 200),
        "auditor of the fund": (auditor("act"), 200),
        "auditor of another fund": (auditor("vftc"), 404),
        "who stepped aside": (made.stepped_aside, 404),
        "a reader": (made.people.reviewers[0], 404),
        "treasury": (made.till.treasurer, 404),
        "administrator": (make.administrator(), 404),
        "the applicant": (representative_of(made.application.organisation), 404),
        "donor relations": (make.person(roles=[Role.DONOR_RELATIONS]), 404),
    }


def test_who_may_ask_why(db: Db, browser: Browser) -> None:
    made = story(closed=False)
    ref = made.application.ref
    people = {name: (who.email, status) for name, (who, status) in readers(made).items()}
    db.commit()
    answers = {}
    for name, (email, _status) in people.items():
        other = Browser(browser.app)
        other.sign_in(email, make.PASSWORD)
        answers[name] = (
            other.client.get(f"/files/{ref}/why").status_code,
            other.client.get(f"/files/{ref}/why.pdf").status_code,
        )
    assert answers == {name: (status, status) for name, (_email, status) in people.items()}


def test_an_auditor_who_is_recused_or_applies_does_not_read_it(db: Db, browser: Browser) -> None:
    made = story(closed=False)
    ref = made.application.ref
    member = make.member(made.application.organisation)
    grantor = make.administrator()
    service.grant_role(member, Role.AUDITOR, by=grantor)
    service.grant_role(made.stepped_aside, Role.AUDITOR, by=grantor)
    emails = (member.email, made.stepped_aside.email)
    db.commit()
    for email in emails:
        other = Browser(browser.app)
        other.sign_in(email, make.PASSWORD)
        assert other.client.get(f"/files/{ref}/why").status_code == 404
        assert ref not in other.client.get("/audit").text
        assert other.client.get("/audit/chain.jsonl").status_code == 404


def test_whoever_stands_apart_from_another_file_of_the_call_reads_no_rank(db: Db) -> None:
    made = story(closed=False)
    reader = auditor("act")
    assert "Rank 1" in said(made.application, reader)
    own = make.organisation(representative=reader)
    draft(of=made.application.call, where=own, by=reader)
    db.flush()
    db.expire_all()
    assert "Rank" not in said(made.application, reader)


def said(application: Application, reader: Person) -> str:
    """Return all the sentences of the later parts."""
    found = why.reasons(application, reader)
    return " ".join(step.detail for part in found.later for step in part.steps)


def tamper(db: Db, statement: str) -> None:
    """Change records as only the owner of the database can, past the triggers."""
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.execute(sa.text(statement))
    db.execute(sa.text("SET LOCAL session_replication_role = DEFAULT"))
    db.expire_all()


ADMINISTRATOR = "(SELECT person_id FROM role_grant WHERE role = 'administrator' LIMIT 1)"
CHANGES = [
    ("UPDATE submission SET digest = repeat('0', 64)", "Submission 1 is not the one"),
    ("UPDATE score SET points = 5 WHERE points = 3", "The scores of Reader 1"),
    ("UPDATE score_sheet SET comment = 'Better.'", "The scores of Reader 3"),
    ("UPDATE decision SET amount_usd = amount_usd - 1", "The amount that was decided"),
    ("UPDATE decision SET id = gen_random_uuid()", "The decision is not in the chain"),
    ("UPDATE agreement SET digest = repeat('0', 64)", "signed over another text"),
    ("UPDATE payment_approval SET digest = repeat('0', 64)", "signed over something else"),
    ("UPDATE payment_order SET amount_usd = 1, amount = 1", "The payment of order"),
    (f"UPDATE submission SET by_id = {ADMINISTRATOR}", "Submission 1 is not the one"),
    ("UPDATE score_sheet SET submitted_at = submitted_at - interval '1 day'", "The scores of"),
    ("UPDATE decision SET reasons = 'bribed'", "The reasons of the decision"),
    (f"UPDATE decision SET decided_by_id = {ADMINISTRATOR}", "for the decision"),
    ("UPDATE decision SET decided_at = decided_at - interval '1 day'", "for the decision"),
    (f"UPDATE agreement SET signed_by_id = {ADMINISTRATOR}", "or by others"),
    (
        f"UPDATE payment_approval SET person_id = {ADMINISTRATOR} WHERE step = 'release'",
        "for a signature of order",
    ),
    ("UPDATE payment_approval SET at = at - interval '1 day'", "for a signature of order"),
    (f"UPDATE payment_order SET confirmed_by_id = {ADMINISTRATOR}", "The payment of"),
]


def test_a_record_that_was_changed_is_found(db: Db) -> None:
    made = story(closed=False)
    ref, reader = made.application.ref, made.auditor
    assert why.reasons(made.application, reader).proof.verified
    for statement, difference in CHANGES:
        with db.begin_nested() as undone:
            tamper(db, statement)
            proof = why.reasons(by_ref(ref), reader).proof
            assert not proof.verified
            assert any(difference in sentence for sentence in proof.differences), statement
            assert all(link.sound for link in proof.links)
            undone.rollback()
    db.expire_all()
    assert why.reasons(by_ref(ref), reader).proof.verified


def test_an_event_that_was_changed_or_removed_is_found(db: Db) -> None:
    made = story(closed=False)
    ref, reader = made.application.ref, made.auditor
    events = case_events(made.application.id)
    changed, removed = events[3].number, events[6].number
    last = db.scalar(sa.select(sa.func.max(AuditEvent.number)))
    tamper(db, f"UPDATE audit_event SET rule = 'R1' WHERE number = {changed}")
    tamper(db, f"DELETE FROM audit_event WHERE number = {removed}")
    links = why.reasons(by_ref(ref), reader).proof.links
    unsound = [link.number for link in links if not link.sound]
    assert changed in unsound
    assert last not in unsound
    assert len(unsound) == 2


def test_before_the_decision_the_page_says_how_far_it_is(db: Db, browser: Browser) -> None:
    call = make.call("act")
    people = cast(call)
    made = in_review(call, people)
    score(made, people.reviewers[0], 2)
    score(made, people.reviewers[1], 5, submit=False)
    ref, email = made.ref, auditor().email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/files/{ref}/why", status=200)
    assert page.heading == "What speaks for this grant so far?"
    assert "Reader 1: 40 %" in page.text
    assert page.headings.count("Reader 1: 40 %") == 1
    assert "Reader 2" not in " ".join(page.headings), "a draft is nobody else's"
    assert "Nothing is decided yet." in page.text


def test_it_can_be_kept_as_a_document(db: Db, browser: Browser) -> None:
    made = story()
    ref, email = made.application.ref, made.auditor.email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    reply = browser.client.get(f"/files/{ref}/why.pdf")
    assert reply.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(reply.data)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "Why was this grant made?" in text
    assert "Tomas Treasurer" in text
    assert CONFLICT not in text


def test_a_fund_of_travel_answers_too(db: Db, browser: Browser) -> None:
    made = make_award(fund="ldc-sids")
    ref, email = made.application.ref, auditor().email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/files/{ref}/why", status=200)
    assert "Entitlement" in page.text
    assert "Scores" not in page.headings
    assert "Verified" in page.text
