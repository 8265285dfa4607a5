"""Certify, approve, release: three people sign one digest, then the instruction leaves (R23)."""

import base64

from portal.accounts.models import Person
from portal.applications.queries import names
from portal.awards.models import AwardStatus
from portal.core import audit, crypto, files
from portal.core.db import session
from portal.core.i18n import _, _l, locale
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.funds import countries
from portal.payments import policy, rules
from portal.payments.models import (
    ApprovalStep,
    BankStatus,
    OrderAction,
    OrderStatus,
    PaymentApproval,
    PaymentOrder,
)
from portal.payments.rails import RAILS, Leaving
from portal.payments.service.bank import payee
from portal.payments.service.orders import hold
from portal.payments.service.signatories import refuse_who_unmade
from portal.payments.service.unexplained import refuse_unexplained_debit
from portal.payments.workflow import ORDER_WORKFLOW

SIGNED_FOR = {
    ApprovalStep.CERTIFY: _l("the certification"),
    ApprovalStep.APPROVE: _l("the approval"),
    ApprovalStep.APPROVE_AGAIN: _l("the second approval"),
    ApprovalStep.RELEASE: _l("the release"),
}
"""What each signature stands for, as the instruction says it."""


def certify(order: PaymentOrder, *, by: Person) -> None:
    """Certify the use of funds. Twice by the same person is once.

    Raises Refused for the wrong person or moment.
    """
    if _begin(order, ApprovalStep.CERTIFY, OrderAction.CERTIFY, by):
        _move(order, OrderAction.CERTIFY, by)


def approve(order: PaymentOrder, *, by: Person) -> None:
    """Approve the entry. Twice by the same person is once.

    Raises Refused for the wrong person or moment.
    """
    if _begin(order, ApprovalStep.APPROVE, OrderAction.APPROVE, by):
        _move(order, OrderAction.APPROVE, by)


def approve_again(order: PaymentOrder, *, by: Person) -> None:
    """Approve a large payment as the second approving officer. Twice by the same person is once.

    Raises Refused for the wrong person or moment.
    """
    if _begin(order, ApprovalStep.APPROVE_AGAIN, OrderAction.APPROVE_AGAIN, by):
        _move(order, OrderAction.APPROVE_AGAIN, by)


def release(order: PaymentOrder, *, by: Person) -> None:
    """Release the order: what tells the other side to pay is written and kept with its digest.

    It names the account, so it is kept sealed. By the bank, the order waits for the next file.
    Twice by the same person is once. Raises Refused for the wrong person or moment.
    """
    if not _begin(order, ApprovalStep.RELEASE, OrderAction.RELEASE, by):
        return
    rail = RAILS[order.rail]
    if rail.leaving is Leaving.IN_A_FILE:
        _move(order, OrderAction.RELEASE, by)
        return
    content = rail.prepare(_instruction_context(order))
    sealed = crypto.seal(_key(order), base64.b64encode(content).decode(), _place(order))
    name = f"instruction-{order.ref}.pdf"
    order.instruction = files.keep_document(sealed, name, by.id, case_id=order.case_id)
    _move(order, OrderAction.RELEASE, by, instruction=sha256_hex(content))
    if rail.leaving is Leaving.BY_HAND:
        rail.submit(order.ref, content)


def read_instruction(order: PaymentOrder, *, by: Person) -> bytes:
    """Return the instruction as PDF; it names the account, so its reading is an audit event.

    Raises Refused for others than treasury and finance, where no paying agent pays, before the
    release, and once erased.
    """
    if not policy.can_read_instruction(by, order):
        raise Refused(
            _("An instruction is for the paying agent; treasury and finance read it, nobody else.")
        )
    content = instruction_of(order)
    audit.record("payment_order.instruction_read", order, actor_id=by.id, case_id=order.case_id)
    return content


def instruction_of(order: PaymentOrder) -> bytes:
    """Return what was kept at the release, for the portal's own use.

    Raises Refused before the release, and once erased.
    """
    if order.instruction is None:
        raise Refused(_("The instruction is written when the order is released."))
    sealed = files.read_stored(order.instruction)
    try:
        return base64.b64decode(crypto.unseal(_key(order), sealed, _place(order)))
    except crypto.Unreadable as gone:
        raise Refused(_("This instruction can no longer be read.")) from gone


def expected_digest(order: PaymentOrder) -> str:
    """Return the digest of what the order says now."""
    return rules.order_digest(
        order_ref=order.ref,
        payee=order.bank_details.digest,
        amount=order.amount,
        currency=order.currency,
        amount_usd=order.amount_usd,
        rail=order.rail,
    )


def _begin(order: PaymentOrder, step: ApprovalStep, action: OrderAction, by: Person) -> bool:
    """Set the signature, unless the person set it before: then there is nothing more to do."""
    hold(order)
    if any(each.step is step and each.person_id == by.id for each in order.approvals):
        return False
    ORDER_WORKFLOW.check(order, action, by)
    if order.digest != expected_digest(order):
        raise Refused(_("The order was changed after it was prepared. Cancel it."), rule="R23")
    if order.bank_details.status is not BankStatus.VERIFIED:
        raise Refused(_("The bank details of this order no longer stand. Cancel it."), rule="R21")
    if order.instalment.award.status is not AwardStatus.ACTIVE:
        raise Refused(_("The grant is not active, so nothing is paid."), rule="R21")
    refuse_unexplained_debit(order.instalment)
    refuse_who_unmade(order, by)
    session.add(PaymentApproval(order=order, step=step, person_id=by.id, digest=order.digest))
    session.flush()
    return True


def _move(order: PaymentOrder, action: OrderAction, by: Person, **facts: str) -> None:
    row = ORDER_WORKFLOW.find(order, action)
    if row is None:
        raise Refused(_("This payment moved meanwhile. Look at it again."))
    before, order.status = order.status, OrderStatus(row.target)
    audit.record(
        f"payment_order.{action}",
        order,
        actor_id=by.id,
        case_id=order.case_id,
        from_status=before.value,
        to_status=str(row.target),
        rule="R23",
        facts={"digest": order.digest, "amount_usd": order.amount_usd, **facts},
    )


def _instruction_context(order: PaymentOrder) -> dict[str, object]:
    award = order.instalment.award
    people = names(approval.person_id for approval in order.approvals)
    return {
        "order": order,
        "award": award,
        "application": award.application,
        "organisation": award.application.organisation,
        "payee": payee(order.bank_details),
        "country_of_agent": countries.display_name(award.application.country, locale()),
        "signatures_given": [
            {
                "party": str(SIGNED_FOR[approval.step]),
                "name": people[approval.person_id],
                "capacity": str(policy.SIGNS[approval.step].label),
                "at": approval.at,
            }
            for approval in sorted(order.approvals, key=lambda each: each.at)
        ],
        "reference": order.ref,
    }


def _key(order: PaymentOrder) -> crypto.SealingKey:
    return order.instalment.award.application.sealing_key


def _place(order: PaymentOrder) -> str:
    return f"payment_order:{order.id}:instruction"
