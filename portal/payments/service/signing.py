"""Certify, approve, release: three people sign one digest, then the instruction leaves (R23)."""

from portal.accounts.models import Person
from portal.awards.models import AwardStatus
from portal.core import files
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments import rules
from portal.payments.models import (
    ApprovalStep,
    BankStatus,
    OrderAction,
    PaymentApproval,
    PaymentOrder,
)
from portal.payments.rails import AGENT
from portal.payments.service.bank import payee
from portal.payments.service.orders import hold
from portal.payments.workflow import ORDER_WORKFLOW


def certify(order: PaymentOrder, *, by: Person) -> None:
    """Certify the use of funds. Raises Refused for the wrong person or moment."""
    _sign(order, ApprovalStep.CERTIFY, OrderAction.CERTIFY, by)


def approve(order: PaymentOrder, *, by: Person) -> None:
    """Approve the entry. Raises Refused for the wrong person or moment."""
    _sign(order, ApprovalStep.APPROVE, OrderAction.APPROVE, by)


def release(order: PaymentOrder, *, by: Person) -> None:
    """Release the order: the instruction is written, kept with its digest, and leaves.

    Raises Refused for the wrong person or moment.
    """
    _sign(order, ApprovalStep.RELEASE, OrderAction.RELEASE, by)
    award = order.instalment.award
    content = AGENT.prepare(
        {
            "order": order,
            "award": award,
            "application": award.application,
            "payee": payee(order.bank_details),
            "signers": {
                approval.step: session.get_one(Person, approval.person_id).name
                for approval in order.approvals
            },
            "reference": order.ref,
        }
    )
    order.instruction = files.keep_document(
        content, f"instruction-{order.ref}.pdf", by.id, case_id=order.case_id
    )
    session.flush()


def expected_digest(order: PaymentOrder) -> str:
    """Return the digest of what the order says now."""
    return rules.order_digest(
        order_ref=order.ref,
        payee=order.bank_details.fingerprint,
        amount=order.amount,
        currency=order.currency,
        amount_usd=order.amount_usd,
        rail=order.rail,
    )


def _sign(order: PaymentOrder, step: ApprovalStep, action: OrderAction, by: Person) -> None:
    hold(order)
    ORDER_WORKFLOW.check(order, action, by)
    if order.digest != expected_digest(order):
        raise Refused(_("The order was changed after it was prepared. Cancel it."), rule="R23")
    if order.bank_details.status is not BankStatus.VERIFIED:
        raise Refused(_("The bank details of this order no longer stand. Cancel it."), rule="R21")
    if order.instalment.award.status is not AwardStatus.ACTIVE:
        raise Refused(_("The grant is not active, so nothing is paid."), rule="R21")
    order.approvals.append(
        PaymentApproval(order=order, step=step, person_id=by.id, digest=order.digest)
    )
    session.flush()
    ORDER_WORKFLOW.perform(
        order,
        action,
        by=by,
        rule="R23",
        facts={"digest": order.digest, "amount_usd": order.amount_usd},
    )
    session.flush()
