"""Payouts that fail after they arrived: the bank debits them, and a later one pays them over."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from portal.contributions import queries
from portal.contributions.models.cards import CardPayout, PayoutStatus
from portal.contributions.queries.cards import payouts_visible_to
from portal.contributions.service import cards
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.stripe.models import EventState, StripeEvent
from portal.core.workflow import Refused
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind
from tests.contributions.cards.conftest import Counter
from tests.contributions.cards.test_payouts import OTHER, arrive, paid_out, sound, sums
from tests.make.contributions import FUND

TASK = "A payout of the card processor failed after arriving: the bank will debit it"


def take_back(payout: CardPayout, ref: str = "line:9", fund: str = FUND, **more: object) -> None:
    cards.payout_taken_back(
        payout,
        fund,
        usd(payout.amount),
        clock.today(),
        ref=ref,
        by=None,
        **more,  # type: ignore[arg-type]
    )


def failed(counter: Counter, **more: object) -> CardPayout:
    """Return a payout that arrived, and that the processor says has failed."""
    payout = paid_out(counter)
    arrive(payout, **more)  # type: ignore[arg-type]
    session.commit()
    counter.processor.fail_payout(payout.payout_id)
    counter.deliver(times=2)
    assert counter.reasons() == []
    return payout


def test_it_is_expected_back_and_nothing_is_booked_yet(counter: Counter) -> None:
    counter.paid()
    payout = failed(counter)
    assert payout.status is PayoutStatus.RETURNING
    assert sums()[FUND, AccountKind.BANK] == payout.amount
    assert sound() == []
    states = session.scalars(select(StripeEvent.state).where(StripeEvent.type == "payout.failed"))
    assert set(states) == {EventState.DONE}
    assert TASK in [each.title for each in queries.todos(counter.finance)]
    assert TASK not in [each.title for each in queries.todos(counter.officer)]


def test_once_the_bank_has_debited_it_the_money_lies_with_the_processor(counter: Counter) -> None:
    counter.paid()
    payout = failed(counter)
    take_back(payout)
    assert payout.status is PayoutStatus.TAKEN_BACK
    assert (FUND, AccountKind.BANK) not in sums()
    assert sums()[FUND, AccountKind.CARD_CLEARING] == payout.amount
    assert sound() == []
    take_back(payout)
    assert sums()[FUND, AccountKind.CARD_CLEARING] == payout.amount
    with pytest.raises(Refused, match="debited it already"):
        take_back(payout, ref="line:10")
    assert TASK not in [each.title for each in queries.todos(counter.finance)]


def test_a_later_payout_pays_the_same_movements_over(counter: Counter) -> None:
    counter.paid()
    first = failed(counter)
    take_back(first)
    session.commit()
    later = counter.paid(20_00)
    second = paid_out(counter)
    assert second.amount == first.amount + sum(each.net.minor for each in later.movements)
    session.refresh(first)
    assert first.movements == []
    listed = session.scalars(payouts_visible_to(counter.finance)).all()
    assert {each: each.again_by for each in listed} == {first: second, second: None}
    assert sound() == []
    arrive(second, ref="line:2")
    assert (FUND, AccountKind.CARD_CLEARING) not in sums()
    assert sums()[FUND, AccountKind.BANK] == second.amount
    assert sound() == []


def test_a_later_payout_waits_for_the_debit_of_the_first(counter: Counter) -> None:
    counter.paid()
    first = failed(counter)
    counter.processor.pay_out()
    counter.deliver()
    assert "has still to debit" in counter.reasons()[0]
    assert first.status is PayoutStatus.RETURNING
    assert session.scalars(select(CardPayout)).all() == [first]


def test_one_that_failed_before_it_arrived_is_paid_over_by_the_next(counter: Counter) -> None:
    counter.paid()
    first = paid_out(counter)
    counter.processor.fail_payout(first.payout_id)
    counter.deliver()
    assert first.status is PayoutStatus.FAILED
    assert sound() == []
    arrive(paid_out(counter))
    assert (FUND, AccountKind.CARD_CLEARING) not in sums()
    assert sound() == []


def failed_early(counter: Counter) -> CardPayout:
    """Return a payout that the processor says has failed before its arrival was taken in."""
    counter.paid()
    payout = paid_out(counter)
    counter.processor.fail_payout(payout.payout_id)
    counter.deliver()
    return payout


@pytest.mark.parametrize("into", [AccountKind.BANK, AccountKind.SUSPENSE])
def test_one_said_to_fail_before_its_credit_was_taken_in_arrived_all_the_same(
    counter: Counter, into: AccountKind
) -> None:
    payout = failed_early(counter)
    with pytest.raises(Refused, match="Say first which credit"):
        take_back(payout)
    if into is AccountKind.SUSPENSE:
        ledger.suspense_booked(FUND, payout.money, "line:1:suspense", clock.today(), by=None)
    arrive(payout, into=into)
    session.commit()
    assert (payout.status, payout.arrival_ref) == (PayoutStatus.RETURNING, "line:1")
    assert sums()[FUND, AccountKind.BANK] == payout.amount
    assert sound() == []
    assert TASK in [each.title for each in queries.todos(counter.finance)]
    arrive(payout)
    counter.processor.pay_out()
    counter.deliver()
    assert "has still to debit" in counter.reasons()[0]
    take_back(payout)
    session.commit()
    assert payout.status is PayoutStatus.TAKEN_BACK
    assert (FUND, AccountKind.BANK) not in sums()
    assert sums()[FUND, AccountKind.CARD_CLEARING] == payout.amount
    assert sound() == []


def test_a_credit_of_one_that_was_paid_over_once_more_is_a_mistake(counter: Counter) -> None:
    first = failed_early(counter)
    second = paid_out(counter)
    with pytest.raises(Refused, match=f"{second.payout_id} has paid .* to go back where it came"):
        arrive(first)
    counter.processor.fail_payout(second.payout_id)
    counter.deliver()
    third = paid_out(counter)
    with pytest.raises(Refused, match=second.payout_id):
        arrive(first)
    with pytest.raises(Refused, match=third.payout_id):
        arrive(second)
    arrive(third)
    assert sums()[FUND, AccountKind.BANK] == third.amount
    assert sound() == []


def test_one_that_failed_before_anybody_heard_of_it_is_read_at_the_processor(
    counter: Counter,
) -> None:
    counter.paid()
    made = counter.processor.pay_out()
    counter.processor.fail_payout(made["id"])
    again = counter.processor.pay_out()
    counter.deliver(backwards=True)
    assert counter.reasons() == []
    (only,) = session.scalars(select(CardPayout)).all()
    assert (only.payout_id, only.amount) == (again["id"], made["amount"])
    assert sound() == []


def test_the_shares_of_other_funds_come_back_to_them(counter: Counter) -> None:
    ledger.open_book(OTHER)
    counter.paid(50_00)
    counter.paid(30_00, fund=OTHER)
    before = sums()
    payout = failed(counter)
    with pytest.raises(Refused, match="another fund"):
        take_back(payout, fund=OTHER)
    take_back(payout)
    assert sums() == before
    assert sound() == []


@pytest.mark.parametrize("into", [AccountKind.BANK, AccountKind.SUSPENSE])
def test_a_debit_that_lay_in_suspense_is_taken_out_of_it(
    counter: Counter, into: AccountKind
) -> None:
    counter.paid()
    payout = paid_out(counter)
    if into is AccountKind.SUSPENSE:
        ledger.suspense_booked(FUND, payout.money, "line:1:suspense", clock.today(), by=None)
    arrive(payout, into=into)
    session.commit()
    counter.processor.fail_payout(payout.payout_id)
    counter.deliver()
    with pytest.raises(Refused, match="suspense"):
        take_back(payout, out_of=AccountKind.SUSPENSE)
    ledger.suspense_booked(FUND, -payout.money, "line:9:suspense", clock.today(), by=None)
    take_back(payout, out_of=AccountKind.SUSPENSE)
    after = sums()
    assert (FUND, AccountKind.SUSPENSE) not in after
    assert (FUND, AccountKind.BANK) not in after
    assert after[FUND, AccountKind.CARD_CLEARING] == payout.amount


def test_nothing_is_taken_back_that_did_not_fail(counter: Counter) -> None:
    counter.paid()
    payout = paid_out(counter)
    with pytest.raises(Refused, match="has not said"):
        take_back(payout)
    arrive(payout)
    with pytest.raises(Refused, match="has not said"):
        take_back(payout)
    assert sums()[FUND, AccountKind.BANK] == Money(payout.amount, "USD").minor


@pytest.mark.parametrize(
    "forced",
    [
        "UPDATE card_payout SET status = 'failed', arrival_ref = NULL, arrived_on = NULL",
        "UPDATE card_payout SET status = 'taken_back', back_ref = 'x', back_on = now()",
        "UPDATE card_payout SET again_by_id = id",
        "UPDATE card_movement SET payout_id = gen_random_uuid()",
        "UPDATE card_movement SET payout_id = NULL",
    ],
)
def test_the_database_keeps_what_arrived(counter: Counter, forced: str) -> None:
    counter.paid()
    arrive(paid_out(counter))
    session.commit()
    with pytest.raises(IntegrityError):
        session.execute(text(forced))
    session.rollback()
