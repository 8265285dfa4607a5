"""The tables of what may happen to score sheets and recommendations."""

from portal.core.i18n import _, _l, translated
from portal.core.workflow import Transition, Workflow
from portal.reviews import policy
from portal.reviews.models import (
    Recommendation,
    RecommendationAction,
    RecommendationStatus,
    ScoreSheet,
    SheetAction,
    SheetStatus,
    Verdict,
)


def every_point_given(sheet: ScoreSheet) -> str | None:
    """Refuse while a criterion has no points or no justification (R17)."""
    given = {
        score.criterion
        for score in sheet.scores
        if score.points is not None and score.justification.strip()
    }
    for criterion in sheet.application.fund.criteria:
        if criterion.key not in given:
            return _(
                "Give points and a justification for “%(criterion)s”.",
                criterion=translated(criterion.title),
            )
    return None


def names_somebody(recommendation: Recommendation) -> str | None:
    """Refuse an empty list."""
    if recommendation.lines:
        return None
    return _("There is nothing to recommend: no application has been reviewed yet.")


def gives_reasons(recommendation: Recommendation) -> str | None:
    """Refuse while somebody who is not funded would be told no reason (R20)."""
    for line in recommendation.lines:
        if line.verdict is not Verdict.FUND and not line.reasons.strip():
            return _(
                "Write the reasons for %(ref)s: every applicant who is not funded is told why.",
                ref=line.application.ref,
            )
    return None


SHEET_WORKFLOW: Workflow[ScoreSheet] = Workflow(
    "score_sheet",
    [
        Transition(
            SheetAction.SUBMIT,
            {SheetStatus.DRAFT},
            SheetStatus.SUBMITTED,
            policy.owns,
            _l("Submit scores"),
            requires=(every_point_given,),
        ),
        Transition(
            SheetAction.SET_ASIDE,
            {SheetStatus.DRAFT, SheetStatus.SUBMITTED},
            SheetStatus.SET_ASIDE,
            policy.owns,
            _l("Declare a conflict of interest"),
        ),
    ],
)

RECOMMENDATION_WORKFLOW: Workflow[Recommendation] = Workflow(
    "recommendation",
    [
        Transition(
            RecommendationAction.MAKE,
            {RecommendationStatus.DRAFT},
            RecommendationStatus.MADE,
            policy.can_recommend,
            _l("Put before the approving authority"),
            requires=(names_somebody, gives_reasons),
        ),
        Transition(
            RecommendationAction.APPROVE,
            {RecommendationStatus.MADE},
            RecommendationStatus.APPROVED,
            policy.can_decide,
            _l("Approve the recommendation"),
        ),
        Transition(
            RecommendationAction.SEND_BACK,
            {RecommendationStatus.MADE},
            RecommendationStatus.RETURNED,
            policy.can_decide,
            _l("Send back"),
        ),
    ],
)
