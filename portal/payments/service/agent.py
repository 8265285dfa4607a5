"""What the paying agent did: paid, not paid, and the grantee's word that money arrived (R24)."""

from datetime import date

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.queries import representatives
from portal.awards.models import InstalmentStatus
from portal.core import audit, clock, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.ledger.service import advance_paid
from portal.payments.models import OrderAction, OrderStatus, PaymentOrder
from portal.payments.service.orders import hold
from portal.payments.workflow import ORDER_WORKFLOW


def confirm(order: PaymentOrder, *, reference: str, paid_on: date, by: Person) -> None:
    """Record that the agent paid on the day `paid_on`, and book it in the same transaction.

    Raises Refused without the agent's reference, for a day in the future or before the release,
    for a signatory of the order, or for an order that is not with the agent.
    """
    words = normalise(reference).strip()
    hold(order)
    ORDER_WORKFLOW.check(order, OrderAction.CONFIRM, by)
    if not words:
        raise Refused(_("Give the paying agent's reference."), rule="R24")
    if paid_on > clock.today():
        raise Refused(_("The day of payment is in the future."), rule="R24")
    if paid_on < order.prepared_at.date():
        raise Refused(_("The day of payment is before the order was prepared."), rule="R24")
    instalment = order.instalment
    award = instalment.award
    order.agent_reference = words
    order.paid_on = paid_on
    order.confirmed_by_id = by.id
    order.confirmed_at = clock.now()
    instalment.status = InstalmentStatus.PAID
    instalment.paid_usd = order.amount_usd
    ORDER_WORKFLOW.perform(
        order,
        OrderAction.CONFIRM,
        by=by,
        rule="R24",
        facts={"digest": order.digest, "amount_usd": order.amount_usd},
        event=f"instalment.paid:{instalment.number}",
    )
    advance_paid(
        award.application.call.fund_code,
        award.ref,
        order.money,
        order.money,
        order.ref,
        paid_on,
        by=by.id,
        case_id=order.case_id,
        through=AccountKind.BANK,
    )
    session.flush()
    _tell(order, "payment_made")


def reject_order(order: PaymentOrder, remark: str, *, by: Person) -> None:
    """Record that the agent did not pay. A new attempt needs new signatures. Raises Refused."""
    words = normalise(remark).strip()
    if not words:
        raise Refused(_("Say why the paying agent did not pay."), rule="R24")
    hold(order)
    ORDER_WORKFLOW.perform(order, OrderAction.REJECT, by=by, rule="R24")
    order.remark = words
    order.instalment.status = InstalmentStatus.PLANNED
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
    session.flush()
    audit.record(
        "payment_order.acknowledged",
        order,
        actor_id=by.id,
        case_id=order.case_id,
        facts={"amount_usd": order.amount_usd},
    )


def _tell(order: PaymentOrder, template: str) -> None:
    application = order.instalment.award.application
    for person in representatives(application.organisation_id):
        outbox.queue(
            person.email,
            template,
            key=f"{template}:{order.id}:{person.id}",
            link=f"/files/{application.ref}/payments",
            locale=person.language,
            person_id=person.id,
            reference=application.ref,
        )
