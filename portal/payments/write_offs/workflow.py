"""What moves a proposal to write off: the one table behind services, buttons and tests."""

from portal.core.i18n import _l
from portal.core.workflow import Transition, Workflow
from portal.payments.write_offs import policy
from portal.payments.write_offs.models import (
    OPEN_WRITE_OFF,
    WriteOff,
    WriteOffAction,
    WriteOffStatus,
)

WRITE_OFF_WORKFLOW: Workflow[WriteOff] = Workflow(
    "write_off",
    [
        Transition(
            WriteOffAction.APPROVE,
            {WriteOffStatus.PROPOSED},
            WriteOffStatus.APPROVED_ONCE,
            policy.can_approve,
            _l("Approve the write-off"),
        ),
        Transition(
            WriteOffAction.AUTHORISE,
            {WriteOffStatus.APPROVED_ONCE},
            WriteOffStatus.APPROVED,
            policy.can_authorise,
            _l("Approve the write-off for good"),
        ),
        Transition(
            WriteOffAction.REJECT,
            set(OPEN_WRITE_OFF),
            WriteOffStatus.REJECTED,
            policy.can_reject,
            _l("Do not approve"),
        ),
        Transition(
            WriteOffAction.WITHDRAW,
            set(OPEN_WRITE_OFF),
            WriteOffStatus.WITHDRAWN,
            policy.can_withdraw,
            _l("Withdraw the proposal"),
        ),
    ],
)
