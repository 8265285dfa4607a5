"""What is still open: owed under an agreement, here to give back, in suspense."""

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.core.db import session
from portal.core.money import Money
from portal.ledger.models import AccountKind, LedgerAccount, LedgerEntry, LedgerTransaction
from portal.ledger.models import TransactionKind as Kind
from portal.ledger.queries.periods import Holding

CASH = (AccountKind.BANK, AccountKind.CARD_CLEARING, AccountKind.SUSPENSE)
"""Where money of a contribution arrives, and from where it is given back."""
FROM_DONORS = (
    Kind.CONTRIBUTION_RECEIVED,
    Kind.CONTRIBUTION_REFUNDED,
    Kind.CONTRIBUTION_DISPUTED,
)
_REVERSED = aliased(LedgerTransaction)


def owed_under(fund_code: str, pledge_ref: str, currency: str) -> Holding:
    """Return what donors still owe under one agreement, in its currency. One SQL statement.

    The US cents are those at which it was agreed, without what revaluation changed since.
    """
    rows = (
        _sums(fund_code, currency, [AccountKind.CONTRIBUTIONS_RECEIVABLE])
        .join(LedgerEntry.transaction)
        .where(LedgerTransaction.subject_ref == pledge_ref)
    )
    minor, cents = session.execute(rows).one()
    return Holding(Money(int(minor), currency), int(cents))


def arrived(fund_code: str, currency: str, subject_ref: str | None = None) -> Money:
    """Return what came from donors and was not given back, of one contribution or of all.

    Charges on the way do not lessen it. One SQL statement.
    """
    rows = (
        _sums(fund_code, currency, CASH)
        .join(LedgerEntry.transaction)
        .outerjoin(_REVERSED, _REVERSED.id == LedgerTransaction.reverses_id)
        .where(_cause().in_(FROM_DONORS))
    )
    if subject_ref is not None:
        rows = rows.where(LedgerTransaction.subject_ref == subject_ref)
    minor, _cents = session.execute(rows).one()
    return Money(int(minor), currency)


def in_suspense(fund_code: str, currency: str, *, credits_: bool) -> Money:
    """Return the unmatched credits (or debits) of a fund that nobody allocated. One statement.

    Both are amounts above zero: a credit of 100 and a debit of 100 do not allocate each other.
    What a payout of the card processor leaves between two funds allocates neither.
    """
    side = case(
        (LedgerTransaction.reverses_id.is_(None), func.sign(LedgerEntry.amount)),
        else_=-func.sign(LedgerEntry.amount),
    )
    booked, allocates = (Kind.SUSPENSE_RECEIVED, 1) if credits_ else (Kind.SUSPENSE_PAID, -1)
    apart = (Kind.SUSPENSE_RECEIVED, Kind.SUSPENSE_PAID, Kind.REVALUATION)
    rows = (
        _sums(fund_code, currency, [AccountKind.SUSPENSE])
        .join(LedgerEntry.transaction)
        .outerjoin(_REVERSED, _REVERSED.id == LedgerTransaction.reverses_id)
        .where(
            or_(_cause() == booked, and_(_cause().not_in(apart), side == allocates)),
            ~_between_funds(),
        )
    )
    minor, _cents = session.execute(rows).one()
    return Money(int(minor) * -allocates, currency)


def _between_funds() -> ColumnElement[bool]:
    """Say of an entry in suspense that another fund's in the same booking stands against it."""
    other, account = aliased(LedgerEntry), aliased(LedgerAccount)
    return (
        select(other.id)
        .join(account, account.id == other.account_id)
        .where(
            other.transaction_id == LedgerEntry.transaction_id,
            account.kind == AccountKind.SUSPENSE,
            account.fund_code != LedgerAccount.fund_code,
            func.sign(other.amount) != func.sign(LedgerEntry.amount),
        )
        .correlate(LedgerEntry, LedgerAccount)
        .exists()
    )


def _cause() -> ColumnElement[Kind]:
    """Return the kind of a booking, of a reversal the kind of what it reverses."""
    return func.coalesce(_REVERSED.kind, LedgerTransaction.kind)


def _sums(
    fund_code: str, currency: str, kinds: tuple[AccountKind, ...] | list[AccountKind]
) -> Select[int, int]:
    return (
        select(
            func.coalesce(func.sum(LedgerEntry.amount), 0),
            func.coalesce(func.sum(LedgerEntry.usd), 0),
        )
        .join(LedgerEntry.account)
        .where(
            LedgerAccount.fund_code == fund_code,
            LedgerAccount.kind.in_(kinds),
            LedgerEntry.currency == currency,
        )
    )
