"""Money in: what a donor agreed to give, and what arrived."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import Rate, above_zero, credit, debit
from portal.ledger.service.posting import post


def contribution_agreed(
    fund_code: str,
    amount: Money,
    pledge_ref: str,
    on: date,
    *,
    by: UUID | None,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book a signed contribution agreement of `amount` (US$): receivable against revenue.

    It is not available to award until it is received. `local` is the amount in the donor's
    currency at `rate`.
    """
    above_zero(amount)
    return post(
        TransactionKind.CONTRIBUTION_AGREED,
        pledge_ref,
        [
            debit(fund_code, AccountKind.CONTRIBUTIONS_RECEIVABLE, amount, local),
            credit(fund_code, AccountKind.CONTRIBUTION_REVENUE, amount, local),
        ],
        on=on,
        by=by,
        subject_ref=pledge_ref,
        rate=rate,
    )


def contribution_received(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    local: Money | None = None,
    rate: Rate | None = None,
    pledge_ref: str | None = None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book `amount` (US$) that arrived on the day `on`, in the bank or at the card processor.

    With `pledge_ref` it settles what was agreed under that reference, else it is new revenue.
    Raises Refused when more arrived than is still owed under the agreement.
    """
    cents = above_zero(amount)
    against = (
        AccountKind.CONTRIBUTIONS_RECEIVABLE if pledge_ref else AccountKind.CONTRIBUTION_REVENUE
    )

    def refuse_beyond_agreement() -> None:
        if pledge_ref is None:
            return
        owed = queries.subject_sums(fund_code, pledge_ref).get(against, 0)
        if cents > owed:
            raise Refused(
                _(
                    "More arrived than is still owed under this agreement. Book the part above "
                    "it as a contribution of its own."
                )
            )

    return post(
        TransactionKind.CONTRIBUTION_RECEIVED,
        ref,
        [
            debit(fund_code, into, amount, local),
            credit(fund_code, against, amount, local),
        ],
        on=on,
        by=by,
        subject_ref=pledge_ref,
        rate=rate,
        guard=refuse_beyond_agreement,
    )
