"""Who said by their own word that a payment was not made: they sign no later attempt (R24).

They would pay anew what they alone made payable. Who brings in a file of the bank may sign: the
file is kept as it came, and the bank can be asked for it.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

from portal.accounts.models import Person, RoleGrant
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _
from portal.payments import policy
from portal.payments.models import BankMessage, LateOutcome, LateReturn, LateWay, PaymentOrder
from portal.payments.statements.models import Allocation, Purpose, ReturnProposal

SAYING_SO = ("payment_order.reject", "payment_order.return")


def barred(person: Person, orders: Collection[PaymentOrder]) -> dict[UUID, str]:
    """Return which of these orders the person must not sign next, each with why in a sentence.

    One SQL statement, and none for whoever signs no payment and where all are first attempts.
    """
    signed = {
        order.id: policy.SIGNS[policy.AWAITS[order.status]].label
        for order in orders
        if order.attempt > 1 and order.status in policy.AWAITS
    }
    if not signed or not person.holds_any(*policy.SIGNS.values()):
        return {}
    earlier = aliased(PaymentOrder)
    rows = (
        select(PaymentOrder.id, earlier.ref)
        .join(earlier, _said_before(earlier, person.id))
        .where(PaymentOrder.id.in_(signed))
        .order_by(earlier.attempt)
    )
    return {
        order_id: _(
            "You said of payment %(ref)s, an earlier attempt, that it was not made. Somebody else "
            "signs this one, in the role “%(role)s”.",
            ref=ref,
            role=signed[order_id],
        )
        for order_id, ref in session.execute(rows)
    }


def is_barred(person: Person) -> ColumnElement[bool]:
    """Return whether the person must not sign an order next: `barred` as a condition."""
    earlier = aliased(PaymentOrder)
    return and_(
        PaymentOrder.status.in_(policy.AWAITS), exists().where(_said_before(earlier, person.id))
    )


def somebody_signs(order: PaymentOrder) -> bool:
    """Say whether anybody may set the signature that an order waits for. One SQL statement.

    Without one, nobody is told of it: it is in nobody's queue.
    """
    step = policy.AWAITS[order.status]
    earlier = aliased(PaymentOrder)
    rows = (
        select(Person)
        .where(
            Person.deactivated_at.is_(None),
            Person.roles.any(RoleGrant.role == policy.SIGNS[step]),
            ~exists().where(PaymentOrder.id == order.id, _said_before(earlier, Person.id)),
        )
        .options(joinedload(Person.roles), joinedload(Person.memberships))
    )
    return any(policy.can_sign(each, order, step) for each in session.scalars(rows).unique())


def _said_before(
    earlier: type[PaymentOrder], person_id: UUID | InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    return and_(
        earlier.instalment_id == PaymentOrder.instalment_id,
        earlier.attempt < PaymentOrder.attempt,
        said_unmade(earlier, person_id),
    )


def said_unmade(
    order: type[PaymentOrder], person_id: UUID | InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """Return whether a person said, by their own word, that a payment was not made or came back.

    By hand, of a line of the bank, or of money that came back late by card, as the first or the
    second of two; or saw to what the bank said of it, after which it counts as not made. What was
    withdrawn or undone counts no more.
    """
    return or_(
        exists()
        .where(
            AuditEvent.subject_id == order.id,
            AuditEvent.action.in_(SAYING_SO),
            AuditEvent.actor_id == person_id,
        )
        .correlate_except(AuditEvent),
        exists()
        .where(
            ReturnProposal.order_id == order.id,
            ReturnProposal.by_id == person_id,
            ReturnProposal.withdrawn_at.is_(None),
        )
        .correlate_except(ReturnProposal),
        exists()
        .where(
            Allocation.order_id == order.id,
            Allocation.purpose == Purpose.RETURN,
            Allocation.by_id == person_id,
            Allocation.undone_at.is_(None),
        )
        .correlate_except(Allocation),
        exists()
        .where(
            LateReturn.order_id == order.id,
            LateOutcome.late_id == LateReturn.id,
            LateOutcome.way == LateWay.AGAIN,
            LateOutcome.booking_ref != "",
            or_(LateOutcome.by_id == person_id, LateOutcome.confirmed_by_id == person_id),
        )
        .correlate_except(LateReturn, LateOutcome),
        exists()
        .where(
            order.ref == any_(BankMessage.perhaps_paid),
            BankMessage.seen_by_id == person_id,
        )
        .correlate_except(BankMessage),
    )
