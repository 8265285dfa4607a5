"""Gifts that go back: refunds of ours and of the processor's, disputes opened, won and lost."""

import pytest
from sqlalchemy import func, select

from portal.contributions.models import ContributionStatus, DisputeStatus
from portal.contributions.models.cards import CardGift, CardMovement, CardRefund, RefundStatus
from portal.contributions.service import cards
from portal.core import jobs
from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind, LedgerTransaction
from tests.contributions.cards.conftest import REASON, Counter
from tests.contributions.conftest import balance
from tests.make.accounts import person

FEE = int(5000 * 0.029) + 30


def status(gift: CardGift) -> ContributionStatus:
    assert gift.contribution is not None
    session.refresh(gift.contribution)
    return gift.contribution.status


def bookings() -> int:
    return session.scalar(select(func.count()).select_from(LedgerTransaction)) or 0


def test_a_refund_leaves_when_the_worker_comes_and_is_booked_once(counter: Counter) -> None:
    gift = counter.paid()
    refund = counter.refund(gift, 20_00)
    assert cards.refundable(gift).minor == 30_00
    counter.work()
    assert refund.status is RefundStatus.DONE
    before = bookings()
    counter.deliver(times=2)
    assert bookings() == before
    assert status(gift) is ContributionStatus.PARTLY_REFUNDED
    assert gift.contribution is not None
    (booked,) = gift.contribution.refunds
    assert (booked.amount, booked.reason) == (20_00, REASON)
    assert booked.recorded_by_id == counter.officer.id
    assert balance(AccountKind.CARD_CLEARING) == 30_00 - FEE
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == -30_00


def test_more_than_the_gift_never_goes_back(counter: Counter) -> None:
    gift = counter.paid()
    counter.refund(gift, 30_00)
    with pytest.raises(Refused, match=r"20\.00 is left"):
        cards.ask_refund(gift, Money(20_01, "USD"), REASON, by=counter.finance)
    counter.refund(gift, 20_00)
    counter.work()
    with pytest.raises(Refused, match=r"0\.00 is left"):
        cards.ask_refund(gift, Money(1, "USD"), REASON, by=counter.finance)
    assert status(gift) is ContributionStatus.REFUNDED


def test_a_refund_has_a_reason_a_currency_and_an_officer(counter: Counter) -> None:
    gift = counter.paid()
    for amount, reason, by in (
        (Money(100, "USD"), "  ", counter.finance),
        (Money(100, "EUR"), REASON, counter.finance),
        (Money(0, "USD"), REASON, counter.finance),
        (Money(100, "USD"), REASON, person()),
    ):
        with pytest.raises(Refused):
            cards.ask_refund(gift, amount, reason, by=by)


def test_a_refund_whose_answer_is_lost_is_sent_once(counter: Counter) -> None:
    gift = counter.paid()
    refund = counter.refund(gift, 20_00)
    counter.judge.lose = 9
    assert cards.send_next_refund() is None
    assert refund.refund_id is None
    counter.judge.lose = 0
    assert cards.send_next_refund() is jobs.AGAIN
    assert refund.status is RefundStatus.DONE
    with counter.processor.store.turn() as turn:
        assert len(turn.all("refund")) == 1


def test_a_refund_whose_answer_is_lost_is_known_by_what_is_told(counter: Counter) -> None:
    gift = counter.paid()
    refund = counter.refund(gift, 20_00)
    counter.judge.lose = 9
    cards.send_next_refund()
    counter.judge.lose = 0
    counter.deliver()
    assert refund.status is RefundStatus.DONE
    assert session.scalars(select(CardRefund)).all() == [refund]


def test_a_refund_that_the_processor_refuses_says_why(counter: Counter) -> None:
    gift = counter.paid()
    counter.refund(gift, 50_00)
    counter.processor.refund(str(gift.charge_id), 10_00, {})
    counter.work()
    (refund,) = [one for one in session.scalars(select(CardRefund)) if one.asked_by_id]
    assert refund.status is RefundStatus.FAILED
    assert "greater than unrefunded" in refund.remark
    counter.deliver()
    assert cards.refundable(gift).minor == 40_00


