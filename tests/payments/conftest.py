"""A small town where grants are paid: built once by the verbs, copied for each test.

Each test has a database of its own with real commits, and the people and awards in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import Person
from portal.awards.models import Award
from portal.core.db import connect, session
from portal.payments.models import PaymentOrder
from tests.make import payments as make
from tests.make.accounts import PASSWORD, person_with
from tests.make.applications import call as make_call
from tests.make.awards import authority
from tests.make.awards import award as make_award
from tests.make.payments import Till
from tests.make.reviews import cast
from tests.payments.bank import Bank, running
from tests.payments.payday import Payday, prepared

if TYPE_CHECKING:
    from portal.core.web import Portal
    from tests.browser import Browser
    from tests.conftest import Server

TOWN = "portal_payments"
PAYDAY = "portal_payday"
MOST_ORDERS = 12


@dataclass(frozen=True)
class Town:
    """What stands in the database that tests copy: names, by which to find it again.

    `files` are the references of the case files, in the order of `awards`.
    """

    emails: dict[str, str]
    awards: dict[str, str]
    files: dict[str, str]
    order: str


@dataclass(frozen=True)
class World:
    """A copy of the town: an award with verified details and a prepared order, and two without.

    `award` has nothing yet; `order` is the first of `paid`; `other` belongs to somebody else. Rows
    are those of the test's own session: a request ends it, so pages are asked by `town`'s names.
    """

    url: str
    town: Town
    till: Till
    officer: Person
    authority: Person
    award: Award
    paid: Award
    other: Award
    order: PaymentOrder


def _build() -> Town:
    call = make_call("act")
    people = cast(call)
    till = make.till()
    awards = {
        name: make_award(of=call, people=people, amount_usd=480_000)
        for name in ("award", "paid", "other")
    }
    order = make.order(award=awards["paid"], who=till)
    emails = {part: getattr(till, part).email for part in Till.__dataclass_fields__}
    emails |= {"officer": people.officer.email, "authority": authority(awards["award"]).email}
    emails |= {f"grantee of {name}": make.grantee(each).email for name, each in awards.items()}
    found = Town(
        emails,
        {name: each.ref for name, each in awards.items()},
        {name: each.application.ref for name, each in awards.items()},
        order.ref,
    )
    session.commit()
    return found


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    """Return an independent bank, on its first day."""
    with running(tmp_path / "bank") as found:
        yield found


@pytest.fixture(scope="session")
def town(server: "Server", application: "Portal") -> Iterator[Town]:
    """Build the town once."""
    del application
    engine = connect(server.copy(TOWN))
    try:
        found = _build()
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
    yield found
    server.drop(TOWN)


@pytest.fixture(scope="session")
def prepared_payday(server: "Server", application: "Portal") -> Iterator[Payday]:
    """Prepare a dozen payments by the bank, once."""
    del application
    engine = connect(server.copy(PAYDAY))
    try:
        found = prepared(MOST_ORDERS)
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
    yield found
    server.drop(PAYDAY)


@pytest.fixture
def payday(server: "Server", prepared_payday: Payday) -> Iterator[Payday]:
    """Return a dozen payments by the bank, in a copy to which the portal's session is bound."""
    name = f"test_{uuid4().hex[:12]}"
    server.execute("CREATE DATABASE {} TEMPLATE {}", name, PAYDAY)
    engine = connect(server.url(name))
    try:
        yield prepared_payday
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
        server.drop(name)


@pytest.fixture
def world(server: "Server", town: Town) -> Iterator[World]:
    """Return a copy of the town, to which the portal's session is bound."""
    name = f"test_{uuid4().hex[:12]}"
    server.execute("CREATE DATABASE {} TEMPLATE {}", name, TOWN)
    engine = connect(server.url(name))
    try:
        yield _found(town, engine)
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
        server.drop(name)


def _found(town: Town, engine: sa.Engine) -> World:
    people = {part: person_with(email) for part, email in town.emails.items()}
    awards = {
        name: session.scalars(select(Award).where(Award.ref == ref)).one()
        for name, ref in town.awards.items()
    }
    return World(
        town=town,
        url=engine.url.render_as_string(hide_password=False),
        till=Till(**{part: people[part] for part in Till.__dataclass_fields__}),
        officer=people["officer"],
        authority=people["authority"],
        order=session.scalars(select(PaymentOrder).where(PaymentOrder.ref == town.order)).one(),
        **awards,
    )


@pytest.fixture
def visitor(application: "Portal", world: World) -> "Browser":
    """Return a browser in the copy of the town, nobody signed in."""
    from tests.browser import Browser

    del world
    return Browser(application)


def enter(browser: "Browser", world: World, who: str) -> "Browser":
    """Sign in as the person who plays a part in the town."""
    browser.sign_in(world.town.emails[who], PASSWORD)
    return browser
