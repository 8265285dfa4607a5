"""The pretend bank: files like a bank's, through the same doors, by its page and its verbs."""

import pytest
from sqlalchemy import select

from portal.app import blueprints
from portal.awards.models import PayingAgent
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import usd
from portal.demo import bank
from portal.demo.bank.views import blueprint
from portal.ledger import queries as ledger
from portal.payments import service
from portal.payments.models import BankAccount, OrderStatus, PaymentOrder
from portal.payments.service import gathering, sending
from portal.payments.statements.models import LineStatus, StatementLine
from tests.browser import Browser
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.payments.conftest import World


@pytest.fixture
def account(world: World) -> BankAccount:
    return make.fund_account(who=world.till)


@pytest.fixture
def order(world: World, account: BankAccount) -> PaymentOrder:
    """Return a payment that is with the bank."""
    del account
    award = make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(award, world.till)
    made = make.signed(
        service.prepare_order(award.instalments[0], by=world.till.finance), world.till
    )
    file = gathering.gather()
    assert file is not None
    sending.mark_sent(file, by=None)
    session.commit()
    return made


def held(account: BankAccount) -> int:
    """Return what the books say that the account holds, in US cents."""
    return ledger.bank_balance(account.fund_code, account.currency).minor


def test_it_accepts_pays_and_gives_back(order: PaymentOrder, account: BankAccount) -> None:
    before = held(account)
    bank.accept([order])
    assert order.accepted_at is not None
    bank.settle([order])
    assert (order.status, held(account)) == (OrderStatus.CONFIRMED, before - order.amount)
    bank.return_payments([order])
    assert (order.status, held(account)) == (OrderStatus.RETURNED, before)
    assert not bank.in_hand().waiting


def test_it_refuses(order: PaymentOrder, account: BankAccount) -> None:
    before = held(account)
    bank.reject([order])
    assert (order.status, held(account)) == (OrderStatus.REJECTED, before)


def test_it_errs_and_corrects_itself(order: PaymentOrder, account: BankAccount) -> None:
    before = held(account)
    bank.reject([order])
    assert bank.in_hand().refused == [order]
    bank.settle([order])
    assert (order.status, held(account)) == (OrderStatus.REJECTED, before - order.amount)
    bank.correct([order])
    assert held(account) == before
    lines = session.scalars(select(StatementLine)).all()
    assert {each.status for each in lines} == {LineStatus.SUSPENSE}


def test_its_page_keeps_a_charge_of_what_it_gives_back(
    order: PaymentOrder, account: BankAccount, visitor: Browser
) -> None:
    before, ref, code = held(account), order.ref, account.fund_code
    bank.settle([order])
    session.commit()
    visitor.open("/demo/bank")
    visitor.choose(ref)
    visitor.press("Give back, and keep a charge of 15.00")
    assert ledger.bank_balance(code, "USD").minor == before - 15_00
    assert session.scalars(select(StatementLine.status)).all() == [LineStatus.BOOKED] * 2


def test_money_that_says_nothing_waits_in_suspense(account: BankAccount) -> None:
    before = held(account)
    bank.credit(account, usd(12_345), "Somebody", "for the good cause")
    bank.credit(account, usd(5), "Somebody else", "")
    lines = session.query(StatementLine).all()
    assert [line.status for line in lines] == [LineStatus.SUSPENSE] * 2
    assert held(account) == before + 12_350


def test_its_page_pays_what_is_ticked(
    visitor: Browser, order: PaymentOrder, account: BankAccount
) -> None:
    ref, amount, fund, before = order.ref, order.amount, account.fund_code, held(account)
    visitor.open("/demo/bank")
    visitor.choose(ref)
    visitor.press("Pay, and send a statement")
    assert "1 file handed in." in visitor.page.text
    assert ledger.bank_balance(fund, "USD").minor == before - amount


def test_its_page_keeps_what_was_typed(visitor: Browser, account: BankAccount) -> None:
    del account
    session.commit()
    visitor.open("/demo/bank")
    visitor.fill("Amount", "-5")
    visitor.fill("Who pays", "Ministry of Good")
    visitor.press("Credit the account", status=422)
    assert visitor.value("Who pays") == "Ministry of Good"


def test_there_is_no_such_bank_outside_a_demonstration(settings: Settings) -> None:
    real = settings.model_copy(update={"demo": False})
    assert blueprint in blueprints(settings)
    assert blueprint not in blueprints(real)
