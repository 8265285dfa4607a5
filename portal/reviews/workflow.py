"""The tables of what may happen to score sheets and recommendations."""

from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow
from portal.reviews import policy
from portal.reviews.models import (
    Recommendation,
    RecommendationAction,
    RecommendationStatus,
    ScoreSheet,
    SheetAction,
    SheetStatus,
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
                criterion=_(criterion.title),
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
