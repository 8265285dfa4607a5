"""Gifts by card in the story: told by signed messages, whole to the bank, and one given back."""

import pytest
from sqlalchemy import func, select

from portal.contributions.models import ContributionStatus
from portal.contributions.models.cards import (
    CardGift,
    CardPayout,
    CardRefund,
    GiftStatus,
    PayoutStatus,
    RefundStatus,
)
from portal.core.config import Settings
from portal.core.db import session
from portal.core.stripe.models import EventState, StripeEvent
from portal.demo.stripe.inside import Inner
from portal.ledger import queries as books
from portal.ledger.models import AccountKind
from portal.payments.statements.models import Allocation, LineStatus, Purpose
from tests.browser import Browser

pytestmark = pytest.mark.usefixtures("told")


def test_one_gift_is_whole_and_one_went_back() -> None:
    gifts = session.scalars(select(CardGift).order_by(CardGift.begun_at)).all()
    assert {gift.status for gift in gifts} == {GiftStatus.PAID}
    assert [gift.contribution.status for gift in gifts if gift.contribution] == [
        ContributionStatus.RECEIVED,
        ContributionStatus.REFUNDED,
    ]
    refund = session.scalars(select(CardRefund)).one()
    assert refund.status is RefundStatus.DONE
    assert None not in {refund.asked_by_id, refund.confirmed_by_id}
    assert refund.asked_by_id != refund.confirmed_by_id


def test_what_is_left_of_both_arrived_at_the_bank() -> None:
    payout = session.scalars(select(CardPayout)).one()
    fees = sum(int(cents * 0.029) + 30 for cents in (120_00, 60_00))
    assert (payout.status, payout.amount) == (PayoutStatus.ARRIVED, 120_00 - fees)
    lines = select(Allocation).where(Allocation.purpose == Purpose.CARD_PAYOUT)
    line = session.scalars(lines).one().line
    assert (line.status, line.money) == (LineStatus.BOOKED, payout.money)
    held = books.holdings("act").get((AccountKind.CARD_CLEARING, "USD"))
    assert held is None or not held.money


def test_everything_was_told_by_messages_and_nothing_waits() -> None:
    states = select(StripeEvent.state, func.count()).group_by(StripeEvent.state)
    found = dict(session.execute(states).all())
    assert found.keys() <= {EventState.DONE, EventState.IGNORED}
    assert found[EventState.DONE] >= 4


def test_the_card_processor_of_the_demonstration_remembers_them(visitor: Browser) -> None:
    payout = session.scalars(select(CardPayout.payout_id)).one()
    assert payout in visitor.open("/demo/stripe/staff", 200).text


def test_a_story_begins_with_a_processor_that_holds_nothing(
    told_settings: Settings, tmp_path: object
) -> None:
    elsewhere = told_settings.model_copy(update={"data_dir": tmp_path})
    first = Inner(elsewhere)
    first.processor.charge_fee(2_00)
    with Inner(elsewhere).processor.store.turn() as turn:
        assert turn.all("balance_transaction") == []
