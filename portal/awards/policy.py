"""Who may see and do what with an award; an award is seen by whoever sees its application."""

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.awards.models import Award


def can_view(person: Person, award: Award) -> bool:
    """Say whether the award exists for the person."""
    return applications.can_view(person, award.application)


def can_sign(person: Person, award: Award) -> bool:
    """Say whether the person signs for the grantee."""
    return applications.is_representative(person, award.application)


def can_manage(person: Person, award: Award) -> bool:
    """Say whether the person is the programme officer of the award."""
    return applications.is_officer(person, award.application)


def can_countersign(person: Person, award: Award) -> bool:
    """Say whether the person countersigns for the fund (the approving authority)."""
    role = Role(award.fund.process.approving_role)
    return applications.holds(person, role, award.application) and not applications.is_recused(
        person, award.application
    )
