"""The one table of what may happen to an amendment, by whom, from where to where."""

from collections.abc import Collection

from portal.awards.amendments import policy
from portal.awards.amendments.models import Amendment, AmendmentAction, AmendmentStatus
from portal.awards.models import AwardStatus
from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow

Action = AmendmentAction
Status = AmendmentStatus


def award_is_active(amendment: Amendment) -> str | None:
    """Refuse while the grant is suspended, and once it has ended."""
    status = amendment.award.status
    if status is AwardStatus.ACTIVE:
        return None
    return _("The grant is “%(status)s”: it is not amended.", status=status.label)


def stages(amendment: Amendment) -> Collection[str]:
    """Return the stages of the fund's process: where there is no agreement, nothing is amended."""
    return amendment.award.fund.process.stages


AMENDMENT_WORKFLOW: Workflow[Amendment] = Workflow(
    "amendment",
    [
        Transition(
            Action.PROPOSE,
            {Status.ASKED},
            Status.PROPOSED,
            policy.can_manage,
            _l("Propose the amendment"),
            requires=(award_is_active,),
            stage="agreement",
        ),
        Transition(
            Action.ACCEPT,
            {Status.PROPOSED},
            Status.ACCEPTED,
            policy.can_sign,
            _l("Accept the amendment"),
            requires=(award_is_active,),
            stage="agreement",
        ),
        Transition(
            Action.COUNTERSIGN,
            {Status.ACCEPTED},
            Status.IN_FORCE,
            policy.can_countersign,
            _l("Countersign the amendment"),
            requires=(award_is_active,),
            stage="agreement",
        ),
        Transition(
            Action.DECLINE,
            {Status.ASKED},
            Status.DECLINED,
            policy.can_manage,
            _l("Decline the request"),
            stage="agreement",
        ),
        Transition(
            Action.DECLINE,
            {Status.PROPOSED},
            Status.DECLINED,
            policy.can_sign,
            _l("Decline the amendment"),
            stage="agreement",
        ),
        Transition(
            Action.DECLINE,
            {Status.ACCEPTED},
            Status.DECLINED,
            policy.can_countersign,
            _l("Decline the amendment"),
            stage="agreement",
        ),
        Transition(
            Action.WITHDRAW,
            {Status.ASKED},
            Status.WITHDRAWN,
            policy.asks,
            _l("Withdraw the request"),
            stage="agreement",
        ),
        Transition(
            Action.WITHDRAW,
            {Status.PROPOSED, Status.ACCEPTED},
            Status.WITHDRAWN,
            policy.can_manage,
            _l("Withdraw the amendment"),
            stage="agreement",
        ),
    ],
    stages=stages,
)
