"""Invariants of reviews, for `portal check`."""

from sqlalchemy import String, cast, func, select, text

from portal.applications.models import Application, Recusal
from portal.core.audit import SAME_MOMENT, AuditEvent, at_once
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import canonical_json, sha256_hex
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

BATCH = 200
DECIDED = ("decision.approved", "decision.refused", "screening.inadmissible")

SHEETS = """
SELECT a.ref, told.facts ->> 'digest' AS digest, s.comment,
    s.reviewer_id = told.actor_id AND abs(extract(epoch FROM s.submitted_at - told.at)) <= :seconds
        AND (s.status = 'set_aside') = EXISTS (SELECT FROM audit_event aside
            WHERE aside.subject_id = s.id AND aside.action = 'sheet.set_aside') AS fits,
    (SELECT jsonb_object_agg(c.criterion,
        jsonb_build_object('points', c.points, 'justification', c.justification))
        FROM score c WHERE c.sheet_id = s.id) AS scores
FROM (SELECT * FROM score_sheet WHERE submitted_at IS NOT NULL) AS s
FULL JOIN (SELECT * FROM audit_event WHERE action = 'sheet.submitted') AS told
    ON told.subject_id = s.id
LEFT JOIN application a ON a.id = coalesce(s.application_id, told.case_id)
ORDER BY a.ref
"""
"""Each sheet that came in beside its event; where one of the two is missing, `fits` is NULL."""


def checks() -> list[Check]:
    """Return the invariants of this feature."""
    return [
        Check(_("Decisions say what was recommended"), _decisions_match),
        Check(_("Nobody recused has a score that counts"), _nobody_recused_scored),
        Check(_("Another person decides than recommended or scored"), _another_decides),
        Check(_("No call gave more than its envelope"), _envelopes_hold),
        Check(_("Every decision is what the audit chain says of it"), _decisions_stand),
        Check(_("Every score sheet is what the audit chain says of it"), _sheets_stand),
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


def _decisions_stand() -> CheckResult:
    """Compare each decision with its event: who, when, how much, why. One SQL statement."""
    rows = (
        select(Decision, Application.ref, AuditEvent)
        .join(Application, Application.id == Decision.application_id)
        .outerjoin(
            AuditEvent,
            (AuditEvent.case_id == Decision.application_id)
            & AuditEvent.action.in_(DECIDED)
            & (AuditEvent.facts["decision"].astext == cast(Decision.id, String)),
        )
        .order_by(Application.ref)
        .execution_options(yield_per=BATCH, populate_existing=True)
    )
    count, bad = 0, []
    for decision, ref, event in session.execute(rows):
        count += 1
        if event is None:
            bad.append(_("The decision on %(ref)s is not in the chain.", ref=ref))
        elif not _is_told(decision, event):
            bad.append(_("The decision on %(ref)s is not the one in the chain.", ref=ref))
    return CheckResult(count, bad)


def _is_told(decision: Decision, event: AuditEvent) -> bool:
    """Say whether the event tells of this decision. The first events had no digest of reasons."""
    return (
        event.actor_id == decision.decided_by_id
        and at_once(event, decision.decided_at)
        and decision.approved is (event.action == "decision.approved")
        and decision.amount_usd == (event.facts.get("usd", 0) if decision.approved else 0)
        and decision.rule == (event.rule or "")
        and event.facts.get("reasons") in {None, decision.reasons_digest}
    )


def _sheets_stand() -> CheckResult:
    """Compare each score sheet with its event: who, when, points and words. One SQL statement."""
    count, bad = 0, []
    asked = text(SHEETS).bindparams(seconds=SAME_MOMENT.total_seconds())
    for row in session.execute(asked.execution_options(yield_per=BATCH)):
        count += 1
        said = {"scores": row.scores or {}, "comment": row.comment}
        if not row.fits or sha256_hex(canonical_json(said)) != row.digest:
            bad.append(_("A score sheet on %(ref)s is not the one in the chain.", ref=row.ref))
    return CheckResult(count, bad)
