"""What the paying agent did: paid, not paid, came back; and the grantee's word (R24)."""

from datetime import date

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.queries import representatives
from portal.awards.models import InstalmentStatus
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.service import payment_returned
from portal.payments.models import ApprovalStep, OrderAction, OrderStatus, PaymentOrder
from portal.payments.rails import RAILS, Answer, Outcome
from portal.payments.service.booking import book_advance
from portal.payments.service.orders import hold
from portal.payments.service.resting import is_used
from portal.payments.service.telling import tell
from portal.payments.workflow import ORDER_WORKFLOW


def confirm(order: PaymentOrder, *, reference: str, paid_on: date, by: Person) -> None:
    """Record that the agent paid on the day `paid_on`, and book it in the same transaction.

    The same again changes nothing. Raises Refused without the agent's reference, for a day in the
    future or before the release, for a signatory of the order, or for an order that is not with
    the agent.
    """
    hold(order)
    if order.status is OrderStatus.CONFIRMED:
        session.refresh(order, ["agent_reference", "paid_on"])
        if (order.agent_reference, order.paid_on) == (reference.strip(), paid_on):
            return
    ORDER_WORKFLOW.check(order, OrderAction.CONFIRM, by)
    said = _ingest(order, Answer(Outcome.SETTLED, paid_on, reference=reference))
    instalment = order.instalment
    with session.no_autoflush:  # the database wants status, person and moment at once
        order.agent_reference, order.paid_on = said.reference, said.on
        order.confirmed_by_id, order.confirmed_at = by.id, clock.now()
        instalment.status, instalment.paid_usd = InstalmentStatus.PAID, order.amount_usd
        ORDER_WORKFLOW.perform(
            order,
            OrderAction.CONFIRM,
            by=by,
            rule="R24",
            facts={"digest": order.digest, "amount_usd": order.amount_usd},
            event=f"instalment.paid:{instalment.number}",
        )
    book_advance(order, said.on, through=AccountKind.PAYING_AGENTS, by=by)
    session.flush()
    application = instalment.award.application
    tell(representatives(application.organisation_id), "payment_made", application, order.id)


def reject_order(order: PaymentOrder, remark: str, *, by: Person) -> None:
    """Record that the agent did not pay, or the bank's written word that it will not.

    What was booked as on its way is taken back; a new attempt needs new signatures. The same
    again changes nothing. Raises Refused.
    """
    hold(order)
    said = _ingest(order, Answer(Outcome.REJECTED, clock.today(), remark=remark))
    if order.status is OrderStatus.REJECTED and order.remark == said.remark:
        return
    ORDER_WORKFLOW.check(order, OrderAction.REJECT, by)
    with session.no_autoflush:
        order.remark = said.remark
        order.instalment.status = InstalmentStatus.PLANNED
        ORDER_WORKFLOW.perform(order, OrderAction.REJECT, by=by, rule="R24")
    if ledger.find(order.booking_ref) is not None:
        payment_returned(order.booking_ref, clock.today(), by=by.id, case_id=order.case_id)
    session.flush()


def return_order(order: PaymentOrder, remark: str, *, on: date, by: Person) -> None:
    """Record that a confirmed payment came back to the agent on the day `on`.

    The booking is reversed and the money set aside again; a new attempt needs new signatures.
    The same again changes nothing. Raises Refused, also once spending was accepted against it or
    a later instalment rests on it.
    """
    hold(order)
    said = _ingest(order, Answer(Outcome.RETURNED, on, remark=remark))
    if order.status is OrderStatus.RETURNED and order.remark == said.remark:
        return
    ORDER_WORKFLOW.check(order, OrderAction.RETURN, by)
    if is_used(order):
        raise Refused(
            _("Spending or a later payment rests on this one: record a refund instead."),
            rule="R25",
        )
    if order.paid_on is not None and said.on < order.paid_on:
        raise Refused(_("The day is before the payment."), rule="R24")
    with session.no_autoflush:
        order.returned_on, order.remark = said.on, said.remark
        order.instalment.status, order.instalment.paid_usd = InstalmentStatus.PLANNED, 0
        ORDER_WORKFLOW.perform(
            order, OrderAction.RETURN, by=by, rule="R24", facts={"amount_usd": order.amount_usd}
        )
    payment_returned(order.booking_ref, said.on, by=by.id, case_id=order.case_id)
    session.flush()


def acknowledge(order: PaymentOrder, *, by: Person) -> None:
    """Record the grantee's word that the money arrived. Doing it twice changes nothing."""
    if not applications.is_member(by, order.instalment.award.application):
        raise Refused(_("The grantee says that the money arrived."))
    hold(order)
    session.refresh(order, ["acknowledged_at"])
    if order.status is not OrderStatus.CONFIRMED:
        raise Refused(_("This payment was not confirmed yet."))
    if order.acknowledged_at is not None:
        return
    order.acknowledged_at = clock.now()
    order.acknowledged_by_id = by.id
    audit.record(
        "payment_order.acknowledged",
        order,
        actor_id=by.id,
        case_id=order.case_id,
        facts={"amount_usd": order.amount_usd},
    )


def _ingest(order: PaymentOrder, said: Answer) -> Answer:
    released = next(
        (each.at.date() for each in order.approvals if each.step is ApprovalStep.RELEASE),
        order.prepared_at.date(),
    )
    return RAILS[order.rail].ingest(said, released_on=released)
