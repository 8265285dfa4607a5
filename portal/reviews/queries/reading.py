"""Reads of reviews: checklists, lists of what is to be done, sheets, decisions.

Whatever somebody is recused from stands in none of them, in counts neither. Each is a fixed
number of SQL statements, whatever the number of rows.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications import eligibility
from portal.applications import queries as applications_queries
from portal.applications.models import (
    Application,
    ApplicationStatus,
    InterestDeclaration,
    Recusal,
)
from portal.core.acts import last_act
from portal.core.crypto import Unreadable, unseal
from portal.core.db import session
from portal.core.paging import Page, select_page
from portal.funds.models import Call, CallStatus
from portal.reviews import policy
from portal.reviews.models import (
    Decision,
    EntitlementCheck,
    Finding,
    Recommendation,
    RecommendationLine,
    RecommendationStatus,
    ScoreSheet,
    ScreeningItem,
    SheetStatus,
)
from portal.reviews.service.recusing import place
from portal.reviews.service.screening import is_stale

Status = ApplicationStatus

HANDED_TO_OFFICE = ("application.submitted", "clarification.answered", "screening.completed")
"""Acts that bring an application to the office: to be screened, or its entitlement checked."""

IN_SCREENING = Application.status.in_((Status.SUBMITTED, Status.CLARIFICATION))


@dataclass(frozen=True)
class Item:
    """One line of the checklist: the rule, what the machine finds, what a person found."""

    check: eligibility.Check
    finding: Finding
    note: str
    checked: ScreeningItem | None
    stale: bool


def checklist(application: Application) -> list[Item]:
    """Return the checklist as it stands, drawn up or not. The statements of `evaluate`, and one."""
    rows = select(ScreeningItem).where(ScreeningItem.application_id == application.id)
    known = {item.key: item for item in session.scalars(rows)}
    found = []
    for check in _checks(application):
        item = known.get(check.key)
        stale = item is not None and is_stale(item)
        finding = Finding.OPEN if item is None or stale else item.finding
        found.append(Item(check, finding, item.note if item else "", item, stale))
    return found


def _checks(application: Application) -> list[eligibility.Check]:
    """Return what the machine finds in what was submitted."""
    submission = applications_queries.last_submission(application)
    if submission is None or application.sealing_key.destroyed_at is not None:
        return eligibility.evaluate(application)
    inside = applications_queries.frozen_contents(submission)
    return eligibility.weigh(
        eligibility.Facts(
            application.call,
            application.organisation,
            application,
            dict(inside.answers),
            inside.lines,
            frozenset(file.key for file in inside.files),
            inside.rate,
        )
    )


def findings(application: Application) -> list[ScreeningItem]:
    """Return what screening found, in order. One SQL statement."""
    rows = select(ScreeningItem).where(ScreeningItem.application_id == application.id)
    return list(session.scalars(rows.order_by(ScreeningItem.position)))


def to_screen(person: Person, number: int = 1) -> Page[Application]:
    """Return a page of what waits for the person's screening, oldest first. Two SQL statements."""
    return select_page(policy.screened_by(person).where(IN_SCREENING), number)


def to_check(person: Person, number: int = 1) -> Page[Application]:
    """Return a page of the entitlements that the person has to check. Two SQL statements."""
    return select_page(policy.screened_by(person).where(entitlement_is_open()), number)


def to_do_in_office(person: Person) -> list[tuple[Application, datetime | None]]:
    """Return what the person has to screen, then what to check, each with since when it waits.

    What is with the applicant, who was asked a question, is left out. One SQL statement.
    """
    rows = (
        policy.screened_by(person)
        .where(or_(Application.status == Status.SUBMITTED, entitlement_is_open()))
        .add_columns(last_act(Application.id, *HANDED_TO_OFFICE))
    )
    found = [(application, since) for application, since in session.execute(rows)]
    return sorted(found, key=lambda each: each[0].status is not Status.SUBMITTED)


def since_in_office(application: Application) -> datetime | None:
    """Return since when one application waits for the office. One SQL statement."""
    waits = select(last_act(Application.id, *HANDED_TO_OFFICE))
    return session.scalar(waits.where(Application.id == application.id))


def entitlement_is_open() -> ColumnElement[bool]:
    """Return the condition that an application waits for its entitlement check (R15)."""
    checked = exists().where(EntitlementCheck.application_id == Application.id)
    return and_(Application.status == Status.IN_REVIEW, Call.reviewer_role.is_(None), ~checked)


@dataclass(frozen=True)
class Assignment:
    """One application that a reviewer is asked to read, and how far they are.

    `since` is when the next of their steps began to wait: the application came into review, or
    they declared that nothing is in the way.
    """

    application: Application
    declared: bool
    sheet: SheetStatus | None
    since: datetime | None

    @property
    def done(self) -> bool:
        """Whether the reviewer's sheet is in."""
        return self.sheet is SheetStatus.SUBMITTED


def assignments(person: Person) -> list[Assignment]:
    """Return what the reviewer is asked to declare and score, by call. One SQL statement.

    Of what is not declared, nobody is shown more than the applicant, the country and the title.
    """
    rows = (
        policy.asked(person)
        .add_columns(
            InterestDeclaration.declared_at,
            ScoreSheet.status,
            last_act(Application.id, "screening.completed"),
        )
        .outerjoin(
            InterestDeclaration,
            and_(
                InterestDeclaration.application_id == Application.id,
                InterestDeclaration.person_id == person.id,
            ),
        )
        .outerjoin(
            ScoreSheet,
            and_(ScoreSheet.application_id == Application.id, ScoreSheet.reviewer_id == person.id),
        )
    )
    return [
        Assignment(application, declared_at is not None, status, declared_at or came)
        for application, declared_at, status, came in session.execute(rows)
    ]


