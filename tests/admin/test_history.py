"""The history of a case file: everything for those who review, less for finance and applicants."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import service
from portal.accounts.models import Person
from portal.admin import history, policy
from portal.admin.history import Entry
from portal.applications.models import Application
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import representative_of
from tests.make.reviews import cast, in_review, score
from tests.make.stories import Story, story

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]

SIGNED_OFF = ("Payment certified", "Payment approved", "Payment released")
SECRET = (
    "Recused from this file",
    "Scores submitted",
    "Declared no conflict of interest",
    "An item of the checklist checked",
)


@pytest.fixture
def told(db: Db, browser: Browser) -> Story:
    """Return a grant that was paid its first instalment."""
    del browser
    made = story(closed=False)
    db.flush()
    return made


def of(made: Story, person: Person) -> list[Entry]:
    """Return the history as somebody reads it."""
    return history.timeline(made.application, policy.lens(person, made.application))


def test_the_auditor_reads_everything_with_name_and_part(told: Story) -> None:
    entries = of(told, told.auditor)
    titles = [entry.title for entry in entries]
    assert titles[-1] == "Application begun"
    assert {*SIGNED_OFF, *SECRET, "Instalment paid: 1"} <= set(titles)
    said = {entry.title: entry.by for entry in entries}
    assert said["Payment certified"] == "Cem Certifier, Certifying officer"
    assert said["Agreement countersigned"] == "Alma Authority, Approving authority"
    assert said["Application submitted"].endswith(", for the applicant")
    assert said["Recused from this file"] == "Sven Sibling, Task-force member"
    amounts = {entry.title: entry.detail for entry in entries}
    assert amounts["Instalment paid: 1"] == "US$ 3,840.00"
    rules = {entry.title: entry.rule for entry in entries}
    assert rules["Recused from this file"].startswith("R16: ")


def test_finance_reads_of_money_and_not_of_scores(told: Story) -> None:
    titles = {entry.title for entry in of(told, told.till.treasurer)}
    assert set(SIGNED_OFF) <= titles
    assert not titles & set(SECRET)


def test_the_applicant_reads_what_it_did_and_was_told(told: Story) -> None:
    entries = of(told, representative_of(told.application.organisation))
    titles = {entry.title for entry in entries}
    assert {"Application submitted", "Grant approved", "Instalment paid: 1"} <= titles
    assert not titles & {*SECRET, *SIGNED_OFF, "Recommended", "All scores are in"}
    names = " ".join(entry.by for entry in entries)
    for person in (*told.people.reviewers, told.people.officer, told.people.approver):
        assert person.name not in names
    assert {entry.by for entry in entries} == {"Amina Okello, for the applicant", "the fund"}


def test_a_role_that_was_ended_later_was_held_when_somebody_acted(told: Story) -> None:
    (grant,) = told.till.certifier.roles
    service.end_role(grant, by=make.administrator())
    said = {entry.title: entry.by for entry in of(told, told.auditor)}
    assert said["Payment certified"] == "Cem Certifier, Certifying officer"


def test_whoever_sees_the_file_has_the_tab(db: Db, browser: Browser, count_sql: Count) -> None:
    made = story(closed=False)
    ref = made.application.ref
    readers = {
        made.auditor.email: 200,
        made.people.reviewers[0].email: 200,
        made.till.finance.email: 200,
        representative_of(made.application.organisation).email: 200,
        made.stepped_aside.email: 404,
        make.person().email: 404,
        make.administrator().email: 404,
    }
    db.commit()
    for email, status in readers.items():
        other = Browser(browser.app)
        other.sign_in(email, make.PASSWORD)
        with count_sql() as count:
            page = other.open(f"/files/{ref}/history", status=status)
        assert count.total <= 10, count.statements
        if status == 200:
            assert ("History", f"/files/{ref}/history") in page.links
            assert "Instalment paid: 1" in page.text


def test_a_reader_learns_of_other_scores_once_their_own_are_in(db: Db) -> None:
    call = make.call("act")
    people = cast(call)
    made = in_review(call, people)
    first, second, _third = people.reviewers
    score(made, first)
    db.flush()
    assert "sheet.submitted" not in shown(second, made)
    assert "sheet.submitted" in shown(first, made)


def shown(person: Person, application: Application) -> set[str]:
    """Return the codes of the acts in somebody's history."""
    lens = policy.lens(person, application)
    return {event.action for event in history.events(application) if lens.shows(event.action)}
