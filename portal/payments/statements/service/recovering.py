"""Money that grantees pay after all of what had been written off (R25)."""

from datetime import date

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import Rate
from portal.ledger.service import refund_recovered
from portal.payments import policy
from portal.payments.models import Receivable
from portal.payments.service.refunds import hold
from portal.payments.statements.models import Allocation, Purpose


def recovered(receivable: Receivable) -> Money:
    """Return what came, in US$, after it was written off. One SQL statement."""
    rows = select(func.coalesce(func.sum(Allocation.amount_usd), 0)).where(
        Allocation.receivable_id == receivable.id,
        Allocation.purpose == Purpose.RECOVERY,
        Allocation.undone_at.is_(None),
    )
    return usd(int(session.scalar(rows) or 0))


def recover(
    receivable: Receivable,
    amount: Money,
    *,
    ref: str,
    on: date,
    by: Person | None,
    local: Money | None = None,
    rate: Rate | None = None,
    into: AccountKind = AccountKind.BANK,
) -> None:
    """Book `amount` (US$) that a grantee paid of what had been written off, under `ref` once.

    The write-off and its signatures stand; the fund's expenditure becomes less. Raises Refused for
    more than was written off, and for who may not.
    """
    if by is None or not policy.can_settle(by, receivable):
        raise Refused(_("Refunds are recorded by finance."), rule="R25")
    hold(receivable)
    if ledger.find(ref) is not None:
        return
    most = usd(receivable.written_off_usd) - recovered(receivable)
    if amount > most:
        raise Refused(
            _(
                "%(most)s was written off of this and has not come since: enter no more.",
                most=format_money(most, str(locale())),
            ),
            rule="R25",
        )
    award = receivable.award
    refund_recovered(
        award.application.call.fund_code,
        award.ref,
        amount,
        ref,
        on,
        by=by.id,
        case_id=award.case_id,
        local=local,
        rate=rate,
        into=into,
    )
