"""Interests first: before their declaration an application does not exist for a reviewer (R16)."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.applications.models import Application
from portal.applications.queries import attachments
from portal.reviews import policy, queries, service
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.make.accounts import PASSWORD, person
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.reviews import cast, in_review, recommended, reviewed, reviewer, score

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")


def refs(who: Person, db: Db) -> set[str]:
    """Return what somebody is asked to review, and demand that rule and list agree on each one."""
    listed = {each.ref for each in db.scalars(policy.asked(who))}
    everything = db.scalars(select(Application)).all()
    assert listed == {each.ref for each in everything if policy.may_declare(who, each)}
    return listed


@pytest.mark.parametrize("fund", ["act", "vftc"])
def test_who_is_asked_is_the_same_by_rule_and_by_list(db: Db, fund: str) -> None:
    call = make_call(fund)
    people = cast(call)
    made, declared = in_review(call, people), in_review(call, people)
    make_application(of=call)
    role = Role(call.fund.process.reviewer_role or "")
    reader = people.reviewers[0]
    service.declare_no_conflict(declared, by=reader)
    assert refs(reader, db) == {made.ref, declared.ref}
    waiting = [each.ref for each in db.scalars(policy.undeclared(reader))]
    assert waiting == [made.ref]
    service.declare_conflict(made, "My sister works there.", by=reader)
    assert refs(reader, db) == {declared.ref}
    assert refs(reviewer(call, nationality=made.country), db) == (
        set() if role is Role.TRUSTEE else {made.ref, declared.ref}
    )
    assert refs(person(roles=[(role, "upr-p", None)]), db) == set()
    for office in set(Role) - {role, Role.ADMINISTRATOR}:
        both = person(roles=[(role, fund, None), (office, fund, None)])
        expected = set() if office in policy.OFFICE else {made.ref, declared.ref}
        assert refs(both, db) == expected, office


def test_no_page_shows_more_than_the_declaration_does(db: Db, browser: Browser) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    score(made, people.reviewers[0])
    reader = people.reviewers[1]
    email, file = reader.email, attachments(made)[0]
    shown = (made.title, made.organisation.name)
    ref, call_ref = made.ref, call.ref
    whole = (
        f"/files/{made.ref}",
        f"/files/{made.ref}/application",
        f"/files/{made.ref}/dossier.pdf",
        f"/files/{made.ref}/attachments/{file.id}",
        f"/files/{made.ref}/review",
        f"/files/{made.ref}/history",
        f"/files/{made.ref}/decision",
    )
    db.commit()
    browser.sign_in(email, PASSWORD)
    for path in whole:
        browser.open(path, 404)
    for path in ("/home", "/files", "/reviews", f"/reviews/calls/{call_ref}/ranking"):
        browser.open(path, 200)
        text = browser.response.get_data(as_text=True)
        for word in (ref, *shown):
            assert word not in text, (path, word)
    table = taken(browser, "/files.csv").get_data(as_text=True)
    assert [word for word in (ref, *shown) if word in table] == []
    browser.open(f"/reviews/{ref}")
    assert browser.page.heading == "Declare your interests"
    for word in (*shown, "Kenya"):
        assert word in browser.page.text
    assert "4,800" not in browser.page.text
    browser.choose("Nothing ties me to this applicant")
    browser.press("Declare")
    for path in whole[:5]:
        browser.open(path, 200)


def test_who_never_declared_is_not_shown_how_it_ended(db: Db, browser: Browser) -> None:
    call = make_call()
    people = cast(call)
    late = reviewer(call, name="Late Reader")
    made = reviewed(call, people)
    ref, email = made.ref, late.email
    assert [each.title for each in queries.todos(late)] == ["Declare your interests: 1 application"]
    service.approve(recommended(call, people), by=people.approver)
    assert queries.todos(late) == []
    db.commit()
    browser.sign_in(email, PASSWORD)
    browser.open(f"/files/{ref}", 404)
    assert ref not in browser.open("/files", 200).text


def test_a_programme_officer_on_the_body_reads_as_before(db: Db, browser: Browser) -> None:
    call = make_call()
    made = in_review(call, cast(call))
    both = person(roles=[(Role.TASK_FORCE, "act", None), (Role.PROGRAMME_OFFICER, "act", None)])
    ref, email = made.ref, both.email
    db.commit()
    browser.sign_in(email, PASSWORD)
    browser.open(f"/files/{ref}/application", 200)
    browser.open(f"/reviews/{ref}", 404)
