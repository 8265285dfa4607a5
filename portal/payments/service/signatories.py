"""Whoever signed a payment says nothing of what became of it, nor the other way round (R24).

The portal believes what a file of the bank says, and somebody who releases a payment could write
one that calls it paid. No fund is stuck by that: its finance officers, who sign no payment, bring
in the bank's files like treasury does, and the bank's folder is read without anybody.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import PaymentApproval, PaymentOrder
from portal.payments.unmade import barred


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

    See `portal.payments.unmade`.
    """
    why = barred(by, [order]).get(order.id)
    if why is not None:
        raise Refused(why, rule="R24")
