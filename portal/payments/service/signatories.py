"""Whoever signed a payment says nothing of what became of it, nor the other way round (R24).

The portal believes what a file of the bank says, and somebody who releases a payment could write
one that calls it paid. No fund is stuck by that: its finance officers, who sign no payment, bring
in the bank's files like treasury does, and the bank's folder is read without anybody.

Whoever says by their own word that a payment was not made signs no later attempt to make it. Who
brings in a file of the bank may: the file is kept as it came, and the bank can be asked for it.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, any_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.accounts.models import Person
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import BankMessage, PaymentApproval, PaymentOrder
from portal.payments.statements.models import Allocation, Purpose, ReturnProposal

UNMADE = ("payment_order.reject", "payment_order.return")


def refuse_signatory(refs: Collection[str], by: Person | None) -> None:
    """Raise Refused where the person signed one of the payments `refs`. One SQL statement.

    `by` is None for the bank's folder and for commands.
    """
    if by is not None and refs:
        refuse_signatory_of(PaymentOrder.ref.in_(refs), by)


def refuse_signatory_of(theirs: ColumnElement[bool], by: Person) -> None:
    """Raise Refused where the person signed a payment for which `theirs` holds. One statement."""
    signed = select(PaymentOrder.ref).join(PaymentOrder.approvals)
    ref = session.scalar(signed.where(theirs, PaymentApproval.person_id == by.id).limit(1))
    if ref is not None:
        raise Refused(
            _(
                "This file tells of payment %(ref)s, which you signed. Somebody who did not sign "
                "these payments takes in the bank's answer: a finance officer of the fund can.",
                ref=ref,
            ),
            rule="R24",
        )


def refuse_signatory_of_attempts(refs: Collection[str], by: Person) -> None:
    """Raise Refused where the person signed any attempt to pay what the payments `refs` pay.

    Whoever signs the next attempt must not be the one who says that the last one was not made. One
    SQL statement.
    """
    if not refs:
        return
    told = aliased(PaymentOrder)
    signed = (
        select(PaymentOrder.ref)
        .join(PaymentOrder.approvals)
        .join(told, told.instalment_id == PaymentOrder.instalment_id)
        .where(told.ref.in_(refs), PaymentApproval.person_id == by.id)
    )
    ref = session.scalar(signed.limit(1))
    if ref is not None:
        raise Refused(
            _(
                "You signed payment %(ref)s. Somebody who did not sign it says what became of it: "
                "a finance officer of the fund can.",
                ref=ref,
            ),
            rule="R24",
        )


def refuse_who_unmade(order: PaymentOrder, by: Person) -> None:
    """Raise Refused where the person said that an earlier attempt was not made. One SQL statement.

    They would pay anew by signing what they alone made payable.
    """
    earlier = aliased(PaymentOrder)
    rows = select(earlier.ref).where(
        earlier.instalment_id == order.instalment_id,
        earlier.attempt < order.attempt,
        said_unmade(earlier, by.id),
    )
    ref = session.scalar(rows.limit(1))
    if ref is not None:
        raise Refused(
            _(
                "You said of payment %(ref)s, an earlier attempt, that it was not made. Somebody "
                "else signs this one.",
                ref=ref,
            ),
            rule="R24",
        )


def said_unmade(
    order: type[PaymentOrder], person_id: UUID | InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """Return whether a person said, by their own word, that a payment was not made or came back.

    By hand, of a line of the bank, as the first or the second of two; or saw to what the bank said
    of it, after which it counts as not made. What was withdrawn or undone counts no more.
    """
    return or_(
        exists().where(
            AuditEvent.subject_id == order.id,
            AuditEvent.action.in_(UNMADE),
            AuditEvent.actor_id == person_id,
        ),
        exists().where(
            ReturnProposal.order_id == order.id,
            ReturnProposal.by_id == person_id,
            ReturnProposal.withdrawn_at.is_(None),
        ),
        exists().where(
            Allocation.order_id == order.id,
            Allocation.purpose == Purpose.RETURN,
            Allocation.by_id == person_id,
            Allocation.undone_at.is_(None),
        ),
        exists().where(
            order.ref == any_(BankMessage.perhaps_paid), BankMessage.seen_by_id == person_id
        ),
    )
