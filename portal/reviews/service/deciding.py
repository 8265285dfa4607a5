"""The approving authority's word on a recommendation, and what every applicant is told (R20)."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.models import Application, ApplicationAction, ApplicationStatus
from portal.applications.workflow import WORKFLOW
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, translated
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.funds import service as funds
from portal.funds.models import Call, CallStatus
from portal.reviews.models import (
    Decision,
    Recommendation,
    RecommendationAction,
    RecommendationLine,
    RecommendationStatus,
    Verdict,
)
from portal.reviews.service import recommending
from portal.reviews.service.telling import (
    tell_applicant,
    tell_applicant_of_reserve,
    tell_of_return,
)
from portal.reviews.workflow import RECOMMENDATION_WORKFLOW

TEXT_LIMIT = 4000

UNDECIDED = (
    ApplicationStatus.SUBMITTED,
    ApplicationStatus.CLARIFICATION,
    ApplicationStatus.IN_REVIEW,
    ApplicationStatus.RECOMMENDED,
)


def approve(recommendation: Recommendation, *, by: Person) -> list[Decision]:
    """Approve the list as it stands; everybody on it is told, and return the decisions.

    Who stands on the reserve list goes back to review, for a later round. When nothing of the
    call is left to decide and its deadline has passed, the call is decided too. A second click
    finds the first one's decisions. Raises Refused for whoever played another part in the call
    (R14) and when the money does not reach (R19).
    """
    _hold(recommendation)
    if (
        recommendation.status is RecommendationStatus.APPROVED
        and recommendation.decided_by_id == by.id
    ):
        return _decisions(recommendation)
    RECOMMENDATION_WORKFLOW.check(recommendation, RecommendationAction.APPROVE, by)
    recommending.demand_money(recommendation)
    _close(recommendation, RecommendationAction.APPROVE, by)
    for line in recommendation.lines:
        _decide(line, by)
    session.flush()
    _decide_call(recommendation.call, by)
    return _decisions(recommendation)


def send_back(recommendation: Recommendation, remarks: str, *, by: Person) -> None:
    """Send the list back to the body, with what it should look at again. Raises Refused."""
    _hold(recommendation)
    text = normalise(remarks)
    if not text:
        raise Refused(_("Say what should be looked at again."), "R14")
    if len(text) > TEXT_LIMIT:
        raise Refused(
            _(
                "Keep this to %(limit)s characters; it has %(number)s.",
                limit=TEXT_LIMIT,
                number=len(text),
            )
        )
    RECOMMENDATION_WORKFLOW.check(recommendation, RecommendationAction.SEND_BACK, by)
    _close(recommendation, RecommendationAction.SEND_BACK, by, text)
    for line in recommendation.lines:
        WORKFLOW.perform(
            line.application,
            ApplicationAction.RETURN,
            by=by,
            facts={"recommendation": str(recommendation.id), "round": recommendation.round},
            event="recommendation.returned",
        )
    session.flush()
    tell_of_return(recommendation)


def _hold(recommendation: Recommendation) -> None:
    session.flush()
    audit.take_turn()
    session.refresh(recommendation, ["status", "version", "made_by_id", "decided_by_id"])


def _close(
    recommendation: Recommendation, action: RecommendationAction, by: Person, remarks: str = ""
) -> None:
    with session.no_autoflush:  # the database wants status, person and moment at once
        recommendation.decided_by_id, recommendation.decided_at = by.id, clock.now()
        recommendation.remarks = remarks
        RECOMMENDATION_WORKFLOW.perform(
            recommendation,
            action,
            by=by,
            rule="R14",
            facts={"round": recommendation.round, "usd": recommending.total(recommendation)},
        )


def _decide(line: RecommendationLine, by: Person) -> None:
    application = line.application
    if line.verdict is Verdict.RESERVE:
        WORKFLOW.perform(
            application,
            ApplicationAction.RETURN,
            by=by,
            facts=recommending.facts_of(line),
            event="decision.reserved",
        )
        tell_applicant_of_reserve(application, line.recommendation_id)
        return
    approved = line.verdict is Verdict.FUND
    decision = Decision(
        application=application,
        approved=approved,
        amount_usd=line.recommended_usd,
        reasons=line.reasons or _granted(application),
        recommendation_id=line.recommendation_id,
        decided_by_id=by.id,
    )
    session.add(decision)
    WORKFLOW.perform(
        application,
        ApplicationAction.APPROVE if approved else ApplicationAction.REFUSE,
        by=by,
        facts={
            **recommending.facts_of(line),
            "decision": str(decision.id),
            "reasons": decision.reasons_digest,
        },
        event="decision.approved" if approved else "decision.refused",
    )
    tell_applicant(application, decision.id)


def _granted(application: Application) -> str:
    """Return the reasons of a grant for which the body wrote none of its own."""
    if application.fund.process.selection == "priority":
        steps = "; ".join(translated(step.label) for step in application.fund.priority)
        return _(
            "The entitlement was confirmed, and the request stands above the line in the "
            "published order of priority: %(steps)s.",
            steps=steps,
        )
    return _(
        "The application was found admissible and stands above the line in the ranking by the "
        "published criteria."
    )


def _decisions(recommendation: Recommendation) -> list[Decision]:
    rows = select(Decision).where(Decision.recommendation_id == recommendation.id)
    return list(session.scalars(rows.order_by(Decision.decided_at, Decision.id)))


def _decide_call(call: Call, by: Person) -> None:
    """Declare the call decided where nothing of it is left to decide, after its deadline."""
    left = select(Application.id).where(
        Application.call_id == call.id, Application.status.in_(UNDECIDED)
    )
    if (
        call.status is CallStatus.OPEN
        and call.closes_at <= clock.now()
        and session.scalar(left.limit(1)) is None
    ):
        funds.decide_call(call, by=by)
