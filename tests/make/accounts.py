"""People and organisations, by registering, confirming and inviting."""

from collections.abc import Iterable
from itertools import count

from sqlalchemy import select

from portal.accounts import service
from portal.accounts.models import MemberRole, Membership, Organisation, OrganisationKind, Person
from portal.accounts.models import Role as RoleName
from portal.core.db import session
from portal.core.outbox import Message

PASSWORD = "seven quiet harbours at noon"
NETWORK = "192.0.2.1"
GIVER = "Gita Giver"
"""Who gives the roles of everybody that a test makes."""

Scope = tuple[RoleName, str | None, str | None]

_numbers = count(1)


def messages(email: str, template: str | None = None) -> list[Message]:
    """Return the messages to `email`, of one kind where `template` names it, oldest first."""
    found = select(Message).where(Message.recipient == email).order_by(Message.created_at)
    return [message for message in session.scalars(found) if template in {None, message.template}]


def last_link(email: str, template: str | None = None) -> str:
    """Return the path in the latest message to `email`."""
    return str(messages(email, template)[-1].link)


def last_token(email: str, template: str | None = None) -> str:
    """Return the token of the link in the latest message to `email`."""
    return last_link(email, template).rsplit("/", 1)[-1]


def person_with(email: str) -> Person:
    """Return the person with an address."""
    return session.scalars(select(Person).where(Person.email == email)).one()


def signed_up(email: str | None = None, name: str = "Amina Okello") -> Person:
    """Return somebody who registered and confirmed the address, with `PASSWORD`."""
    address = email or f"person{next(_numbers)}@example.org"
    service.register(email=address, name=name, password=PASSWORD)
    entry = service.confirm(last_token(address, "confirm_address"), PASSWORD, network=NETWORK)
    service.end_session(entry.web_session)
    return entry.web_session.person


def administrator(name: str = "Ada Minister") -> Person:
    """Return an administrator, made by the link of the command line."""
    address = f"administrator{next(_numbers)}@example.org"
    token = service.make_admin_link(address).rsplit("/", 1)[-1]
    entry = service.join_by_link(token, name=name, password=PASSWORD)
    service.end_session(entry.web_session)
    return entry.web_session.person


def person(
    email: str | None = None,
    roles: Iterable[RoleName | Scope] = (),
    name: str = "Amina Okello",
) -> Person:
    """Return somebody with an account and `roles`, each alone or as (role, fund, country)."""
    found = signed_up(email, name)
    wanted = [role if isinstance(role, tuple) else (role, None, None) for role in roles]
    for role, fund, country in wanted:
        service.grant_role(found, role, fund=fund, country=country, by=_giver())
    return found


def _giver() -> Person:
    """Return an administrator, made once for each database."""
    made = session.scalars(select(Person).where(Person.name == GIVER)).all()
    return next((each for each in made if each.has_role(RoleName.ADMINISTRATOR)), None) or (
        administrator(GIVER)
    )


def organisation(
    kind: OrganisationKind = OrganisationKind.NGO,
    country: str = "KEN",
    representative: Person | None = None,
    name: str | None = None,
) -> Organisation:
    """Return an organisation entered by `representative`, or by somebody new."""
    return service.create_organisation(
        by=representative or signed_up(),
        name=name or f"Lakeside Circle {next(_numbers)}",
        kind=kind,
        country=country,
    )


def representative_of(where: Organisation) -> Person:
    """Return a legal representative of an organisation."""
    return session.scalars(
        select(Person)
        .join(Membership)
        .where(
            Membership.organisation_id == where.id,
            Membership.role == MemberRole.REPRESENTATIVE,
            Membership.left_at.is_(None),
        )
        .order_by(Membership.joined_at)
        .limit(1)
    ).one()


def member(
    where: Organisation, role: MemberRole = MemberRole.EDITOR, email: str | None = None
) -> Person:
    """Return somebody who was invited to an organisation and accepted."""
    found = signed_up(email)
    service.invite(where, email=found.email, role=role, by=representative_of(where))
    service.accept_invite(last_token(found.email, "invitation"), by=found)
    return found
