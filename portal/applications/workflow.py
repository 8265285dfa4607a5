"""The one table of what may happen to an application, by whom, from where to where (R13)."""

from collections.abc import Collection

from portal.accounts.models import Person, Role
from portal.applications import policy
from portal.applications.models import Application, ApplicationAction, ApplicationStatus
from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow

Action = ApplicationAction
Status = ApplicationStatus


def _approves(person: Person, application: Application) -> bool:
    role = Role(application.fund.process.approving_role)
    return policy.holds(person, role, application) and not policy.is_recused(person, application)


def _recommends(person: Person, application: Application) -> bool:
    role = Role(application.fund.process.recommends_role)
    return policy.holds(person, role, application) and not policy.is_recused(person, application)


def call_still_open(application: Application) -> str | None:
    """Refuse after the deadline, by the server's clock (R7)."""
    if application.call.takes_applications:
        return None
    return _("The call is closed: its deadline has passed by the portal's clock.")


def stages(application: Application) -> Collection[str]:
    """Return the stages of the fund's process: rows of other stages do not exist for it."""
    return application.fund.process.stages


WORKFLOW: Workflow[Application] = Workflow(
    "application",
    [
        Transition(
            Action.SUBMIT,
            {Status.DRAFT},
            Status.SUBMITTED,
            policy.is_representative,
            _l("Submit application"),
            requires=(call_still_open,),
            stage="submission",
        ),
        Transition(
            Action.REOPEN,
            {Status.SUBMITTED},
            Status.DRAFT,
            policy.is_representative,
            _l("Take back to change it"),
            requires=(call_still_open,),
            stage="submission",
        ),
        Transition(
            Action.WITHDRAW,
            {Status.DRAFT, Status.SUBMITTED, Status.CLARIFICATION, Status.IN_REVIEW},
            Status.WITHDRAWN,
            policy.is_representative,
            _l("Withdraw for good"),
        ),
        Transition(
            Action.ASK,
            {Status.SUBMITTED},
            Status.CLARIFICATION,
            policy.is_officer,
            _l("Ask for a clarification"),
            stage="screening",
        ),
        Transition(
            Action.ANSWER,
            {Status.CLARIFICATION},
            Status.SUBMITTED,
            policy.is_member,
            _l("Send the answer"),
            stage="screening",
        ),
        Transition(
            Action.COMPLETE_SCREENING,
            {Status.SUBMITTED},
            Status.IN_REVIEW,
            policy.is_officer,
            _l("Screening is complete"),
            stage="screening",
        ),
        Transition(
            Action.DECLARE_INADMISSIBLE,
            {Status.SUBMITTED, Status.CLARIFICATION},
            Status.INADMISSIBLE,
            policy.is_officer,
            _l("Declare inadmissible"),
            stage="screening",
        ),
        Transition(
            Action.RECOMMEND,
            {Status.IN_REVIEW},
            Status.RECOMMENDED,
            _recommends,
            _l("Put before the approving authority"),
            stage="recommendation",
        ),
        Transition(
            Action.RETURN,
            {Status.RECOMMENDED},
            Status.IN_REVIEW,
            _approves,
            _l("Send back to the body"),
            stage="approval",
        ),
        Transition(
            Action.APPROVE,
            {Status.RECOMMENDED},
            Status.APPROVED,
            _approves,
            _l("Approve"),
            stage="approval",
        ),
        Transition(
            Action.REFUSE,
            {Status.RECOMMENDED},
            Status.REFUSED,
            _approves,
            _l("Refuse"),
            stage="approval",
        ),
    ],
    stages=stages,
)
