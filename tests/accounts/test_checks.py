"""The invariants of accounts find what goes around the verbs."""

import pytest
from sqlalchemy import update

from portal.accounts import checks, service
from portal.accounts.models import Membership, Person, Role
from portal.core import clock
from portal.core.db import session
from tests import make
from tests.make.accounts import PASSWORD

pytestmark = pytest.mark.usefixtures("db")


def violations() -> list[int]:
    """Return how many violations each check finds."""
    return [len(check.run().violations) for check in checks.checks()]


def test_nothing_is_wrong_after_the_verbs() -> None:
    person = make.person(roles=[Role.AUDITOR])
    make.organisation(representative=person)
    service.sign_in(person.email, PASSWORD, network="192.0.2.1")
    assert violations() == [0, 0, 0]
    assert [check.run().count > 0 for check in checks.checks()] == [True, True, True]


def test_what_goes_around_the_verbs_is_found() -> None:
    person = make.person(roles=[Role.AUDITOR])
    make.organisation(representative=person)
    service.sign_in(person.email, PASSWORD, network="192.0.2.1")
    mine = Person.id == person.id
    session.execute(update(Membership).values(left_at=clock.now()))
    session.execute(update(Person).where(mine).values(email_confirmed_at=None))
    session.execute(update(Person).where(mine).values(deactivated_at=clock.now()))
    assert violations() == [1, 1, 1]
