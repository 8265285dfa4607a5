"""Lines of a statement that nobody could match: in suspense until a person allocates them."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import Line, Rate, dollars
from portal.ledger.service.clearing import refuse_above
from portal.ledger.service.posting import post


def suspense_booked(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    local: Money | None = None,
    rate: Rate | None = None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book a line of the bank's statement that was not matched: `amount` (US$), signed.

    A credit of the bank is above zero, a debit below; `local` likewise. `into` is card clearing
    for what the card processor gave back. Whoever allocates it later calls the verb that it
    belongs to, into or out of suspense.
    """
    cents = dollars(amount)
    own = local or amount
    kind = TransactionKind.SUSPENSE_RECEIVED if cents > 0 else TransactionKind.SUSPENSE_PAID
    return post(
        kind,
        ref,
        [
            Line(fund_code, into, own, cents),
            Line(fund_code, AccountKind.SUSPENSE, -own, -cents),
        ],
        on=on,
        by=by,
        rate=rate,
    )


def refuse_unsuspended(line: Line) -> None:
    """Raise Refused when `line` takes more out of suspense than lies there; others pass.

    A debit of suspense allocates an unmatched credit, a credit of it an unmatched debit.
    """
    if line.account is not AccountKind.SUSPENSE:
        return
    credits_ = line.money.minor > 0
    refuse_above(
        queries.in_suspense(line.fund, line.money.currency, credits_=credits_),
        abs(line.money),
        _("Only %(most)s lies in suspense on this side, less than %(amount)s."),
    )
