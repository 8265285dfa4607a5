"""Who screens, scores, recommends and decides, and who sees whose scores (R14, R16)."""

from sqlalchemy import select

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus, Recusal
from portal.core.db import session
from portal.funds.models import Call
from portal.reviews.models import Recommendation, ScoreSheet, SheetStatus


def can_screen(person: Person, application: Application) -> bool:
    """Say whether the person screens the application."""
    return applications.is_officer(person, application)


def may_declare(person: Person, application: Application) -> bool:
    """Say whether the person is asked to declare interests: a reviewer, not yet recused."""
    return (
        application.status is ApplicationStatus.IN_REVIEW
        and applications.is_reviewer(person, application)
        and not applications.is_recused(person, application)
    )


def owns(person: Person, sheet: ScoreSheet) -> bool:
    """Say whether the sheet is the person's own and the application still in review."""
    return sheet.reviewer_id == person.id and may_declare(person, sheet.application)


def can_see_scores(person: Person, application: Application) -> bool:
    """Say whether the person may see others' submitted sheets.

    A reviewer may once their own sheet is in; the applicant never; whoever is recused never.
    """
    if applications.is_member(person, application) or not applications.can_view(
        person, application
    ):
        return False
    if not applications.is_reviewer(person, application):
        return True
    own = select(ScoreSheet.id).where(
        ScoreSheet.application_id == application.id,
        ScoreSheet.reviewer_id == person.id,
        ScoreSheet.status == SheetStatus.SUBMITTED,
    )
    return session.scalar(own) is not None


def is_recused_in(person: Person, call: Call) -> bool:
    """Say whether the person is recused from any application of the call."""
    found = (
        select(Recusal.id)
        .join(Recusal.application)
        .where(Recusal.person_id == person.id, Application.call_id == call.id)
        .limit(1)
    )
    return session.scalar(found) is not None


def can_recommend(person: Person, recommendation: Recommendation) -> bool:
    """Say whether the person lays the recommendation before the approving authority."""
    return recommends_in(person, recommendation.call)


def recommends_in(person: Person, call: Call) -> bool:
    """Say whether the person prepares the recommendation of the call."""
    role = Role(call.fund.process.recommends_role)
    return person.has_role(role, call.fund_code) and not is_recused_in(person, call)


def can_decide(person: Person, recommendation: Recommendation) -> bool:
    """Say whether the person decides: the approving authority, and not who recommended (R14)."""
    call = recommendation.call
    role = Role(call.fund.process.approving_role)
    return (
        person.has_role(role, call.fund_code)
        and person.id != recommendation.made_by_id
        and not is_recused_in(person, call)
    )


def can_view(person: Person, recommendation: Recommendation) -> bool:
    """Say whether the ranked list exists for the person, who must see every line of it."""
    call = recommendation.call
    readers = (
        Role.PROGRAMME_OFFICER,
        Role.BOARD_SECRETARY,
        Role.APPROVING_AUTHORITY,
        Role.AUDITOR,
    )
    return any(person.has_role(role, call.fund_code) for role in readers) and not is_recused_in(
        person, call
    )
