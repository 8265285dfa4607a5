"""Who may bring in what the bank says: nobody for a payment that they signed.

The portal believes what a file of the bank says, and somebody who releases a payment could write
one that calls it paid. Whoever signed a payment says nothing of what became of it, as with paying
agents (R24). No fund is stuck by that: its finance officers, who sign no payment, bring in the
bank's files like treasury does, and the bank's folder is read without anybody.
"""

from collections.abc import Collection
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import PaymentApproval, PaymentFile, PaymentOrder
from portal.payments.statements import service as statements
from portal.payments.statements.models import StatementLine


def refuse_signatory(refs: Collection[str], by: Person | None) -> None:
    """Raise Refused where the person signed one of the payments `refs`. One SQL statement.

    `by` is None for the bank's folder and for commands.
    """
    if by is not None and refs:
        _refuse(by, PaymentOrder.ref.in_(refs))


def bring_statement(stream: BinaryIO, *, by: Person | None) -> list[statements.Imported]:
    """Take in a file of statements, as `import_statement` does, from somebody who may.

    Raises Refused, and keeps nothing, where the person signed a payment that it tells of.
    """
    with session.begin_nested():
        done = statements.import_statement(stream, by=by)
        if by is not None:
            _refuse(by, _told_by([each.statement.id for each in done if each.is_new]))
        return done


def _told_by(imported: Collection[UUID]) -> ColumnElement[bool]:
    """Return whether lines of these statements tell of a payment, alone or with its whole file."""
    lines = StatementLine.statement_id.in_(imported)
    files = select(PaymentFile.id).join(
        StatementLine, StatementLine.batch_id == PaymentFile.message_id
    )
    return or_(
        PaymentOrder.ref.in_(select(StatementLine.end_to_end_id).where(lines)),
        PaymentOrder.id.in_(select(StatementLine.order_id).where(lines)),
        PaymentOrder.file_id.in_(files.where(lines)),
    )


def _refuse(by: Person, theirs: ColumnElement[bool]) -> None:
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
