"""The town of payments, with an account of the fund at a bank, and who writes its statements."""

import pytest

from portal.awards.models import PayingAgent
from portal.core.db import session
from portal.ledger import queries as ledger
from portal.payments import exchange
from portal.payments import service as payments
from portal.payments.models import BankAccount, PaymentOrder
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.payments.conftest import World
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
    award = make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(award, world.till, account="NL30MOCK0000000005", country="NLD", bic="")
    order = payments.prepare_order(award.instalments[0], by=world.till.finance)
    make.signed(order, world.till)
    session.commit()
    list(exchange.gather_all())
    teller.balance = ledger.bank_balance("act", "USD").minor
    return order
