"""What each person has to do in reviews, for their home page."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.todo import Todo
from portal.funds.models import Call, CallStatus
from portal.funds.terms import within_term
from portal.reviews import policy
from portal.reviews.models import (
    EntitlementCheck,
    Recommendation,
    RecommendationStatus,
    ScoreSheet,
    SheetStatus,
)
from portal.reviews.queries.reading import (
    Assignment,
    Status,
    assignments,
    since_in_office,
    to_do_in_office,
)

LIVE = and_(
    Recommendation.call_id == Call.id,
    Recommendation.status.in_((RecommendationStatus.DRAFT, RecommendationStatus.MADE)),
)
"""The list of a call that somebody has still to finish or to decide on."""


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
            since, title = since_in_office(application), _("Screen the application")
            return [
                within_term(
                    Todo(title, "reviews.screening", values), application.fund, "screening", since
                )
            ]
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
            since, title = since_in_office(application), _("Check the entitlement")
            values = {"ref": application.ref}
            return [
                within_term(
                    Todo(title, "reviews.entitlement", values),
                    application.fund,
                    "entitlement",
                    since,
                )
            ]
    title = _("Prepare the recommendation of this call")
    return _about_the_list(person, Role(process.recommends_role), application, title)


def _about_the_list(person: Person, role: Role, application: Application, title: str) -> list[Todo]:
    acts = applications.holds(person, role, application)
    if not acts or applications.is_recused(person, application):
        return []
    rows = select(Recommendation, _since()).select_from(Call).outerjoin(Recommendation, LIVE)
    found = session.execute(rows.where(Call.id == application.call_id)).one()
    return [_list(application.call, *found, title)]


def _next_of_reviewer(person: Person, application: Application) -> list[Todo]:
    own = [each for each in assignments(person) if each.application.id == application.id]
    if not own or own[0].done:
        return []
    if own[0].declared:
        return [_score(own[0], _("Score the application"))]
    declare = _("Declare your interests before you read")
    return [_declare(own, declare)]


def _in_office(person: Person) -> list[Todo]:
    return [_office_todo(*each) for each in to_do_in_office(person)]


def _office_todo(application: Application, since: datetime | None) -> Todo:
    fund, values, note = application.fund, {"ref": application.ref}, application.title
    if application.status is Status.SUBMITTED:
        title = _("Screen the application %(ref)s", ref=application.ref)
        return within_term(
            Todo(title, "reviews.screening", values, note=note), fund, "screening", since
        )
    title = _("Check the entitlement of %(ref)s", ref=application.ref)
    return within_term(
        Todo(title, "reviews.entitlement", values, note=note), fund, "entitlement", since
    )


def _to_review(person: Person) -> list[Todo]:
    asked = assignments(person)
    undeclared: dict[str, list[Assignment]] = defaultdict(list)
    for each in asked:
        if not each.declared:
            undeclared[each.application.call.ref].append(each)
    declare = [
        _declare(
            each,
            ngettext(
                "Declare your interests: %(num)s application",
                "Declare your interests: %(num)s applications",
                len(each),
            ),
        )
        for each in undeclared.values()
    ]
    score = [
        _score(
            each,
            _("Score the application %(ref)s", ref=each.application.ref),
            note=each.application.title,
        )
        for each in asked
        if each.declared and not each.done
    ]
    return declare + score


def _declare(asked: list[Assignment], title: str) -> Todo:
    """Return the task to declare interests in a call: the application that waits longest counts."""
    application = asked[0].application
    since = min((each.since for each in asked if each.since), default=None)
    values = {"ref": application.call.ref}
    return within_term(
        Todo(title, "reviews.interests", values), application.fund, "interests", since
    )


def _score(asked: Assignment, title: str, note: str = "") -> Todo:
    fund, values = asked.application.fund, {"ref": asked.application.ref}
    return within_term(
        Todo(title, "reviews.score", values, note=note), fund, "scoring", asked.since
    )


def _lists(person: Person) -> list[Todo]:
    """Return the ranked lists that wait for the person, begun or not. One SQL statement."""
    rows = (
        select(Call, Recommendation, _since(), *_completed(), *policy.part_columns(person, Call.id))
        .outerjoin(Recommendation, LIVE)
        .where(or_(Recommendation.id.is_not(None), Call.status == CallStatus.OPEN))
        .order_by(Recommendation.made_at, Call.closes_at, Call.ref)
    )
    found = []
    for call, list_, since, sheets, checked, *parts in session.execute(rows):
        needed = call.fund.process.reviewers_min
        ready = checked if needed == 0 else (sheets or 0) >= needed
        title = _list_title(person, call, list_, policy.Parts(*parts), ready=ready)
        if title is not None:
            found.append(_list(call, list_, since, title, note=call.title))
    return found


def _list(
    call: Call, list_: Recommendation | None, since: datetime | None, title: str, note: str = ""
) -> Todo:
    """Return the task on the ranked list of a call: to decide on it once it is made."""
    endpoint, values = "reviews.recommendation", {"ref": call.ref}
    if list_ is not None and list_.status is RecommendationStatus.MADE:
        return within_term(
            Todo(title, endpoint, values, note=note), call.fund, "decision", list_.made_at
        )
    return within_term(Todo(title, endpoint, values, note=note), call.fund, "recommendation", since)


def _since() -> ColumnElement[datetime | None]:
    """Return since when the list of a call waits to be drawn up, as a column.

    Since its first application was read by all, or an application came back to the body; a draft
    without either, since it was begun.
    """
    one = aliased(Application)
    ready = AuditEvent.action.in_(("review.completed", "entitlement.checked"))
    back = AuditEvent.action.in_(("recommendation.returned", "decision.reserved"))
    came = (
        select(
            func.greatest(
                func.min(AuditEvent.at).filter(ready), func.max(AuditEvent.at).filter(back)
            )
        )
        .join(one, one.id == AuditEvent.case_id)
        .where(one.call_id == Call.id, one.status == Status.IN_REVIEW)
        .scalar_subquery()
    )
    begun = (
        select(func.max(AuditEvent.at))
        .where(
            AuditEvent.subject_id == Recommendation.id,
            AuditEvent.action == "recommendation.drafted",
        )
        .scalar_subquery()
    )
    return func.coalesce(came, begun)


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
