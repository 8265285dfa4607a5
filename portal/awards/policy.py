"""Who may see and do what with an award; an award is seen by whoever sees its application."""

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus
from portal.awards.models import Award, AwardStatus


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


def can_open_tab(person: Person, application: Application) -> bool:
    """Say whether the file has an agreement tab for the person: once it was approved.

    Reviewers leave the file there: their part is the review.
    """
    if application.status is not ApplicationStatus.APPROVED:
        return False
    if not applications.can_view(person, application):
        return False
    return applications.is_member(person, application) or any(
        applications.holds(person, role, application) for role in applications.READERS_OF_ALL
    )


def can_offer(person: Person, application: Application) -> bool:
    """Say whether the person may make the offer on an approved application."""
    approved = application.status is ApplicationStatus.APPROVED
    return approved and applications.is_officer(person, application)


def can_revise(person: Person, award: Award) -> bool:
    """Say whether the person may bring the budget down to the award now (R18)."""
    waits = award.status is AwardStatus.OFFERED and award.agreement is None
    return waits and applications.is_member(person, award.application)
