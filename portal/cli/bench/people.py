"""Somebody to be, in the scratch database."""

from itertools import count

from portal.accounts.models import Person, Role, RoleGrant
from portal.core import clock
from portal.core.db import session

_numbers = count(1)


def person(role: Role) -> Person:
    """Return somebody new with one role for every fund."""
    email = f"{role.value}{next(_numbers)}@bench.invalid"
    found = Person(email=email, name="Somebody", email_confirmed_at=clock.now())
    session.add(found)
    session.add(RoleGrant(person=found, role=role))
    session.flush()
    return found
