"""The town of payments, with an account of the fund at a bank, and who writes its statements."""

import pytest

from portal.core.db import session
from portal.ledger import queries as ledger
from portal.payments.models import BankAccount, PaymentOrder
from tests.make import payments as make
from tests.payments.conftest import World
from tests.payments.statements import outgoing
from tests.payments.statements.teller import Teller


@pytest.fixture
def account(world: World) -> BankAccount:
    """Return the fund's account in US$, in use."""
    found = make.fund_account(who=world.till)
    session.commit()
    return found


@pytest.fixture
def teller(account: BankAccount) -> Teller:
    """Return who writes the statements of the account."""
    balance = ledger.bank_balance(account.fund_code, account.currency)
    return Teller(account.account, account.currency, balance.minor)


@pytest.fixture
def sent(world: World, teller: Teller) -> PaymentOrder:
    """Return a payment by the bank, released and in its file."""
    order = outgoing.signed(world)
    outgoing.leave(teller)
    return order
