"""Payments by the bank, against an independent one: files out, answers in, books that agree."""

from collections.abc import Iterator

import pytest

from portal.awards.models import Award, InstalmentStatus, PayingAgent
from portal.core.db import session
from portal.core.money import usd
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import exchange, service
from portal.payments.models import FileStatus, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.rails import bank as rail
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.make.payments import Till
from tests.payments.bank import OURS, Bank
from tests.payments.conftest import World

NEVER = "NL30MOCK0000000005"
CLOSED = "NL84MOCK0000000003"


@pytest.fixture
def till(world: World) -> Till:
    return world.till


@pytest.fixture
def counter(bank: Bank, till: Till) -> Iterator[Bank]:
    """Return the bank, with an account of the fund in US$, and its folders configured."""
    bank.patch(OURS, currency="USD")
    make.fund_account(who=till)
    rail.configure(bank.drop, bank.pickup)
    yield bank
    rail.configure(None, None)


def released(till: Till, account: str = NEVER, award: Award | None = None) -> PaymentOrder:
    of = award or make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(of, till, account=account, country="NLD", bic="")
    order = make.signed(service.prepare_order(of.instalments[0], by=till.finance), till)
    session.commit()
    return order


def sent() -> list[PaymentFile]:
    for _file in exchange.gather_all():
        pass
    return list(exchange.send_all())


def answered(counter: Bank, days: int = 0) -> list[exchange.Read]:
    counter.scan()
    if days:
        counter.advance(days)
    return list(exchange.poll(counter.pickup))


def test_a_payment_goes_out_by_the_bank_and_is_paid(counter: Bank, till: Till) -> None:
    order = released(till)
    assert (order.rail, order.instruction_id) == ("bank", None)
    [file] = sent()
    assert file.status is FileStatus.SENT
    assert ledger.find(order.ref) is not None
    answered(counter, days=1)
    assert order.status is OrderStatus.CONFIRMED
    assert order.instalment.status is InstalmentStatus.PAID
    [debit] = counter.payments()
    assert (debit["end_to_end_id"], debit["amount"]) == (order.ref, order.amount)
    sums = ledger.subject_sums("act", order.instalment.award.ref)
    assert sums[AccountKind.BANK] == -order.amount_usd
    assert sums.get(AccountKind.PAYMENTS_IN_TRANSIT, 0) == 0
