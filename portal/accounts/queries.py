"""Reads of accounts that are worth naming. Each runs a fixed number of SQL statements."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts import policy, rules
from portal.accounts.models import Membership, Organisation, Person, WebSession
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo


@dataclass(frozen=True)
class OpenSession:
    """One browser in which somebody is signed in. Moments are UTC."""

    id: UUID
    browser: str
    since: datetime
    seen: datetime


def open_sessions(person: Person) -> list[OpenSession]:
    """Return where `person` is signed in, the latest used first. One SQL statement."""
    now = clock.now()
    rows = session.execute(
        select(WebSession.id, WebSession.agent, WebSession.created_at, WebSession.seen_at)
        .where(
            WebSession.person_id == person.id,
            WebSession.ended_at.is_(None),
            WebSession.seen_at > now - rules.IDLE_LIMIT,
            WebSession.created_at > now - rules.ABSOLUTE_LIMIT,
        )
        .order_by(WebSession.seen_at.desc(), WebSession.id)
    )
    return [
        OpenSession(row.id, rules.browser_name(row.agent), row.created_at, row.seen_at)
        for row in rows
    ]


def members(organisation: Organisation) -> list[Membership]:
    """Return the present members with their people, the longest there first. One SQL statement."""
    return list(
        session.scalars(
            select(Membership)
            .where(Membership.organisation_id == organisation.id, Membership.left_at.is_(None))
            .options(joinedload(Membership.person).lazyload("*"))
            .order_by(Membership.joined_at, Membership.id)
        )
    )


def organisations(person: Person) -> list[Organisation]:
    """Return the organisations that `person` works for, by name. One SQL statement."""
    return list(session.scalars(policy.visible_to(person)))


def todos(person: Person) -> list[Todo]:
    """Return what somebody new has to do before anything else. No SQL statement."""
    if person.is_staff or person.organisation_ids():
        return []
    return [
        Todo(
            _("Enter the organisation that you apply for"),
            "accounts.create_organisation",
            note=_("Or open the link in the invitation that a colleague sent you."),
        )
    ]
