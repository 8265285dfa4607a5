"""The tables of what may happen to pledges and to agreements with donors."""

from portal.contributions import policy
from portal.contributions.models import (
    AgreementAction,
    AgreementStatus,
    ContributionAgreement,
    Pledge,
    PledgeAction,
    PledgeStatus,
)
from portal.contributions.models.cards import CardRefund, RefundAction, RefundStatus
from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow

PLEDGE_WORKFLOW: Workflow[Pledge] = Workflow(
    "pledge",
    [
        Transition(
            PledgeAction.WITHDRAW,
            {PledgeStatus.ANNOUNCED},
            PledgeStatus.WITHDRAWN,
            policy.can_withdraw,
            _l("Note that it was withdrawn"),
        ),
    ],
)


def _signed_paper(agreement: ContributionAgreement) -> str | None:
    if agreement.paper is None:
        return _("The signed paper is missing: whoever drafted the agreement adds it first.")
    return None


AGREEMENT_WORKFLOW: Workflow[ContributionAgreement] = Workflow(
    "contribution_agreement",
    [
        Transition(
            AgreementAction.CONFIRM,
            {AgreementStatus.DRAFT},
            AgreementStatus.IN_FORCE,
            policy.can_confirm,
            _l("Confirm the agreement"),
            requires=[_signed_paper],
        ),
        Transition(
            AgreementAction.DISCARD,
            {AgreementStatus.DRAFT},
            AgreementStatus.CANCELLED,
            policy.can_draft,
            _l("Discard the draft"),
        ),
        Transition(
            AgreementAction.CANCEL,
            {AgreementStatus.IN_FORCE},
            AgreementStatus.CANCELLED,
            policy.can_cancel,
            _l("Cancel what is still to come"),
        ),
    ],
)

REFUND_WORKFLOW: Workflow[CardRefund] = Workflow(
    "card_refund",
    [
        Transition(
            RefundAction.CONFIRM,
            {RefundStatus.PROPOSED},
            RefundStatus.ASKED,
            policy.can_confirm_refund,
            _l("Confirm the refund"),
        ),
        Transition(
            RefundAction.WITHDRAW,
            {RefundStatus.PROPOSED},
            RefundStatus.WITHDRAWN,
            policy.can_close_refund,
            _l("Withdraw it"),
        ),
        Transition(
            RefundAction.NOTE,
            {RefundStatus.FAILED},
            RefundStatus.FAILED,
            policy.can_note_refund,
            _l("It was seen to"),
        ),
    ],
)
