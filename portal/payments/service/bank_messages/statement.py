"""Taking in statements of the bank: nobody brings in one that tells of a payment they signed."""

from collections.abc import Collection
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from portal.accounts.models import Person
from portal.core.db import session
from portal.payments.models import PaymentFile, PaymentOrder
from portal.payments.service.signatories import refuse_signatory_of
from portal.payments.statements import service as statements
from portal.payments.statements.models import StatementLine


def bring_statement(stream: BinaryIO, *, by: Person | None) -> list[statements.Imported]:
    """Take in a file of statements, as `import_statement` does, from somebody who may.

    Raises Refused, and keeps nothing, where the person signed a payment that it tells of.
    """
    with session.begin_nested():
        done = statements.import_statement(stream, by=by)
        if by is not None:
            refuse_signatory_of(_told_by([each.statement.id for each in done if each.is_new]), by)
        return done


def _told_by(imported: Collection[UUID]) -> ColumnElement[bool]:
    """Return whether lines of these statements tell of a payment, alone or with its whole file.

    A line that names a payment in its text alone needs no second person to be its return.
    """
    lines = StatementLine.statement_id.in_(imported)
    files = select(PaymentFile.id).join(
        StatementLine, StatementLine.batch_id == PaymentFile.message_id
    )
    return or_(
        PaymentOrder.ref.in_(select(StatementLine.end_to_end_id).where(lines)),
        PaymentOrder.ref.in_(select(func.unnest(StatementLine.named)).where(lines)),
        PaymentOrder.id.in_(select(StatementLine.order_id).where(lines)),
        PaymentOrder.file_id.in_(files.where(lines)),
    )
