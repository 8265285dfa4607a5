"""Reads of what came back too late by card, and waits until somebody says what it is."""

from sqlalchemy import ScalarSelect, func, select

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core.db import session
from portal.payments.models import LateReturn, PaymentOrder


def late_return(order: PaymentOrder) -> LateReturn | None:
    """Return what came back of an order too late, where something of it waits. One statement."""
    rows = select(LateReturn).where(
        LateReturn.order_id == order.id, LateReturn.amount_usd > LateReturn.refunded_usd
    )
    return session.scalar(rows)


def waits_of(award: Award) -> PaymentOrder | None:
    """Return a payment of a grant of which something waits. One SQL statement."""
    rows = (
        select(PaymentOrder)
        .join(LateReturn, LateReturn.order_id == PaymentOrder.id)
        .join(PaymentOrder.instalment)
        .where(Instalment.award_id == award.id, LateReturn.amount_usd > LateReturn.refunded_usd)
        .order_by(PaymentOrder.ref)
    )
    return session.scalars(rows).first()


def first_waiting(person: Person) -> ScalarSelect[str | None]:
    """Return the order of one that waits and that the person sees, for a statement to hold."""
    visible = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    return (
        select(func.min(PaymentOrder.ref))
        .select_from(LateReturn)
        .join(LateReturn.order)
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .where(LateReturn.amount_usd > LateReturn.refunded_usd)
        .where(Award.application_id.in_(visible))
        .scalar_subquery()
    )
