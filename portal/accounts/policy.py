"""Who may do what with accounts: the same rule for guard, button, list and test."""

from sqlalchemy import Select, select

from portal.accounts.models import (
    MemberRole,
    Membership,
    Organisation,
    Person,
    Role,
)


def can_see_organisation(person: Person, organisation: Organisation) -> bool:
    """Say whether `person` may open the page of an organisation: those who work there."""
    return organisation.id in person.organisation_ids()


def can_manage(person: Person, organisation: Organisation) -> bool:
    """Say whether `person` may edit an organisation and choose its members: its representatives."""
    return organisation.id in person.organisation_ids(MemberRole.REPRESENTATIVE)


def can_remove(person: Person, membership: Membership) -> bool:
    """Say whether `person` may end a membership: a representative, or the member."""
    return membership.is_active and (
        membership.person_id == person.id or can_manage(person, membership.organisation)
    )


def visible_to(person: Person) -> Select[Organisation]:
    """Return the organisations that `person` may see, by name: `can_see_organisation` as a list."""
    return (
        select(Organisation)
        .join(Membership)
        .where(Membership.person_id == person.id, Membership.left_at.is_(None))
        .order_by(Organisation.name, Organisation.id)
    )


def can_administer(person: Person) -> bool:
    """Say whether `person` may see accounts and roles at all."""
    return person.has_role(Role.ADMINISTRATOR)


def can_administer_person(person: Person, other: Person) -> bool:
    """Say whether `person` may change the roles or the account of `other`: never one's own."""
    return can_administer(person) and person.id != other.id
