"""Whom the verbs of reviews tell, and by which message. Messages name no fund and no title."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select

from portal.accounts.models import Person, Role, RoleGrant
from portal.applications import policy as applications
from portal.applications import queries as applications_queries
from portal.applications.models import Application
from portal.core import clock, outbox
from portal.core.db import session
from portal.reviews import policy
from portal.reviews.models import Recommendation


def holders(role: Role, fund_code: str) -> list[Person]:
    """Return who holds a role for a fund today, in whatever country. Two SQL statements."""
    day = clock.today()
    rows = (
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role == role,
            (RoleGrant.fund_code == fund_code) | RoleGrant.fund_code.is_(None),
            RoleGrant.from_day <= day,
            func.coalesce(RoleGrant.until_day, day) >= day,
            Person.deactivated_at.is_(None),
        )
        .distinct()
        .order_by(Person.name, Person.id)
    )
    return [person for person in session.scalars(rows) if person.has_role(role, fund_code)]


def tell_applicant(application: Application, about: UUID) -> None:
    """Tell everybody who works for the applicant that there is a decision to read (R20)."""
    _queue(
        applications_queries.members(application.organisation_id),
        "decision_made",
        about,
        f"/files/{application.ref}/decision",
    )


def tell_applicant_of_reserve(application: Application, about: UUID) -> None:
    """Tell everybody who works for the applicant that it stands on the reserve list."""
    _queue(
        applications_queries.members(application.organisation_id),
        "on_the_reserve_list",
        about,
        f"/files/{application.ref}",
        kind=f"reserve:{application.id}",
    )


def tell_reviewers(application: Application) -> None:
    """Tell those who are asked to declare and score, and nobody who is recused."""
    role = application.fund.process.reviewer_role
    if role is None:
        return
    asked = [
        person
        for person in holders(Role(role), application.call.fund_code)
        if policy.may_declare(person, application)
    ]
    _queue(asked, "review_waiting", application.id, "/reviews")


def tell_recommenders(application: Application) -> None:
    """Tell those who recommend that an application has as many score sheets as it needs."""
    role = Role(application.fund.process.recommends_role)
    asked = [
        person
        for person in holders(role, application.call.fund_code)
        if applications.can_view(person, application)
        and policy.recommends_in(person, application.call)
    ]
    _queue(
        asked,
        "review_complete",
        application.id,
        f"/reviews/calls/{application.call.ref}/recommendation",
    )


def tell_approvers(recommendation: Recommendation) -> None:
    """Tell those who may decide that a recommendation waits for them."""
    role = Role(recommendation.call.fund.process.approving_role)
    asked = [
        person
        for person in holders(role, recommendation.call.fund_code)
        if policy.can_decide(person, recommendation)
    ]
    _queue(asked, "recommendation_waiting", recommendation.id, _place(recommendation))


def tell_of_return(recommendation: Recommendation) -> None:
    """Tell whoever made the recommendation that it came back."""
    maker = session.get(Person, recommendation.made_by_id)
    if maker is not None:
        _queue([maker], "recommendation_returned", recommendation.id, _place(recommendation))


def _place(recommendation: Recommendation) -> str:
    return f"/reviews/calls/{recommendation.call.ref}/recommendation"


def _queue(people: Iterable[Person], template: str, about: UUID, link: str, kind: str = "") -> None:
    for person in people:
        outbox.queue(
            person.email,
            template,
            key=f"{template}:{kind or about}:{about}:{person.id}",
            link=link,
            locale=person.language,
            person_id=person.id,
        )
