"""What happens next with a file, and whose step it is, whichever feature it belongs to."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.applications.models import ApplicationStatus
from portal.awards.models import AwardStatus
from tests.browser import Browser
from tests.make import applications as make_applications
from tests.make import awards as make_awards
from tests.make.accounts import PASSWORD, person, representative_of
from tests.make.applications import application

Db = scoped_session[Session]
MOST = 10


def opened(browser: Browser, db: Db, email: str, ref: str, count_sql: Callable[[], Any]) -> str:
    """Return the overview as that person reads it, within the statements it may take."""
    db.commit()
    browser.sign_in(email, PASSWORD)
    with count_sql() as count:
        page = browser.open(f"/files/{ref}", 200)
    assert count.total <= MOST, count.statements
    browser.sign_out()
    return page.text


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (ApplicationStatus.DRAFT, "Finish and submit the application"),
        (ApplicationStatus.CLARIFICATION, "Answer the question"),
        (ApplicationStatus.SUBMITTED, "You have nothing to do now"),
    ],
)
def test_an_applicant_sees_the_next_step(
    browser: Browser, db: Db, count_sql: Callable[[], Any], status: ApplicationStatus, step: str
) -> None:
    made = application(status)
    email = representative_of(made.organisation).email
    assert step in opened(browser, db, email, made.ref, count_sql)


def test_an_officer_sees_what_waits_and_an_auditor_whose_step_it_is(
    browser: Browser, db: Db, count_sql: Callable[[], Any]
) -> None:
    made = application()
    officer = make_applications.officer("act")
    auditor = person(roles=[(Role.AUDITOR, None, None)])
    ref, address = made.ref, auditor.email
    assert "Screen the application" in opened(browser, db, officer.email, ref, count_sql)
    said = opened(browser, db, address, ref, count_sql)
    assert "Screen the application" not in said
    assert "Now with: The fund secretariat." in said


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (AwardStatus.OFFERED, "Read and answer the offer"),
        (AwardStatus.ACTIVE, "Enter your bank details"),
    ],
)
def test_a_grantee_sees_the_step_of_the_grant(
    browser: Browser, db: Db, count_sql: Callable[[], Any], status: AwardStatus, step: str
) -> None:
    award = make_awards.award(status)
    email = representative_of(award.application.organisation).email
    assert step in opened(browser, db, email, award.application.ref, count_sql)


def test_a_grant_that_ended_names_what_is_still_to_settle(
    browser: Browser, db: Db, count_sql: Callable[[], Any]
) -> None:
    award = make_awards.award(AwardStatus.TERMINATED)
    ref, auditor = award.application.ref, person(roles=[(Role.AUDITOR, None, None)]).email
    finance = person(roles=[(Role.FINANCE_OFFICER, "act", None)]).email
    said = opened(browser, db, finance, ref, count_sql)
    assert "Draw the balance" in said
    said = opened(browser, db, auditor, ref, count_sql)
    assert "then the file is closed" in said
    assert "come to its end" not in said
