"""The tables of what may happen to bank details, payment orders and receivables."""

from portal.accounts.models import Person
from portal.core.i18n import _l
from portal.core.workflow import Transition, Workflow
from portal.payments import policy
from portal.payments.models import (
    BankAction,
    BankDetails,
    BankStatus,
    OrderAction,
    OrderStatus,
    PaymentOrder,
    Receivable,
    ReceivableAction,
    ReceivableStatus,
)


def _enters(person: Person, details: BankDetails) -> bool:
    return policy.can_enter(person, details.award.application)


BANK_WORKFLOW: Workflow[BankDetails] = Workflow(
    "bank_details",
    [
        Transition(
            BankAction.VERIFY,
            {BankStatus.ENTERED},
            BankStatus.VERIFIED,
            policy.can_check,
            _l("Verify bank details"),
        ),
        Transition(
            BankAction.REJECT,
            {BankStatus.ENTERED, BankStatus.VERIFIED},
            BankStatus.REJECTED,
            policy.can_check,
            _l("Do not accept"),
        ),
        Transition(
            BankAction.REPLACE,
            {BankStatus.ENTERED, BankStatus.VERIFIED},
            BankStatus.REPLACED,
            _enters,
            _l("Replace bank details"),
        ),
    ],
)

ORDER_WORKFLOW: Workflow[PaymentOrder] = Workflow(
    "payment_order",
    [
        Transition(
            OrderAction.CERTIFY,
            {OrderStatus.PREPARED},
            OrderStatus.CERTIFIED,
            policy.can_certify,
            _l("Certify the use of funds"),
        ),
        Transition(
            OrderAction.APPROVE,
            {OrderStatus.CERTIFIED},
            OrderStatus.APPROVED,
            policy.can_approve,
            _l("Approve the entry"),
        ),
        Transition(
            OrderAction.RELEASE,
            {OrderStatus.APPROVED},
            OrderStatus.RELEASED,
            policy.can_release,
            _l("Release to the paying agent"),
        ),
        Transition(
            OrderAction.CONFIRM,
            {OrderStatus.RELEASED},
            OrderStatus.CONFIRMED,
            policy.can_confirm,
            _l("Record the payment"),
        ),
        Transition(
            OrderAction.REJECT,
            {OrderStatus.RELEASED},
            OrderStatus.REJECTED,
            policy.can_confirm,
            _l("Record that it was not paid"),
        ),
        Transition(
            OrderAction.RETURN,
            {OrderStatus.CONFIRMED},
            OrderStatus.RETURNED,
            policy.can_confirm,
            _l("Record that it came back"),
        ),
        Transition(
            OrderAction.CANCEL,
            {OrderStatus.PREPARED, OrderStatus.CERTIFIED, OrderStatus.APPROVED},
            OrderStatus.CANCELLED,
            policy.can_cancel,
            _l("Cancel the order"),
        ),
    ],
)

RECEIVABLE_WORKFLOW: Workflow[Receivable] = Workflow(
    "receivable",
    [
        Transition(
            ReceivableAction.SETTLE,
            {ReceivableStatus.OPEN},
            ReceivableStatus.SETTLED,
            policy.can_settle,
            _l("Record the refund"),
        ),
    ],
)
