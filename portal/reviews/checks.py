"""Invariants of reviews, for `portal check`."""

from sqlalchemy import func, select

from portal.applications.models import Application, Recusal
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.funds.models import Call
from portal.reviews.models import (
    Decision,
    Recommendation,
    RecommendationLine,
    RecommendationStatus,
    ScoreSheet,
    SheetStatus,
    Verdict,
)


def checks() -> list[Check]:
    """Return the invariants of this feature."""
    return [
        Check("decisions say what was recommended", _decisions_match),
        Check("nobody recused has a score that counts", _nobody_recused_scored),
        Check("another person decides than recommended or scored", _another_decides),
        Check("no call gave more than its envelope", _envelopes_hold),
    ]


def _decisions_match() -> CheckResult:
    """Compare each decision with its line, and look for lines that nobody decided on."""
    rows = session.execute(
        select(RecommendationLine, Recommendation, Decision, Application.ref)
        .join(Recommendation, Recommendation.id == RecommendationLine.recommendation_id)
        .join(Application, Application.id == RecommendationLine.application_id)
        .outerjoin(
            Decision,
            (Decision.recommendation_id == Recommendation.id)
            & (Decision.application_id == RecommendationLine.application_id),
        )
        .where(Recommendation.status == RecommendationStatus.APPROVED)
    ).all()
    bad = []
    for line, recommendation, decision, ref in rows:
        if line.verdict is Verdict.RESERVE:
            if decision is not None:
                bad.append(f"{ref} is on the reserve list and has a decision")
        elif decision is None:
            bad.append(f"{ref} was recommended, approved and has no decision")
        elif (decision.approved, decision.amount_usd, decision.decided_by_id) != (
            line.verdict is Verdict.FUND,
            line.recommended_usd,
            recommendation.decided_by_id,
        ):
            bad.append(f"the decision on {ref} is not what was recommended")
    without = session.scalar(
        select(func.count())
        .select_from(Decision)
        .join(Recommendation, Recommendation.id == Decision.recommendation_id)
        .where(Recommendation.status != RecommendationStatus.APPROVED)
    )
    if without:
        bad.append(f"{without} decisions rest on a recommendation that was not approved")
    return CheckResult(len(rows), bad)


def _nobody_recused_scored() -> CheckResult:
    total = session.scalar(select(func.count()).select_from(Recusal)) or 0
    bad = session.scalars(
        select(Application.ref)
        .join(ScoreSheet, ScoreSheet.application_id == Application.id)
        .join(
            Recusal,
            (Recusal.application_id == Application.id)
            & (Recusal.person_id == ScoreSheet.reviewer_id),
        )
        .where(ScoreSheet.status != SheetStatus.SET_ASIDE)
    )
    return CheckResult(total, [f"{ref} has a score of somebody recused" for ref in bad])


def _another_decides() -> CheckResult:
    rows = list(
        session.scalars(select(Recommendation).where(Recommendation.decided_by_id.is_not(None)))
    )
    bad = [
        f"one person made and decided round {each.round} of call {each.call.ref}"
        for each in rows
        if each.decided_by_id == each.made_by_id
    ]
    scored = session.scalars(
        select(Application.ref)
        .join(Decision, Decision.application_id == Application.id)
        .join(
            ScoreSheet,
            (ScoreSheet.application_id == Application.id)
            & (ScoreSheet.reviewer_id == Decision.decided_by_id),
        )
    )
    return CheckResult(len(rows), bad + [f"{ref} was decided by who scored it" for ref in scored])


def _envelopes_hold() -> CheckResult:
    rows = session.execute(
        select(Call.ref, Call.envelope_usd, func.sum(Decision.amount_usd))
        .join(Application, Application.call_id == Call.id)
        .join(Decision, Decision.application_id == Application.id)
        .group_by(Call.id)
    ).all()
    bad = [
        f"call {ref} gave {given} of {envelope}"
        for ref, envelope, given in rows
        if given > envelope
    ]
    return CheckResult(len(rows), bad)
