"""Screening, entitlement and the tab Review run few statements in every fund and state."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person, Role
from portal.applications.models import Application
from portal.core.db import session
from portal.reviews import queries, service
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD, person, representative_of
from tests.make.applications import application as make_application
from tests.make.applications import by_ref
from tests.make.applications import call as make_call
from tests.make.reviews import Cast, cast, recommended, score, screen

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]
MOST = 10
FUNDS = ("act", "vftc", "upr-i", "upr-p", "ldc-sids")
pytestmark = pytest.mark.usefixtures("app")


@dataclass
class Look:
    """Opens pages of a file as its readers, and keeps what ran too many statements."""

    browser: Browser
    count_sql: Count
    ref: str
    readers: dict[str, str]
    opened: set[tuple[str, str]] = field(default_factory=set)
    above: dict[str, list[str]] = field(default_factory=dict)

    def at(self, *pages: str) -> Application:
        """Open the pages as everybody for whom they are there; return the application anew."""
        when = by_ref(self.ref).status.value
        session.commit()
        for name, email in self.readers.items():
            self.browser.sign_in(email, PASSWORD)
            for page in pages:
                self._count(name, page, when)
            self.browser.sign_out()
        return by_ref(self.ref)

    def _count(self, name: str, page: str, when: str) -> None:
        with self.count_sql() as count:
            self.browser.open(f"/files/{self.ref}/{page}")
        if self.browser.response.status_code == 200:
            self.opened.add((when, page))
            if count.total > MOST:
                key = f"{page}, {when}, {name}: {count.total}"
                self.above[key] = [each.split("FROM")[-1][:70] for each in count.statements]


def readers(people: Cast, made: Application) -> dict[str, str]:
    """Return the addresses of everybody who may look at a file, by name."""
    found: Sequence[Person] = (
        people.officer,
        people.recommender,
        people.approver,
        *people.reviewers[:1],
        representative_of(made.organisation),
        person(roles=[Role.AUDITOR], name="Audra Auditor"),
        person(roles=[Role.FINANCE_OFFICER], name="Fiona Finance"),
    )
    return {each.name: each.email for each in found}


def again(people: Cast) -> Cast:
    """Return the people in the session of now: a request ends the one that they came from."""
    return replace(
        people,
        officer=session.merge(people.officer),
        reviewers=[session.merge(each) for each in people.reviewers],
        recommender=session.merge(people.recommender),
        approver=session.merge(people.approver),
    )


def review(made: Application, people: Cast) -> None:
    """Score the application, or check the State's entitlement."""
    if made.fund.has_stage("entitlement"):
        service.check_entitlement(made, by=people.officer)
    for reader in people.reviewers:
        score(made, reader)


@pytest.mark.parametrize("fund", FUNDS)
def test_in_every_state(db: Db, browser: Browser, count_sql: Count, fund: str) -> None:
    call = make_call(fund)
    by_entitlement = call.fund.has_stage("entitlement")
    people = cast(call)
    made = make_application(of=call)
    look = Look(browser, count_sql, made.ref, readers(people, made))
    made, people = look.at("screening", "review"), again(people)
    screen(made, people.officer)
    made, people = look.at("screening", "entitlement", "review"), again(people)
    review(made, people)
    made, people = look.at("entitlement", "review"), again(people)
    recommended(made.call, people)
    made, people = look.at("review"), again(people)
    list_ = queries.recommendation(made.call.ref)
    assert list_ is not None
    service.approve(list_, by=people.approver)
    look.at("review", "decision")
    assert look.above == {}
    tabs = {(when, "review") for when in ("submitted", "in_review", "recommended", "approved")}
    assert look.opened >= tabs | {("submitted", "screening"), ("approved", "decision")}
    assert (("in_review", "entitlement") in look.opened) is by_entitlement
    assert db.is_active
