"""Who may see and do what with an application: one rule for guards, lists and buttons.

What a person may not see does not exist, in totals and counts included. A State's users see
their own organisation's applications and nothing else, so they can neither see, count nor infer
those of civil society. Somebody recused does not see the application, whatever roles they hold;
for a reviewer it does not exist until they have declared that nothing ties them to the applicant.
"""

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true

from portal.accounts.models import MemberRole, Organisation, Person, Role
from portal.applications.models import (
    Application,
    ApplicationStatus,
    InterestDeclaration,
    Recusal,
)
from portal.funds.models import Call

READERS_OF_ALL = (
    Role.PROGRAMME_OFFICER,
    Role.APPROVING_AUTHORITY,
    Role.CERTIFYING_OFFICER,
    Role.APPROVING_OFFICER,
    Role.TREASURY,
    Role.FINANCE_OFFICER,
    Role.BOARD_SECRETARY,
    Role.AUDITOR,
)
"""Roles that read every application of their funds once it was submitted."""

REVIEWERS = (Role.TASK_FORCE, Role.TRUSTEE)

REVIEWED = (
    ApplicationStatus.IN_REVIEW,
    ApplicationStatus.RECOMMENDED,
    ApplicationStatus.APPROVED,
    ApplicationStatus.REFUSED,
)
"""Where the body that scores has to do with an application."""


def is_member(person: Person, application: Application) -> bool:
    """Say whether the person works for the applicant."""
    return application.organisation_id in person.organisation_ids()


def is_representative(person: Person, application: Application) -> bool:
    """Say whether the person signs for the applicant."""
    return application.organisation_id in person.organisation_ids(MemberRole.REPRESENTATIVE)


def holds(person: Person, role: Role, application: Application) -> bool:
    """Say whether the person holds `role` for the application's fund and country.

    Nobody acts for the funds on an application of their own organisation (R16).
    """
    return person.has_role(role, application.call.fund_code, application.country) and not is_member(
        person, application
    )


def is_officer(person: Person, application: Application) -> bool:
    """Say whether the person is a programme officer for this application."""
    return holds(person, Role.PROGRAMME_OFFICER, application) and not is_recused(
        person, application
    )


def is_reviewer(person: Person, application: Application) -> bool:
    """Say whether the person sits on the body that scores this application.

    That alone does not show it to them: see `has_declared`.
    """
    role = application.fund.process.reviewer_role
    if role is None or application.status not in REVIEWED:
        return False
    return holds(person, Role(role), application) and not is_national(person, application)


def is_national(person: Person, application: Application) -> bool:
    """Say whether a trustee is a national of the applicant's State, and recused for it (R16)."""
    return (
        application.call.reviewer_role == Role.TRUSTEE.value
        and person.nationality == application.country
    )


def is_recused(person: Person, application: Application) -> bool:
    """Say whether the person declared a conflict of interest on this application (R16)."""
    return any(recusal.person_id == person.id for recusal in application.recusals)


def has_declared(person: Person, application: Application) -> bool:
    """Say whether the person declared that nothing ties them to the applicant (R16)."""
    return any(each.person_id == person.id for each in application.declarations)


def can_view(person: Person, application: Application) -> bool:
    """Say whether the application exists for the person."""
    if is_member(person, application):
        return True
    if application.submitted_at is None or is_recused(person, application):
        return False
    if any(holds(person, role, application) for role in READERS_OF_ALL):
        return True
    return is_reviewer(person, application) and has_declared(person, application)


LOWERING_REASONS = ("applicant_agreed", "assessed", "answered_by_mistake")
"""Why a sensitive flag may be taken off again; the labels stand in the form."""


def can_open_sealed(person: Person, application: Application) -> bool:
    """Say whether the person may open sealed answers: contacts and risk.

    The applicant; and those who must act on them, whose reading is an act of record.
    """
    if is_member(person, application):
        return True
    return can_view(person, application) and any(
        holds(person, role, application)
        for role in (Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY, Role.AUDITOR)
    )


def can_raise_sensitivity(person: Person, application: Application) -> bool:
    """Say whether the person may have the file handled with more care: whoever acts on it.

    An auditor reads everything and changes nothing.
    """
    if not can_view(person, application) or application.status is ApplicationStatus.WITHDRAWN:
        return False
    acting = (role for role in READERS_OF_ALL if role is not Role.AUDITOR)
    return (
        is_member(person, application)
        or is_reviewer(person, application)
        or any(holds(person, role, application) for role in acting)
    )


def can_lower_sensitivity(person: Person, application: Application) -> bool:
    """Say whether the person may take the sensitive flag off."""
    return can_view(person, application) and any(
        holds(person, role, application)
        for role in (Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY)
    )


def can_open_tab(person: Person, application: Application) -> bool:
    """Say whether the overview and the application itself can be opened: by whoever sees it."""
    return can_view(person, application)


def sees_lists(person: Person) -> bool:
    """Say whether the person has a list of files at all: whoever reads or reviews for a fund."""
    return person.holds_any(*READERS_OF_ALL, *REVIEWERS)


def can_edit(person: Person, application: Application) -> bool:
    """Say whether the person may change the draft."""
    return application.status is ApplicationStatus.DRAFT and is_member(person, application)


def in_scope(person: Person, role: Role) -> ColumnElement[bool]:
    """Return the condition that an application's fund and country are in a grant of `role`."""
    scopes = [
        and_(
            Call.fund_code == grant.fund_code if grant.fund_code else true(),
            Application.country == grant.country if grant.country else true(),
        )
        for grant in person.roles
        if grant.role is role and grant.is_in_force()
    ]
    return or_(false(), *scopes)


def _foreign(person: Person, role: Role) -> ColumnElement[bool]:
    """Return the condition that leaves out applications of a trustee's own State (R16)."""
    if role is not Role.TRUSTEE or person.nationality is None:
        return true()
    return Application.country != person.nationality


def is_recused_from(person: Person) -> ColumnElement[bool]:
    """Return `is_recused` as a condition."""
    return exists().where(Recusal.application_id == Application.id, Recusal.person_id == person.id)


def is_declared_by(person: Person) -> ColumnElement[bool]:
    """Return `has_declared` as a condition."""
    return exists().where(
        InterestDeclaration.application_id == Application.id,
        InterestDeclaration.person_id == person.id,
    )


def is_reviewed_by(person: Person) -> ColumnElement[bool]:
    """Return `is_reviewer` as a condition, for a SELECT that joins the call."""
    bodies = (
        and_(Call.reviewer_role == role.value, in_scope(person, role), _foreign(person, role))
        for role in REVIEWERS
    )
    return and_(
        or_(false(), *bodies),
        Application.status.in_(REVIEWED),
        Application.organisation_id.not_in(person.organisation_ids()),
    )


def visible_to(person: Person) -> Select[Application]:
    """Return the applications that exist for the person: `can_view` as one SELECT."""
    own = Application.organisation_id.in_(person.organisation_ids())
    as_staff = or_(false(), *(in_scope(person, role) for role in READERS_OF_ALL))
    as_reviewer = and_(is_reviewed_by(person), is_declared_by(person))
    return (
        select(Application)
        .join(Application.call)
        .join(Application.organisation)
        .where(
            or_(
                own,
                and_(
                    Application.submitted_at.is_not(None),
                    ~own,
                    ~is_recused_from(person),
                    or_(as_staff, as_reviewer),
                ),
            )
        )
        .order_by(Application.created_at.desc(), Organisation.name)
    )
