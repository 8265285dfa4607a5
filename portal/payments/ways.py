"""Which way the payments of a grant go: the office that pays decides (R24)."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.awards.models import Award, PayingAgent
from portal.core.db import session
from portal.payments.models import BankAccount, BankAccountStatus
from portal.payments.rails import AGENT, BANK, RAILS, STRIPE

DOLLAR = "USD"


@dataclass(frozen=True)
class Way:
    """A rail, and the currency in which it pays: that of the account that is debited."""

    rail: str
    currency: str = DOLLAR


def in_words(rail: str) -> str:
    """Return the way of payment as every page names it, from the code that orders carry."""
    return RAILS[rail].label


def way_of(award: Award) -> Way:
    """Return how a payment of this grant would leave today. At most one SQL statement.

    Headquarters pay through the card processor in the countries that a setting names; else by
    the bank, from the fund's account in US$ or else in another currency, once one is in use; a
    country office pays on instruction.
    """
    if award.paying_agent is not PayingAgent.HEADQUARTERS:
        return Way(AGENT.name)
    if STRIPE.serves(award.application.country):
        return Way(STRIPE.name)
    account = paying_account(award.application.call.fund_code)
    return Way(AGENT.name) if account is None else Way(BANK.name, account.currency)


def paying_account(fund_code: str, currency: str | None = None) -> BankAccount | None:
    """Return the fund's account in use, in `currency` where given, US$ first. One statement."""
    rows = select(BankAccount).where(
        BankAccount.fund_code == fund_code, BankAccount.status == BankAccountStatus.IN_USE
    )
    if currency is not None:
        rows = rows.where(BankAccount.currency == currency)
    first = rows.order_by((BankAccount.currency != DOLLAR), BankAccount.currency).limit(1)
    return session.scalar(first)
