"""The funds' own accounts: entered by treasury, confirmed by a second person, one for one fund."""

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.core.db import session
from portal.core.web import Portal
from portal.payments.models import BankAccount, BankAccountStatus
from tests.browser import Browser
from tests.make import payments as make
from tests.make.accounts import PASSWORD
from tests.payments.payday import Payday
from tests.payments.test_bank_pages import enter, somebody


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser on the day's database, nobody signed in."""
    del payday
    return Browser(application)


def propose(visitor: Browser, fund: str = "UPR-I", **changes: str) -> None:
    visitor.open("/bank/accounts")
    visitor.follow("Enter an account")
    visitor.fill("Fund", fund)
    typed = {"currency": "EUR", "holder": "Voluntary Funds", "bank": "Bank of the Lake"}
    typed |= {"account": make.IBAN, "bic": "COBADEFF"} | changes
    visitor.fill_all(**typed)
    visitor.fill("Country of the bank", "Germany")


def test_an_account_is_entered_by_one_and_confirmed_by_another(
    payday: Payday, visitor: Browser
) -> None:
    enter(visitor, payday, "treasurer")
    fund = next(each for each in _funds(visitor) if each)
    propose(visitor, fund, bic="")
    visitor.press("Enter the account", 422)
    assert "Give the BIC" in visitor.page.text
    visitor.fill_all(bic="COBADEFF", currency="ABC")
    visitor.press("Enter the account", 422)
    assert "Choose the currency" in visitor.page.text
    visitor.fill_all(currency="eur")
    visitor.press("Enter the account")
    assert "A second person confirms it" in visitor.page.text
    assert "To be confirmed" in visitor.page.text
    assert "Confirm the account" not in visitor.page.text
    session.rollback()
    account = session.scalars(select(BankAccount).where(BankAccount.currency == "EUR")).one()
    key, path = account.id, f"/bank/accounts/{account.id}"
    visitor.open(f"{path}/confirm")
    assert visitor.page.heading == "Accounts of the funds"
    propose(visitor, fund, account="DE75512108001245126199")
    visitor.press("Enter the account", 422)
    assert "has an account in this currency" in visitor.page.text
    visitor.sign_out()

    enter(visitor, payday, "finance").open("/home")
    visitor.follow("Confirm an account of a fund (1)")
    visitor.follow("Confirm the account")
    assert "DE89370400440532013000" in visitor.page.text
    visitor.press("Confirm the account")
    assert "From now on money moves through this account." in visitor.page.text
    visitor.open("/home")
    assert "Confirm an account" not in visitor.page.text
    visitor.open(f"{path}/nonsense")
    assert visitor.page.heading == "Accounts of the funds"
    visitor.sign_out()

    enter(visitor, payday, "treasurer").open(f"{path}/close")
    visitor.press("Take the account out of use")
    assert "No payment leaves from this account any more." in visitor.page.text
    session.rollback()
    assert session.get_one(BankAccount, key).status is BankAccountStatus.CLOSED


def _funds(visitor: Browser) -> list[str]:
    """Return the funds for which the reader may enter an account, as the form offers them."""
    visitor.open("/bank/accounts/new", 200)
    select_ = next(e for e in visitor.page.controls if e.get("name") == "fund")
    return [option.get("value", "") for option in select_.iter("option")]


def test_one_account_serves_one_fund(visitor: Browser) -> None:
    both = somebody((Role.TREASURY, None, None))
    visitor.sign_in(both, PASSWORD)
    propose(visitor, "act", account=make.FUND_IBAN, currency="USD", bic="MOCKNL2A")
    visitor.fill("Country of the bank", "NLD")
    visitor.press("Enter the account", 422)
    assert "Another fund has this account" in visitor.page.text
