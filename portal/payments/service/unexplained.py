"""Debits that nobody has explained: before one is, nothing more is paid of that instalment."""

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.awards.models import Instalment
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import PaymentOrder
from portal.payments.statements.models import LineStatus, StatementLine


def refuse_unexplained_debit(instalment: Instalment) -> None:
    """Raise Refused where the bank debited an earlier payment of the instalment after all.

    A bank that refused a payment, or was said never to have made it, may still have paid: its
    debit waits in suspense, and a new attempt would pay twice. One SQL statement.
    """
    earlier = aliased(PaymentOrder)
    debited = exists().where(
        earlier.instalment_id == instalment.id,
        StatementLine.end_to_end_id == earlier.ref,
        StatementLine.amount < 0,
        StatementLine.status == LineStatus.SUSPENSE,
    )
    if session.scalar(select(debited)):
        raise Refused(
            _(
                "The bank debited an earlier payment of this instalment, and that debit waits in "
                "suspense. Settle it with the bank first: paying now would pay twice."
            ),
            rule="R22",
        )
