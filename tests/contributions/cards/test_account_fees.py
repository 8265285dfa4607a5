"""What the card processor takes for the account itself: a charge of the fund that bears it."""

import pytest

from portal.contributions.models.cards import MovementKind
from portal.contributions.service import cards
from portal.core import stripe
from portal.core.db import session
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind
from tests.contributions.cards.conftest import Counter
from tests.contributions.cards.test_payouts import OTHER, arrive, paid_out, sound, sums
from tests.make.contributions import FUND

FEE = int(5000 * 0.029) + 30


def bearing(counter: Counter, fund: str) -> None:
    """Name the fund that bears the fees, as the settings do."""
    stripe.configure(counter.settings.model_copy(update={"stripe_fees_fund": fund}))


def test_a_monthly_fee_is_borne_by_the_fund_whose_gifts_are_paid_over(counter: Counter) -> None:
    counter.paid()
    counter.processor.charge_fee(2_00)
    payout = paid_out(counter)
    assert payout.amount == 50_00 - FEE - 2_00
    assert sums()[FUND, AccountKind.BANK_CHARGES] == FEE + 2_00
    (fee,) = [each for each in payout.movements if each.kind is MovementKind.ACCOUNT_FEE]
    assert (fee.gift, fee.fund_code, fee.net.minor) == (None, FUND, -2_00)
    arrive(payout)
    assert (FUND, AccountKind.CARD_CLEARING) not in sums()
    assert sound() == []


def test_a_fee_that_is_given_back_lessens_the_charges(counter: Counter) -> None:
    counter.paid()
    counter.processor.charge_fee(-1_50)
    payout = paid_out(counter)
    assert payout.amount == 50_00 - FEE + 1_50
    assert sums()[FUND, AccountKind.BANK_CHARGES] == FEE - 1_50
    assert sound() == []


@pytest.mark.parametrize(("category", "known"), [("fee", True), ("other_adjustment", False)])
def test_an_adjustment_is_a_fee_only_where_it_says_so(
    counter: Counter, category: str, *, known: bool
) -> None:
    counter.paid()
    line = counter.processor.charge_fee(2_00)
    with counter.processor.store.turn() as turn:
        turn.put(line | {"type": "adjustment", "reporting_category": category})
    counter.processor.pay_out()
    counter.deliver()
    said = counter.reasons()
    assert not said if known else f"{line['id']} (adjustment) is part of payout" in said[0]


def test_between_two_funds_the_settings_name_who_bears_it(counter: Counter) -> None:
    bearing(counter, "")
    ledger.open_book(OTHER)
    counter.paid(50_00)
    counter.paid(30_00, fund=OTHER)
    counter.processor.charge_fee(2_00)
    made = counter.processor.pay_out()
    counter.deliver()
    assert "PORTAL_STRIPE_FEES_FUND" in counter.reasons()[0]
    assert sums()[OTHER, AccountKind.BANK_CHARGES] == int(30_00 * 0.029) + 30
    bearing(counter, OTHER)
    payout = cards.look_at_payout(made["id"])
    assert payout is not None
    arrive(payout)
    assert sums()[OTHER, AccountKind.BANK_CHARGES] == int(30_00 * 0.029) + 30 + 2_00
    assert (FUND, AccountKind.CARD_CLEARING) not in sums()
    assert (OTHER, AccountKind.CARD_CLEARING) not in sums()
    assert sound() == []


def test_a_fund_that_is_none_bears_nothing(counter: Counter) -> None:
    counter.paid()
    counter.processor.charge_fee(2_00)
    bearing(counter, "nowhere")
    counter.processor.pay_out()
    counter.deliver()
    assert "no fund is named" in counter.reasons()[0]
    session.rollback()
