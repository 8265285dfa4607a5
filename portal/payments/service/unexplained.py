"""Debits that nobody has explained: until one is, its instalment is neither paid nor given up."""

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.awards.models import Instalment
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import PaymentOrder
from portal.payments.statements.models import LineStatus, StatementLine


def refuse_unexplained_debit(*instalments: Instalment) -> None:
    """Raise Refused where the bank debited an earlier payment of an instalment after all.

    A bank that refused a payment, or was said never to have made it, may still have paid: its
    debit waits in suspense, and a new attempt would pay twice. One SQL statement.
    """
    earlier = aliased(PaymentOrder)
    debited = exists().where(
        earlier.instalment_id.in_([each.id for each in instalments]),
        StatementLine.end_to_end_id == earlier.ref,
        StatementLine.amount < 0,
        StatementLine.status == LineStatus.SUSPENSE,
    )
    if session.scalar(select(debited)):
        raise Refused(
            _(
                "The bank debited an earlier payment of this instalment, and that debit waits in "
                "suspense: paying now would pay twice. Ask the grantee and the bank. Then finance "
                "says what the line is: paid after all, or to be given back by the bank."
            ),
            rule="R22",
        )
