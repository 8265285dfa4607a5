"""Everybody's home page says what to do next, and by when: the same day for everybody."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.app.home import TASK_SOURCES
from portal.applications import queries as applications
from portal.applications import service
from portal.applications.models import ApplicationStatus
from portal.awards import queries as awards
from portal.awards.models import AwardStatus
from portal.core import clock
from portal.core.formats import format_day
from portal.core.todo import Todo
from portal.payments import steps as payments
from portal.payments.models import OrderStatus
from portal.reports import queries as reports
from portal.reviews import queries as reviews
from tests.app.test_home_statements import join_all, rows_of_every_kind
from tests.browser import Browser
from tests.make.accounts import PASSWORD, person, representative_of
from tests.make.applications import application, officer
from tests.make.applications import call as make_call
from tests.make.awards import authority
from tests.make.awards import award as make_award
from tests.make.payments import entered, grantee, order, till
from tests.make.reports import finance, report
from tests.make.reviews import cast, recommended, reviewed

Db = scoped_session[Session]
EAST = "Pacific/Kiritimati"
pytestmark = pytest.mark.usefixtures("app")


def told(who: Person) -> list[Todo]:
    """Return everything that stands on somebody's home page."""
    return [task for source in TASK_SOURCES for task in source(who)]


def test_everything_that_waits_for_anybody_has_a_day(db: Db) -> None:
    people = [person(roles=[role]) for role in Role]
    rows_of_every_kind(next(each for each in people if each.holds_any(Role.PROGRAMME_OFFICER)))
    applicant = person()
    join_all(db, applicant)
    db.flush()
    db.refresh(applicant)
    tasks = [task for each in (*people, applicant) for task in told(each)]
    assert len({task.endpoint for task in tasks}) > 12
    assert [task for task in tasks if task.due is None] == []


def test_the_steps_before_a_decision_are_due_by_the_terms_of_the_fund() -> None:
    call = make_call("act")
    terms = call.fund.process.terms
    people = cast(call)
    today = clock.today()

    def due(who: Person, endpoint: str) -> set[object]:
        return {task.due for task in reviews.todos(who) if task.endpoint == endpoint}

    def after(days: int) -> set[object]:
        return {today + timedelta(days=days)}

    application(of=call)
    assert due(people.officer, "reviews.screening") == after(terms.screening)
    reviewed(call, people)
    assert due(people.recommender, "reviews.recommendation") == after(terms.recommendation)
    recommended(call, people)
    assert due(people.approver, "reviews.recommendation") == after(terms.decision)


def test_what_was_answered_waits_since_the_answer() -> None:
    with clock.at(clock.now() - timedelta(days=3)):
        made = application(ApplicationStatus.CLARIFICATION)
    question = applications.open_clarification(made)
    assert question is not None
    service.answer_clarification(question, "A teacher.", by=representative_of(made.organisation))
    (task,) = reviews.todos(officer(made.call.fund_code))
    assert task.due == clock.today() + timedelta(days=made.fund.process.terms.screening)


def test_signatures_and_payments_are_due_by_the_terms_of_the_fund() -> None:
    award = make_award(AwardStatus.ACCEPTED)
    terms = award.fund.process.terms
    (to_sign,) = awards.todos(authority(award))
    today = clock.today()
    assert to_sign.due == today + timedelta(days=terms.countersignature)
    active = make_award()
    (details,) = payments.todos(grantee(active))
    assert details.due == today + timedelta(days=terms.bank_details)
    entered(active)
    who = till()
    assert [task.due for task in payments.todos(who.finance)] == [
        today + timedelta(days=terms.bank_check)
    ]


def test_a_queue_of_orders_is_due_with_the_oldest_of_them() -> None:
    who = till()
    with clock.at(clock.now() - timedelta(days=9)):
        first = order(OrderStatus.PREPARED)
    order(OrderStatus.PREPARED)
    (task,) = payments.todos(who.certifier)
    days = first.instalment.award.fund.process.terms.payment_step
    assert task.title == "Certify (2)"
    assert (task.since, task.is_overdue) == (first.prepared_at, True)
    assert task.due == first.prepared_at.astimezone(UTC).date() + timedelta(days=days)


def test_a_report_is_to_be_looked_at_by_the_term_of_the_fund() -> None:
    made = report()
    (task,) = reports.todos(finance(made.award))
    days = made.award.fund.process.terms.report_review
    assert task.due == clock.today() + timedelta(days=days)


def test_a_day_is_the_same_day_for_readers_east_of_utc(db: Db, browser: Browser) -> None:
    award = make_award()
    reads = grantee(award)
    reads.time_zone = EAST
    due_on = reports.obligations(award)[0].due_on
    assert due_on is not None
    email, day = reads.email, format_day(due_on, "medium")
    db.commit()
    noon = datetime.combine(due_on, time(12), UTC)
    with clock.at(noon - timedelta(days=10)):
        browser.sign_in(email, PASSWORD)
        assert f"by {day}" in browser.open("/home", 200).text
    with clock.at(noon + timedelta(hours=11)):
        browser.sign_in(email, PASSWORD)
        assert f"by {day}" in browser.open("/home", 200).text
        assert f"was due on {day}" not in browser.page.text
    with clock.at(noon + timedelta(hours=13)):
        late = browser.open("/home", 200).text
        assert f"was due on {day}" in late
        assert f"by {day}" not in late


def test_a_question_is_due_on_its_day_on_every_page(db: Db, browser: Browser) -> None:
    made = application(ApplicationStatus.CLARIFICATION)
    reads, ref = representative_of(made.organisation), made.ref
    reads.time_zone = EAST
    email, day = reads.email, clock.today() + timedelta(days=7)
    db.commit()
    browser.sign_in(email, PASSWORD)
    for path in ("/home", f"/files/{ref}"):
        text = browser.open(path, 200).text
        assert f"by {format_day(day, 'medium')}" in text, path
        assert format_day(day + timedelta(days=1), "medium") not in text, path


def test_home_says_that_terms_are_still_to_be_confirmed(db: Db, browser: Browser) -> None:
    made = application()
    email = officer(made.call.fund_code).email
    db.commit()
    browser.sign_in(email, PASSWORD)
    text = browser.open("/home", 200).text
    assert "to be confirmed by the fund secretariat" in text
    assert f"Waiting since {format_day(clock.today(), 'medium')}" in text
