"""Payments in foreign currency: what the bank debited, and what it gave back."""

import pytest

from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.models import AccountKind
from portal.ledger.queries import Holding
from portal.ledger.rules import PostingConflict
from tests.ledger.books import AWARD, DAY, FUND, advance, open_fund

SUSPENSE = AccountKind.SUSPENSE


def francs(amount: int) -> Money:
    """Return West African francs, which have no cents."""
    return Money(amount, "XOF")


def held(kind: AccountKind, currency: str = "USD") -> Holding:
    """Return what an account holds in a currency."""
    found = queries.holdings(FUND).get((kind, currency))
    return found or Holding(Money(0, currency), 0)


def pay(order: str, amount: int, local: int) -> None:
    """Send a payment in francs."""
    service.advance_paid(FUND, AWARD, usd(amount), francs(local), order, DAY, by=None)


@pytest.fixture(autouse=True)
def committed(fresh_database: str) -> None:
    """Begin with US$ 9,000, of which 5,000 are set aside."""
    del fresh_database
    open_fund(usd(9_000_00))
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)


def test_payments_in_one_currency_leave_nothing_in_transit() -> None:
    pay("order:1", 2_000_00, 1_200_000)
    pay("order:2", 1_000_00, 610_000)
    service.payment_settled("order:1", usd(2_003_00), DAY, by=None)
    service.payment_settled("order:2", usd(1_001_00), DAY, by=None)
    session.commit()
    assert held(AccountKind.PAYMENTS_IN_TRANSIT, "XOF") == Holding(francs(0), 0)
    position = queries.position(FUND)
    assert position.exchange == usd(-4_00)
    assert position.available == usd(4_000_00 - 4_00)


def test_an_account_in_francs_is_debited_in_francs() -> None:
    service.contribution_received(
        FUND, usd(3_000_00), "wire:2", DAY, by=None, local=francs(1_800_000)
    )
    pay("order:1", 2_000_00, 1_200_000)
    for _again in range(2):
        service.payment_settled("order:1", usd(2_000_00), DAY, by=None, local=francs(1_200_000))
    session.commit()
    assert queries.bank_balance(FUND, "XOF") == francs(600_000)
    assert queries.bank_balance(FUND, "USD") == usd(9_000_00)
    with pytest.raises(PostingConflict):
        service.payment_settled("order:1", usd(2_000_00), DAY, by=None)


def test_a_debit_in_suspense_settles_its_payment() -> None:
    advance()
    with pytest.raises(Refused, match="suspense"):
        service.payment_settled("order:1", usd(4_000_00), DAY, by=None, from_=SUSPENSE)
    service.suspense_booked(FUND, usd(-4_000_00), "line:1", DAY, by=None)
    service.payment_settled("order:1", usd(4_000_00), DAY, by=None, from_=SUSPENSE)
    session.commit()
    assert held(SUSPENSE).usd == 0
    assert queries.bank_balance(FUND, "USD") == usd(5_000_00)


def test_what_the_bank_kept_of_a_returned_payment_is_a_loss() -> None:
    pay("order:1", 2_000_00, 1_200_000)
    service.payment_settled("order:1", usd(2_003_00), DAY, by=None)
    for _again in range(2):
        service.payment_returned("order:1", DAY, by=None, credited=usd(1_990_00))
    session.commit()
    assert queries.outstanding(FUND, AWARD) == usd(5_000_00)
    assert held(AccountKind.PAYMENTS_IN_TRANSIT, "XOF") == Holding(francs(0), 0)
    assert queries.bank_balance(FUND, "USD") == usd(8_987_00)
    assert queries.position(FUND).exchange == usd(-13_00)
    assert queries.position(FUND).disbursed == usd(0)
    with pytest.raises(PostingConflict):
        service.payment_returned("order:1", DAY, by=None, credited=usd(1_990_01))
    service.payment_returned("order:1", DAY, by=None)
    session.commit()
    assert queries.bank_balance(FUND, "USD") == usd(8_987_00)


def test_francs_that_the_bank_kept_are_never_taken_for_cents() -> None:
    pay("order:1", 2_000_00, 1_200_000)
    service.payment_settled("order:1", usd(2_000_00), DAY, by=None, local=francs(1_200_000))
    with pytest.raises(PostingConflict, match="no rate"):
        service.payment_returned(
            "order:1", DAY, by=None, credited=usd(1_990_00), local=francs(1_194_000)
        )


def test_nothing_comes_back_of_what_was_never_debited() -> None:
    advance()
    with pytest.raises(Refused, match="not debited"):
        service.payment_returned("order:1", DAY, by=None, credited=usd(4_000_00))
    assert queries.award_position(FUND, AWARD).paid == usd(4_000_00)


def test_a_return_may_have_waited_in_suspense() -> None:
    advance()
    service.payment_settled("order:1", usd(4_000_00), DAY, by=None)
    service.suspense_booked(FUND, usd(3_990_00), "line:1", DAY, by=None)
    service.payment_returned("order:1", DAY, by=None, credited=usd(3_990_00), into=SUSPENSE)
    session.commit()
    assert held(SUSPENSE).usd == 0
    assert held(AccountKind.BANK_CHARGES).usd == 10_00
    assert queries.position(FUND).exchange == usd(0)


def test_a_refund_that_comes_in_francs_is_owed_in_dollars() -> None:
    advance()
    service.refund_due(FUND, AWARD, usd(600_00), "refund:1", DAY, by=None)
    service.suspense_booked(FUND, usd(600_00), "line:1", DAY, by=None, local=francs(360_000))
    service.refund_received(
        FUND,
        AWARD,
        usd(600_00),
        "refunded:1",
        DAY,
        by=None,
        local=francs(360_000),
        into=SUSPENSE,
    )
    session.commit()
    assert held(AccountKind.REFUNDS_RECEIVABLE) == Holding(usd(0), 0)
    assert held(SUSPENSE, "XOF") == Holding(francs(0), 0)


def test_a_paying_agent_is_owed_dollars_until_it_is_reimbursed() -> None:
    agents = AccountKind.PAYING_AGENTS
    service.advance_paid(
        FUND, AWARD, usd(2_000_00), francs(1_200_000), "order:1", DAY, by=None, through=agents
    )
    session.commit()
    assert held(agents) == Holding(usd(-2_000_00), -2_000_00)
    assert queries.bank_balance(FUND, "USD") == usd(9_000_00)
    assert queries.position(FUND).available == usd(4_000_00)
    with pytest.raises(Refused, match=r"Only US\$ 2,000\.00 is due"):
        service.agent_reimbursed(FUND, usd(2_000_01), "agent:1", DAY, by=None)
    for _again in range(2):
        service.agent_reimbursed(FUND, usd(2_000_00), "agent:1", DAY, by=None)
    session.commit()
    assert held(agents) == Holding(usd(0), 0)
    assert queries.bank_balance(FUND, "USD") == usd(7_000_00)
    assert queries.position(FUND).available == usd(4_000_00)
