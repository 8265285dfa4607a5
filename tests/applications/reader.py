"""Readers of the pages: signed in, with what the test holds still readable."""

from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person
from portal.applications.models import Application
from tests.browser import Browser
from tests.make.accounts import PASSWORD, representative_of

Db = scoped_session[Session]


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