def undeclared(person: Person, call_ref: str) -> list[Application]:
    """Return what waits in a call for the person's declaration. One SQL statement."""
    return list(session.scalars(policy.undeclared(person).where(Call.ref == call_ref)))


@dataclass(frozen=True)
class CallInReview:
    """A call with how many of its applications stand where."""

    call: Call
    counts: Counter[Status]
    recommendation: RecommendationStatus | None

    def at(self, *statuses: Status) -> int:
        """Return how many applications stand at one of `statuses`."""
        return sum(self.counts[status] for status in statuses)


def calls_in_review(person: Person) -> list[CallInReview]:
    """Return the calls whose ranked list the person may read. Three SQL statements."""
    rows = (
        select(Call, *policy.part_columns(person, Call.id))
        .where(Call.published_at.is_not(None), Call.status != CallStatus.CANCELLED)
        .order_by(Call.closes_at.desc(), Call.ref)
    )
    found = [
        call
        for call, *parts in session.execute(rows)
        if policy.reads_all_scores(person, call, policy.Parts(*parts))
    ]
    ids = [call.id for call in found]
    counts: dict[object, Counter[Status]] = {}
    for call_id, status, number in session.execute(
        select(Application.call_id, Application.status, func.count())
        .where(Application.call_id.in_(ids), Application.submitted_at.is_not(None))
        .group_by(Application.call_id, Application.status)
    ):
        counts.setdefault(call_id, Counter())[status] = number
    rounds = (
        select(Recommendation.call_id, Recommendation.status)
        .where(Recommendation.call_id.in_(ids))
        .order_by(Recommendation.round)
    )
    latest = {call_id: state for call_id, state in session.execute(rounds)}  # noqa: C416
    return [
        CallInReview(call, counts.get(call.id, Counter()), latest.get(call.id)) for call in found
    ]


def recommendation(call_ref: str, number: int | None = None) -> Recommendation | None:
    """Return a call's latest recommendation, or that of a round, with its lines. One statement."""
    rows = (
        select(Recommendation)
        .join(Recommendation.call)
        .where(Call.ref == call_ref)
        .options(joinedload(Recommendation.lines).joinedload(RecommendationLine.application))
        .order_by(Recommendation.round.desc())
        .limit(1)
    )
    if number is not None:
        rows = rows.where(Recommendation.round == number)
    return session.scalars(rows).unique().one_or_none()


def sheets(application: Application) -> list[ScoreSheet]:
    """Return the submitted sheets of one application, oldest first. One SQL statement.

    Whoever shows them asks `policy.can_see_scores` first.
    """
    rows = (
        select(ScoreSheet)
        .where(
            ScoreSheet.application_id == application.id,
            ScoreSheet.status == SheetStatus.SUBMITTED,
        )
        .options(joinedload(ScoreSheet.scores), joinedload(ScoreSheet.reviewer).lazyload("*"))
        .order_by(ScoreSheet.submitted_at)
    )
    return list(session.scalars(rows).unique())


def recusals(application: Application) -> list[Recusal]:
    """Return who is recused, for the office and the auditor. No statement of its own."""
    return sorted(application.recusals, key=lambda each: each.declared_at)


def recusal_reason(recusal: Recusal) -> str:
    """Return the sealed reason of a recusal; nothing once the application's key is destroyed."""
    application = recusal.application
    try:
        return unseal(
            application.sealing_key, recusal.sealed_reason, place(application, recusal.id)
        )
    except Unreadable:
        return ""


def decision(application: Application) -> Decision | None:
    """Return the decision on an application, if there is one. One SQL statement."""
    return session.scalar(select(Decision).where(Decision.application_id == application.id))


def entitlement(application: Application) -> EntitlementCheck | None:
    """Return the entitlement check of an application, if there is one. One SQL statement."""
    rows = select(EntitlementCheck).where(EntitlementCheck.application_id == application.id)
    return session.scalar(rows)


def lines_of(application: Application) -> list[RecommendationLine]:
    """Return what was recommended for an application, round by round. One SQL statement."""
    rows = (
        select(RecommendationLine)
        .join(RecommendationLine.recommendation)
        .where(RecommendationLine.application_id == application.id)
        .options(joinedload(RecommendationLine.recommendation))
        .order_by(Recommendation.round)
    )
    return list(session.scalars(rows))


def outcome(application: Application) -> tuple[list[RecommendationLine], Decision | None]:
    """Return what was recommended, round by round, and decided. One SQL statement."""
    rows = (
        select(RecommendationLine, Decision)
        .select_from(Application)
        .outerjoin(RecommendationLine, RecommendationLine.application_id == Application.id)
        .outerjoin(Recommendation, Recommendation.id == RecommendationLine.recommendation_id)
        .outerjoin(Decision, Decision.application_id == Application.id)
        .where(Application.id == application.id)
        .options(joinedload(RecommendationLine.recommendation))
        .order_by(Recommendation.round)
    )
    found = session.execute(rows).all()
    lines = [line for line, _decision in found if line is not None]
    return lines, found[0][1] if found else None
