"""The one table of what may happen to a report, by whom, from where to where."""

from portal.core.i18n import _l
from portal.core.workflow import Transition, Workflow
from portal.reports import policy
from portal.reports.models import Report, ReportAction, ReportStatus

Action = ReportAction
Status = ReportStatus

WORKFLOW: Workflow[Report] = Workflow(
    "report",
    [
        Transition(
            Action.SUBMIT,
            {Status.DUE, Status.RETURNED},
            Status.SUBMITTED,
            policy.can_submit,
            _l("Submit report"),
        ),
        Transition(
            Action.RETURN,
            {Status.SUBMITTED},
            Status.RETURNED,
            policy.can_review,
            _l("Return with comments"),
        ),
        Transition(
            Action.ACCEPT,
            {Status.SUBMITTED},
            Status.ACCEPTED,
            policy.can_review,
            _l("Accept report"),
        ),
    ],
)
