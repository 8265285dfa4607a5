"""What each person has to do in reviews, for their home page."""

from collections import Counter

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.todo import Todo
from portal.funds.models import Call, CallStatus
from portal.reviews import policy
from portal.reviews.models import (
    EntitlementCheck,
    Recommendation,
    RecommendationStatus,
    ScoreSheet,
    SheetStatus,
)
from portal.reviews.queries.reading import Status, assignments, to_do_in_office


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do in reviews. One SQL statement for each part."""
    found: list[Todo] = []
    if policy.screens(person):
        found += _in_office(person)
    if policy.reviews(person):
        found += _to_review(person)
    if policy.acts_on_lists(person):
        found += _lists(person)
    return found


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return what the person has to do with this application. Two SQL statements at most."""
    values = {"ref": application.ref}
    match application.status:
        case Status.SUBMITTED if policy.can_screen(person, application):
            return [Todo(_("Screen the application"), "reviews.screening", values)]
        case Status.IN_REVIEW if policy.may_declare(person, application):
            return _next_of_reviewer(person, application)
        case Status.IN_REVIEW:
            return _next_of_office(person, application)
        case Status.RECOMMENDED:
            role = Role(application.fund.process.approving_role)
            title = _("Decide on the recommendation of this call")
            return _about_the_list(person, role, application, title)
        case _:
            return []


def _next_of_office(person: Person, application: Application) -> list[Todo]:
    process = application.fund.process
    if process.reviewer_role is None and policy.can_screen(person, application):
        done = select(EntitlementCheck.id).where(EntitlementCheck.application_id == application.id)
        if session.scalar(done) is None:
            values = {"ref": application.ref}
            return [Todo(_("Check the entitlement"), "reviews.entitlement", values)]
    title = _("Prepare the recommendation of this call")
    return _about_the_list(person, Role(process.recommends_role), application, title)


def _about_the_list(person: Person, role: Role, application: Application, title: str) -> list[Todo]:
    acts = applications.holds(person, role, application)
    if not acts or applications.is_recused(person, application):
        return []
    return [Todo(title, "reviews.recommendation", {"ref": application.call.ref})]


def _next_of_reviewer(person: Person, application: Application) -> list[Todo]:
    own = [each for each in assignments(person) if each.application.id == application.id]
    if not own or own[0].done:
        return []
    if own[0].declared:
        return [Todo(_("Score the application"), "reviews.score", {"ref": application.ref})]
    declare = _("Declare your interests before you read")
    return [Todo(declare, "reviews.interests", {"ref": application.call.ref})]


def _in_office(person: Person) -> list[Todo]:
    return [_office_todo(each) for each in to_do_in_office(person)]


def _office_todo(application: Application) -> Todo:
    ref = application.ref
    if application.status is Status.SUBMITTED:
        title, endpoint = _("Screen the application %(ref)s", ref=ref), "reviews.screening"
    else:
        title, endpoint = _("Check the entitlement of %(ref)s", ref=ref), "reviews.entitlement"
    return Todo(title, endpoint, {"ref": ref}, note=application.title)


def _to_review(person: Person) -> list[Todo]:
    asked = assignments(person)
    undeclared: Counter[str] = Counter(
        each.application.call.ref for each in asked if not each.declared
    )
    declare = [
        Todo(
            ngettext(
                "Declare your interests: %(num)s application",
                "Declare your interests: %(num)s applications",
                number,
            ),
            "reviews.interests",
            {"ref": ref},
        )
        for ref, number in undeclared.items()
    ]
    score = [
        Todo(
            _("Score the application %(ref)s", ref=each.application.ref),
            "reviews.score",
            {"ref": each.application.ref},
            note=each.application.title,
        )
        for each in asked
        if each.declared and not each.done
    ]
    return declare + score


def _lists(person: Person) -> list[Todo]:
    """Return the ranked lists that wait for the person, begun or not. One SQL statement."""
    live = and_(
        Recommendation.call_id == Call.id,
        Recommendation.status.in_((RecommendationStatus.DRAFT, RecommendationStatus.MADE)),
    )
    rows = (
        select(Call, Recommendation, *_completed(), *policy.part_columns(person, Call.id))
        .outerjoin(Recommendation, live)
        .where(or_(Recommendation.id.is_not(None), Call.status == CallStatus.OPEN))
        .order_by(Recommendation.made_at, Call.closes_at, Call.ref)
    )
    found = []
    for call, list_, sheets, checked, *parts in session.execute(rows):
        needed = call.fund.process.reviewers_min
        ready = checked if needed == 0 else (sheets or 0) >= needed
        title = _list_title(person, call, list_, policy.Parts(*parts), ready=ready)
        if title is not None:
            found.append(Todo(title, "reviews.recommendation", {"ref": call.ref}, note=call.title))
    return found


def _completed() -> tuple[ColumnElement[int | None], ColumnElement[bool]]:
    """Return how far the review of a call is, as two columns.

    The most sheets that one application in review has; whether the entitlement of one is checked.
    """
    one = aliased(Application)
    here = and_(one.call_id == Call.id, one.status == Status.IN_REVIEW)
    submitted = (
        select(func.count())
        .where(ScoreSheet.application_id == one.id, ScoreSheet.status == SheetStatus.SUBMITTED)
        .scalar_subquery()
    )
    checked = exists().where(EntitlementCheck.application_id == one.id, here)
    return select(func.max(submitted)).where(here).scalar_subquery(), checked


def _list_title(
    person: Person,
    call: Call,
    list_: Recommendation | None,
    parts: policy.Parts,
    *,
    ready: bool,
) -> str | None:
    """Return what the person has to do with the list of a call, or None. No SQL statement."""
    if list_ is not None and list_.status is RecommendationStatus.MADE:
        decides = policy.can_decide(person, list_, parts)
        return _("Decide on a recommendation") if decides else None
    if not policy.recommends_in(person, call, parts):
        return None
    if list_ is not None:
        return _("Finish the recommendation")
    return _("Draw up the recommendation") if ready else None
