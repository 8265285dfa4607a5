"""A fund whose account is in euros: paid at the rate of the day, by an independent bank."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from portal.awards.models import Award, PayingAgent
from portal.core.db import session
from portal.core.money import Money, from_usd, to_usd, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import checks, service
from portal.payments.models import OrderStatus, PaymentOrder
from tests.make import payments as make
from tests.make.applications import rate
from tests.make.awards import award as make_award
from tests.make.payments import Till
from tests.payments.bank import OURS
from tests.payments.conftest import World
from tests.payments.counter import Counter, next_monday, opened
from tests.payments.payday import ELSEWHERE

EURO = "EUR"
AT_ORDER, AT_DEBIT, AT_RETURN = "0.8", "0.75", "0.7"
"""Euros to the dollar as the order is prepared, as it is debited, as it comes back."""


@pytest.fixture
def till(world: World) -> Till:
    return world.till


@pytest.fixture
def award(till: Till) -> Award:
    """Return an award that headquarters pay, from an account in euros."""
    make.fund_account(who=till, currency=EURO)
    made = make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(made, till, account=ELSEWHERE, country="NLD", bic="")
    session.commit()
    return made


def sums(order: PaymentOrder) -> dict[AccountKind, int]:
    """Return what the books hold for the award, in US cents, by account."""
    return ledger.subject_sums("act", order.instalment.award.ref)


def at(units: str, order: PaymentOrder) -> int:
    return to_usd(order.money, Decimal(units)).minor


def violations() -> dict[str, list[str]]:
    found = {
        each.name: each.run().violations
        for each in (*checks.of_orders(), *checks.of_awards(), *checks.of_files())
    }
    return {name: said for name, said in found.items() if said}


def test_without_a_rate_there_is_no_order_and_the_reason_is_said(award: Award, till: Till) -> None:
    with pytest.raises(Refused, match=EURO) as refused:
        service.prepare_order(award.instalments[0], by=till.finance)
    assert "rate" in refused.value.sentence
    session.rollback()
    assert session.query(PaymentOrder).filter_by(rail="bank").count() == 0


def test_a_payment_in_euros_is_booked_at_the_rates_of_its_days(
    award: Award, till: Till, tmp_path: Path
) -> None:
    opening = next_monday().date()
    rate(EURO, AT_ORDER)
    rate(EURO, AT_DEBIT, opening)
    rate(EURO, AT_RETURN, opening + timedelta(days=1))
    order = make.signed(service.prepare_order(award.instalments[0], by=till.finance), till)
    session.commit()
    assert order.money == from_usd(usd(order.amount_usd), EURO, Decimal(AT_ORDER))
    with opened(tmp_path / "bank", currency=EURO) as counter:
        counter.bank.patch(OURS, behaviour="return-later", parameters={"days": 2})
        counter.send()
        assert sums(order)[AccountKind.PAYMENTS_IN_TRANSIT] == -order.amount_usd
        it_is_debited(counter, order)
        it_comes_back(counter, order)


def it_is_debited(counter: Counter, order: PaymentOrder) -> None:
    """Demand the amount as ordered, at the rate of the day; the difference is a loss."""
    counter.next_day()
    assert not [read.refusal for read in counter.answers() if read.refusal]
    assert order.status is OrderStatus.CONFIRMED
    [debit] = counter.bank.payments()
    assert (debit["amount"], debit["end_to_end_id"]) == (order.amount, order.ref)
    found = sums(order)
    assert found[AccountKind.BANK] == -at(AT_DEBIT, order)
    assert found[AccountKind.ADVANCES_TO_GRANTEES] == order.amount_usd
    lost = at(AT_DEBIT, order) - order.amount_usd
    assert lost > 0
    assert found[AccountKind.EXCHANGE_DIFFERENCE] == lost
    assert found.get(AccountKind.PAYMENTS_IN_TRANSIT, 0) == 0
    assert ledger.bank_balance("act", EURO) == Money(-order.amount, EURO)
    assert violations() == {}


def it_comes_back(counter: Counter, order: PaymentOrder) -> None:
    """Demand it at the rate of that day, the money set aside again, and nothing left over."""
    counter.next_day(2)
    assert not [read.refusal for read in counter.answers() if read.refusal]
    assert order.status is OrderStatus.RETURNED
    found = sums(order)
    assert found.get(AccountKind.ADVANCES_TO_GRANTEES, 0) == 0
    assert found[AccountKind.BANK] == at(AT_RETURN, order) - at(AT_DEBIT, order)
    assert found[AccountKind.EXCHANGE_DIFFERENCE] == at(AT_DEBIT, order) - at(AT_RETURN, order)
    assert ledger.bank_balance("act", EURO) == Money(0, EURO)
    award = order.instalment.award
    assert ledger.outstanding("act", award.ref).minor == award.amount_usd
    assert violations() == {}
