"""The one table of what may happen to an award, by whom, from where to where."""

from collections.abc import Collection

from portal.awards import policy
from portal.awards.models import Award, AwardAction, AwardStatus
from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow

Action = AwardAction
Status = AwardStatus


def budget_equals_award(award: Award) -> str | None:
    """Refuse while the budget is not the award (R18)."""
    if not award.needs_revised_budget:
        return None
    return _("First bring the budget down to the amount of the award.")


def document_issued(award: Award) -> str | None:
    """Refuse while there is nothing to sign."""
    return None if award.agreement else _("The document to sign has not been issued yet.")


def stages(award: Award) -> Collection[str]:
    """Return the stages of the fund's process: rows of other stages do not exist for it."""
    return award.fund.process.stages


WORKFLOW: Workflow[Award] = Workflow(
    "award",
    [
        Transition(
            Action.ACCEPT,
            {Status.OFFERED},
            Status.ACCEPTED,
            policy.can_sign,
            _l("Accept the award"),
            requires=(budget_equals_award, document_issued),
            stage="agreement",
        ),
        Transition(
            Action.ACCEPT,
            {Status.OFFERED},
            Status.ACTIVE,
            policy.can_sign,
            _l("Accept the award"),
            requires=(budget_equals_award, document_issued),
            stage="travel",
        ),
        Transition(
            Action.DECLINE,
            {Status.OFFERED},
            Status.DECLINED,
            policy.can_sign,
            _l("Decline the award"),
        ),
        Transition(
            Action.COUNTERSIGN,
            {Status.ACCEPTED},
            Status.ACTIVE,
            policy.can_countersign,
            _l("Countersign the agreement"),
            stage="agreement",
        ),
        Transition(
            Action.SUSPEND,
            {Status.ACTIVE},
            Status.SUSPENDED,
            policy.can_manage,
            _l("Suspend the grant"),
        ),
        Transition(
            Action.RESUME,
            {Status.SUSPENDED},
            Status.ACTIVE,
            policy.can_countersign,
            _l("Lift the suspension"),
        ),
        Transition(
            Action.TERMINATE,
            {Status.ACTIVE, Status.SUSPENDED},
            Status.TERMINATED,
            policy.can_countersign,
            _l("Terminate the grant"),
        ),
        Transition(
            Action.CANCEL,
            {Status.OFFERED, Status.ACCEPTED},
            Status.CANCELLED,
            policy.can_countersign,
            _l("Cancel the award"),
        ),
        Transition(
            Action.CLOSE,
            {Status.ACTIVE, Status.TERMINATED},
            Status.CLOSED,
            policy.can_manage,
            _l("Close the file"),
            stage="closure",
        ),
    ],
    stages=stages,
)
