"""The funds' own bank accounts: treasury enters one, a second person confirms it."""

from sqlalchemy import Select, select

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import UnknownCurrency, exponent
from portal.core.workflow import Refused
from portal.ledger.service import open_book
from portal.payments import policy
from portal.payments.models import BankAccount, BankAccountAction, BankAccountStatus
from portal.payments.payees import Payee, checked
from portal.payments.workflow import ACCOUNT_WORKFLOW

OPEN = (BankAccountStatus.PROPOSED, BankAccountStatus.IN_USE)


def propose_account(fund_code: str, currency: str, typed: Payee, *, by: Person) -> BankAccount:
    """Enter an account of the fund; a second person confirms it before money moves through it.

    The same again returns the first. Raises Refused for anybody but treasury, for an account that
    cannot be, and where the fund has an open one in this currency, or another fund this account.
    """
    if not policy.can_propose_account(by, fund_code):
        raise Refused(_("The accounts of a fund are entered by its treasury."), rule="R23")
    try:
        exponent(currency)
    except UnknownCurrency as unknown:
        raise Refused(_("Choose the currency of the account from the list.")) from unknown
    clean = checked(typed)
    if not clean.bic:
        raise Refused(_("Give the BIC of the fund's bank: payment files need it."))
    audit.take_turn()
    open_book(fund_code)
    known = _open(fund_code, currency)
    if known is not None and (known.account, known.bic) == (clean.account, clean.bic):
        return known
    if known is not None:
        raise Refused(_("The fund has an account in this currency. Close that one first."))
    if session.scalar(_same_account(clean.account, currency)) is not None:
        raise Refused(_("Another fund has this account: each fund has its own."))
    account = BankAccount(
        fund_code=fund_code,
        currency=currency,
        holder=clean.holder,
        account=clean.account,
        bic=clean.bic,
        bank=clean.bank,
        country=clean.country,
        town=clean.town,
        proposed_by_id=by.id,
    )
    session.add(account)
    session.flush()
    _record(account, "bank_account.proposed", by)
    return account


def confirm_account(account: BankAccount, *, by: Person) -> None:
    """Put an account into use, as the second person. Twice is once. Raises Refused."""
    _hold(account)
    if account.status is BankAccountStatus.IN_USE and account.confirmed_by_id == by.id:
        return
    ACCOUNT_WORKFLOW.check(account, BankAccountAction.CONFIRM, by)
    with session.no_autoflush:  # the database wants status, person and moment at once
        account.confirmed_by_id, account.confirmed_at = by.id, clock.now()
        ACCOUNT_WORKFLOW.perform(account, BankAccountAction.CONFIRM, by=by, rule="R23")
    session.flush()


def close_account(account: BankAccount, *, by: Person) -> None:
    """Take an account out of use; its past stays. Twice is once. Raises Refused."""
    _hold(account)
    if account.status is BankAccountStatus.CLOSED:
        return
    ACCOUNT_WORKFLOW.check(account, BankAccountAction.CLOSE, by)
    with session.no_autoflush:
        account.closed_at = clock.now()
        ACCOUNT_WORKFLOW.perform(account, BankAccountAction.CLOSE, by=by)
    session.flush()


def _open(fund_code: str, currency: str) -> BankAccount | None:
    return session.scalar(
        select(BankAccount).where(
            BankAccount.fund_code == fund_code,
            BankAccount.currency == currency,
            BankAccount.status.in_(OPEN),
        )
    )


def _same_account(account: str, currency: str) -> Select[BankAccount]:
    return select(BankAccount).where(
        BankAccount.account == account,
        BankAccount.currency == currency,
        BankAccount.status.in_(OPEN),
    )


def _hold(account: BankAccount) -> None:
    session.flush()
    audit.take_turn()
    session.refresh(account, ["status", "version"], with_for_update=True)


def _record(account: BankAccount, action: str, by: Person) -> None:
    audit.record(
        action,
        account,
        actor_id=by.id,
        to_status=account.status.value,
        rule="R23",
        facts={"fund": account.fund_code, "currency": account.currency},
    )
