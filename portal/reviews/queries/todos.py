"""What each person has to do in reviews, for their home page."""

from collections import Counter

from sqlalchemy import func, select

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
from portal.reviews.queries.reading import Status, assignments, to_check, to_screen


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do in reviews. Six SQL statements at most."""
    found: list[Todo] = []
    if policy.screens(person):
        found += _to_screen(person)
    if policy.reviews(person):
        found += _to_review(person)
    if policy.reads_rankings(person):
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


def _to_screen(person: Person) -> list[Todo]:
    screening = [
        Todo(
            _("Screen the application %(ref)s", ref=each.ref),
            "reviews.screening",
            {"ref": each.ref},
            note=each.title,
        )
        for each in to_screen(person)
        if each.status is Status.SUBMITTED
    ]
    checking = [
        Todo(
            _("Check the entitlement of %(ref)s", ref=each.ref),
            "reviews.entitlement",
            {"ref": each.ref},
            note=each.title,
        )
        for each in to_check(person)
    ]
    return screening + checking


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
    found = []
    made = (
        select(Recommendation, *policy.part_columns(person, Recommendation.call_id))
        .where(Recommendation.status.in_((RecommendationStatus.DRAFT, RecommendationStatus.MADE)))
        .order_by(Recommendation.made_at)
    )
    live = set()
    for each, *parts in session.execute(made):
        live.add(each.call_id)
        if each.status is RecommendationStatus.MADE:
            if policy.can_decide(person, each, policy.Parts(*parts)):
                found.append(_list_todo(_("Decide on a recommendation"), each.call))
        elif policy.recommends_in(person, each.call, policy.Parts(*parts)):
            found.append(_list_todo(_("Finish the recommendation"), each.call))
    return found + [
        _list_todo(_("Draw up the recommendation"), call)
        for call in _ready_calls(person)
        if call.id not in live
    ]


def _ready_calls(person: Person) -> list[Call]:
    """Return the calls with a complete review in them that the person recommends in."""
    counted = (
        select(func.count())
        .where(
            ScoreSheet.application_id == Application.id,
            ScoreSheet.status == SheetStatus.SUBMITTED,
        )
        .scalar_subquery()
    )
    checked = (
        select(EntitlementCheck.id)
        .where(EntitlementCheck.application_id == Application.id)
        .exists()
    )
    pairs = (
        select(Call, counted, checked, *policy.part_columns(person, Call.id))
        .join(Application, Application.call_id == Call.id)
        .where(Application.status == Status.IN_REVIEW, Call.status == CallStatus.OPEN)
    )
    found: dict[object, Call] = {}
    for call, sheets_in, is_checked, *parts in session.execute(pairs):
        needed = call.fund.process.reviewers_min
        ready = is_checked if needed == 0 else sheets_in >= needed
        if ready and policy.recommends_in(person, call, policy.Parts(*parts)):
            found[call.id] = call
    return list(found.values())


def _list_todo(title: str, call: Call) -> Todo:
    return Todo(title, "reviews.recommendation", {"ref": call.ref}, note=call.title)
