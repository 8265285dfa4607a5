"""Administration of people and roles: search, grant, end, close; never one's own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.funds import service as funds
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.applications import application

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]


@pytest.fixture
def ada(db: Db, browser: Browser) -> UUID:
    """Return the id of an administrator who is signed in."""
    funds.load_profiles_into_database(make.profiles())
    found = make.administrator()
    email, number = found.email, found.id
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    return number


def somebody(db: Db, name: str = "Nadia Novak", *roles: Role) -> UUID:
    number = make.person(roles=roles, name=name).id
    db.commit()
    return number


def acts(person: UUID) -> list[str]:
    rows = select(AuditEvent.action).where(AuditEvent.subject_id == person)
    return list(session.scalars(rows.order_by(AuditEvent.number)))


@pytest.mark.usefixtures("ada")
def test_people_are_found_by_name_address_and_role(db: Db, browser: Browser) -> None:
    somebody(db, "Nadia Novak", Role.TREASURY)
    somebody(db, "100% Sure")
    page = browser.open("/people", status=200)
    assert "Nadia Novak" in page.text
    browser.fill("Name or e-mail address", "novak")
    page = browser.press("Show")
    assert "Nadia Novak" in page.text
    assert "100% Sure" not in page.text
    assert "100% Sure" in browser.open("/people?text=0%25").text
    assert "Nadia Novak" not in browser.open("/people?text=0%25").text
    page = browser.open("/people?role=treasury")
    assert "Treasury" in page.text
    assert "100% Sure" not in page.text
    assert "Nobody fits this choice." in browser.open("/people?text=zzz").text


def test_a_role_is_granted_with_its_scope_and_days_and_ended(
    db: Db, browser: Browser, ada: UUID
) -> None:
    other = somebody(db)
    browser.open(f"/people/{other}", status=200)
    browser.follow("Grant a role")
    browser.fill("Role", "Task-force member")
    browser.fill("Fund", "ACT: Communities Together")
    browser.fill("Country", "Nepal")
    browser.fill("Last day", (clock.today() + timedelta(days=90)).isoformat())
    page = browser.press("Grant the role", status=200)
    assert "The role is granted." in page.text
    assert "Nepal" in page.text
    assert "Ada Minister" in page.text
    db.expire_all()
    person = db.get_one(Person, other)
    assert person.has_role(Role.TASK_FORCE, "act", "NPL")
    assert not person.has_role(Role.TASK_FORCE, "act", "KEN")
    browser.follow("End")
    assert "Task-force member" in browser.page.text
    assert "Ended early" in browser.press("End the role", status=200).text
    assert acts(other).count("person.role_granted") == 1
    assert "person.role_ended" in acts(other)
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "person.role_ended"))
    assert [event.actor_id for event in events] == [ada]


def test_a_nationality_is_corrected_with_a_reason(db: Db, browser: Browser, ada: UUID) -> None:
    other = somebody(db, "Nadia Novak", Role.TRUSTEE)
    browser.open(f"/people/{other}", status=200)
    browser.follow("Correct the nationality")
    browser.fill("Nationality", "Nepal")
    assert "Choose the reason." in browser.press("Correct the nationality", status=422).text
    browser.choose("It was given by mistake")
    page = browser.press("Correct the nationality", status=200)
    assert "Nepal" in page.text
    rows = select(AuditEvent).where(AuditEvent.action == "person.nationality_corrected")
    (event,) = session.scalars(rows)
    assert (event.actor_id, event.subject_id) == (ada, other)
    assert "NPL" not in str(event.facts)
    assert "Ask another" in browser.open(f"/people/{ada}/nationality", status=409).text


@pytest.mark.usefixtures("ada")
def test_bad_input_gets_a_sentence_and_loses_nothing(db: Db, browser: Browser) -> None:
    other = somebody(db, "Nadia Novak", Role.AUDITOR)
    browser.open(f"/people/{other}/roles/new")
    page = browser.press("Grant the role", status=422)
    assert "Choose the role." in page.text
    browser.fill("Role", "Treasury")
    browser.fill("Last day", (clock.today() - timedelta(days=1)).isoformat())
    page = browser.press("Grant the role", status=422)
    assert "The last day of the role is before its first day." in page.text
    assert browser.value("Role") == "treasury"
    browser.fill("Role", "Auditor")
    browser.fill("Last day", "")
    page = browser.press("Grant the role", status=422)
    assert "This person has the role already" in page.text


def test_nobody_changes_their_own_roles(db: Db, browser: Browser, ada: UUID) -> None:
    page = browser.open(f"/people/{ada}", status=200)
    assert "Nobody changes their own roles." in page.text
    assert "Grant a role" not in page.text
    assert "Close the account" not in page.text
    (grant,) = db.get_one(Person, ada).roles
    for path in ("roles/new", f"roles/{grant.id}/end", "close", "reopen"):
        assert (
            "Ask another administrator." in browser.open(f"/people/{ada}/{path}", status=409).text
        )


@pytest.mark.usefixtures("ada")
def test_an_account_is_closed_and_opened_again(db: Db, browser: Browser) -> None:
    other = somebody(db)
    browser.open(f"/people/{other}")
    browser.follow("Close the account")
    assert "Closed" in browser.press("Close the account", status=200).text
    db.expire_all()
    assert db.get_one(Person, other).deactivated_at is not None
    browser.follow("Open the account again")
    browser.press("Open the account again", status=200)
    assert {"person.deactivated", "person.reactivated"} <= set(acts(other))


@pytest.mark.usefixtures("ada")
def test_roles_ask_for_the_password_again_after_a_while(db: Db, browser: Browser) -> None:
    other = somebody(db)
    with clock.at(clock.now() + timedelta(minutes=16)):
        page = browser.open(f"/people/{other}/roles/new", status=401)
        assert "Your password" in page.text
        browser.open(f"/people/{other}", status=200)


@pytest.mark.usefixtures("ada")
def test_what_does_not_exist_is_not_found(db: Db, browser: Browser) -> None:
    other, third = somebody(db, "Nadia Novak", Role.AUDITOR), somebody(db, "Third")
    grant = db.get_one(Person, other).roles[0].id
    browser.open(f"/people/{grant}", status=404)
    browser.open(f"/people/{third}/roles/{grant}/end", status=404)
    browser.open("/people/x", status=404)


def test_an_administrator_sees_no_case_file_by_that_role(
    db: Db, browser: Browser, ada: UUID
) -> None:
    ref = application().ref
    db.commit()
    for path in ("", "/application", "/history", "/why"):
        browser.open(f"/files/{ref}{path}", status=404)
    browser.open("/audit", status=404)
    del ada


@pytest.mark.usefixtures("ada")
def test_pages_of_people_take_a_fixed_number_of_statements(
    db: Db, browser: Browser, count_sql: Count
) -> None:
    first = somebody(db, "Nadia Novak", Role.AUDITOR)
    counts = []
    for _round in range(2):
        with count_sql() as people:
            browser.open("/people")
        with count_sql() as person:
            browser.open(f"/people/{first}")
        counts.append((people.total, person.total))
        for role in (Role.TREASURY, Role.TRUSTEE):
            somebody(db, "More People", role)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 10
