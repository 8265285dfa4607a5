"""The tables of what may happen to bank details, payment orders and receivables."""

from portal.accounts.models import Person
from portal.core import clock
from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow
from portal.payments import policy
from portal.payments.holding import may_have_left
from portal.payments.models import (
    STANDING,
    UNVERIFIED,
    BankAccount,
    BankAccountAction,
    BankAccountStatus,
    BankAction,
    BankDetails,
    BankStatus,
    OrderAction,
    OrderStatus,
    PaymentOrder,
)
from portal.payments.rails import AGENT, STRIPE
from portal.payments.rules import SILENT_AFTER, is_silent


def _enters(person: Person, details: BankDetails) -> bool:
    return policy.can_enter(person, details.award.application)


ACCOUNT_WORKFLOW: Workflow[BankAccount] = Workflow(
    "bank_account",
    [
        Transition(
            BankAccountAction.CONFIRM,
            {BankAccountStatus.PROPOSED},
            BankAccountStatus.IN_USE,
            policy.can_confirm_account,
            _l("Confirm the account"),
        ),
        Transition(
            BankAccountAction.CLOSE,
            {BankAccountStatus.PROPOSED, BankAccountStatus.IN_USE},
            BankAccountStatus.CLOSED,
            policy.can_close_account,
            _l("Take the account out of use"),
        ),
    ],
)

BANK_WORKFLOW: Workflow[BankDetails] = Workflow(
    "bank_details",
    [
        Transition(
            BankAction.VERIFY,
            set(UNVERIFIED),
            BankStatus.VERIFIED,
            policy.can_check,
            _l("Verify bank details"),
        ),
        Transition(
            BankAction.REJECT,
            set(STANDING),
            BankStatus.REJECTED,
            policy.can_check,
            _l("Do not accept"),
        ),
        Transition(
            BankAction.REPLACE,
            set(STANDING),
            BankStatus.REPLACED,
            _enters,
            _l("Replace bank details"),
        ),
    ],
)

ONE_APPROVAL = "one_approval"
TWO_APPROVALS = "two_approvals"
"""Which rows an order has: by its amount when it was prepared."""


def told_by_itself(order: PaymentOrder) -> str | None:
    """Return why a person does not say what bank or card processor tell themselves, or None."""
    if order.rail == AGENT.name:
        return None
    if order.rail == STRIPE.name:
        return _("The card processor tells by itself what became of it: nobody else can know.")
    return _("The answer comes from the bank: take in its statement.")


def while_the_bank_may_answer(order: PaymentOrder) -> str | None:
    """Return why nobody may call a payment dead yet, or None: unknown is not failed.

    What is in a file may have left, whether or not that says so, and so may what the card
    processor was to be asked for.
    """
    if order.rail == AGENT.name or not may_have_left(order):
        return None
    if order.file is None:
        return told_by_itself(order)
    if is_silent(order.accepted_at or order.file.sent_at or order.file.leaving_at, clock.now()):
        return None
    return _(
        "The bank still has time to answer. Once it has been silent for %(days)s days, record "
        "its written word that it has not paid and will not pay.",
        days=SILENT_AFTER.days,
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
            stage=ONE_APPROVAL,
        ),
        Transition(
            OrderAction.APPROVE,
            {OrderStatus.CERTIFIED},
            OrderStatus.APPROVED_ONCE,
            policy.can_approve,
            _l("Approve the entry"),
            stage=TWO_APPROVALS,
        ),
        Transition(
            OrderAction.APPROVE_AGAIN,
            {OrderStatus.APPROVED_ONCE},
            OrderStatus.APPROVED,
            policy.can_approve_again,
            _l("Approve the entry a second time"),
            stage=TWO_APPROVALS,
        ),
        Transition(
            OrderAction.RELEASE,
            {OrderStatus.APPROVED},
            OrderStatus.RELEASED,
            policy.can_release,
            _l("Release the payment"),
        ),
        Transition(
            OrderAction.CONFIRM,
            {OrderStatus.RELEASED},
            OrderStatus.CONFIRMED,
            policy.can_confirm,
            _l("Record the payment"),
            requires=(told_by_itself,),
        ),
        Transition(
            OrderAction.REJECT,
            {OrderStatus.RELEASED},
            OrderStatus.REJECTED,
            policy.can_confirm,
            _l("Record that it was not paid"),
            requires=(while_the_bank_may_answer,),
        ),
        Transition(
            OrderAction.RETURN,
            {OrderStatus.CONFIRMED},
            OrderStatus.RETURNED,
            policy.can_confirm,
            _l("Record that it came back"),
            requires=(told_by_itself,),
        ),
        Transition(
            OrderAction.CANCEL,
            {
                OrderStatus.PREPARED,
                OrderStatus.CERTIFIED,
                OrderStatus.APPROVED_ONCE,
                OrderStatus.APPROVED,
            },
            OrderStatus.CANCELLED,
            policy.can_cancel,
            _l("Cancel the order"),
        ),
    ],
    stages=lambda order: {TWO_APPROVALS if order.second_approval else ONE_APPROVAL},
)