def test_a_refund_made_at_the_processors_own_pages_is_booked_too(counter: Counter) -> None:
    gift = counter.paid()
    counter.processor.refund(str(gift.charge_id), None, {})
    counter.deliver()
    assert status(gift) is ContributionStatus.REFUNDED
    (refund,) = gift.refunds
    assert refund.asked_by_id is None
    assert balance(AccountKind.CARD_CLEARING) == -FEE


def test_a_refund_at_another_rate_is_a_difference_of_exchange(counter: Counter) -> None:
    gift = counter.paid(92_00, "EUR")
    made = counter.processor.refund(str(gift.charge_id), None, {})
    with counter.processor.store.turn() as turn:
        line = turn.get("balance_transaction", made["balance_transaction"])
        turn.put(line | {"amount": -101_50, "net": -101_50})
    counter.deliver()
    assert status(gift) is ContributionStatus.REFUNDED
    assert balance(AccountKind.EXCHANGE_DIFFERENCE) == 1_50
    assert counter.clearing() == {"USD": 100_00 - (int(100_00 * 0.029) + 30) - 101_50}


def disputed(counter: Counter, minor: int = 50_00, currency: str = "USD") -> tuple[CardGift, str]:
    gift = counter.paid(minor, currency)
    made = counter.processor.dispute(str(gift.charge_id))
    counter.deliver(times=2)
    return gift, made["id"]


def test_a_dispute_takes_the_money_and_a_fee(counter: Counter) -> None:
    gift, _name = disputed(counter)
    assert status(gift) is ContributionStatus.DISPUTED
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == 0
    assert balance(AccountKind.BANK_CHARGES) == FEE + 15_00
    assert balance(AccountKind.CARD_CLEARING) == -FEE - 15_00
    with pytest.raises(Refused):
        cards.ask_refund(gift, Money(1, "USD"), REASON, by=counter.finance)


def test_a_dispute_that_is_won_brings_everything_back(counter: Counter) -> None:
    gift, name = disputed(counter)
    counter.processor.end_dispute(name, won=True)
    counter.deliver(times=2)
    assert status(gift) is ContributionStatus.RECEIVED
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == -50_00
    assert balance(AccountKind.BANK_CHARGES) == FEE
    assert balance(AccountKind.CARD_CLEARING) == 50_00 - FEE


def test_what_was_won_can_be_given_back(counter: Counter) -> None:
    gift, name = disputed(counter)
    counter.processor.end_dispute(name, won=True)
    counter.deliver()
    counter.refund(gift, 50_00)
    counter.work()
    assert status(gift) is ContributionStatus.REFUNDED
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == 0
    assert balance(AccountKind.CARD_CLEARING) == -FEE


def test_a_dispute_that_is_lost_keeps_what_was_booked(counter: Counter) -> None:
    gift, name = disputed(counter)
    before = bookings()
    counter.processor.end_dispute(name, won=False)
    counter.deliver()
    assert status(gift) is ContributionStatus.LOST
    assert bookings() == before
    assert gift.contribution is not None
    assert gift.contribution.disputes[0].status is DisputeStatus.LOST


def test_a_dispute_told_all_at_once_and_backwards_ends_the_same(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    with counter.processor.store.turn() as turn:
        (charge,) = turn.all("charge")
    made = counter.processor.dispute(charge["id"])
    counter.processor.end_dispute(made["id"], won=True)
    counter.deliver(backwards=True, times=2)
    assert counter.reasons() == []
    assert status(gift) is ContributionStatus.RECEIVED
    assert len(session.scalars(select(CardMovement)).all()) == 3


def test_a_dispute_in_another_currency_leaves_no_foreign_rest(counter: Counter) -> None:
    _gift, name = disputed(counter, 92_00, "EUR")
    counter.processor.end_dispute(name, won=True)
    counter.deliver()
    assert counter.clearing() == {"USD": 100_00 - (int(100_00 * 0.029) + 30)}
