"""What lies with the card processor is paid out once: never with the gifts of another fund."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from portal.awards.models import PayingAgent
from portal.contributions.models.cards import CardMovement, CardPayout, MovementKind, PayoutStatus
from portal.core import clock
from portal.core.config import Settings
from portal.core.db import session
from portal.core.stripe.models import StripeCall
from portal.payments.covering import is_covered
from portal.payments.models import TRANSFER, OrderStatus, PaymentOrder
from portal.payments.rails.stripe import Progress
from portal.payments.service import by_processor
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.payments.test_card_processor import FUND, Desk, desk, fill, opened

__all__ = ["desk"]


@pytest.fixture
def real(
    fresh_database: str, application: object, tmp_path: Path, settings: Settings
) -> Iterator[Desk]:
    """Open the desk in a database with real commits."""
    del fresh_database, application
    with opened(tmp_path, settings) as found:
        yield found


def another(desk: Desk) -> PaymentOrder:
    """Release a second order of the same fund, of the same amount."""
    call = desk.order.instalment.award.application.call
    award = make_award(of=call, paying_agent=PayingAgent.HEADQUARTERS)
    order = make.order(OrderStatus.RELEASED, award, desk.till)
    session.commit()
    assert (order.rail, order.amount_usd) == (desk.order.rail, desk.order.amount_usd)
    return order


def kept() -> set[str]:
    """Return the orders whose transfer is kept or sent."""
    keys = session.scalars(select(StripeCall.key).where(StripeCall.key.startswith(TRANSFER)))
    return {key.removeprefix(TRANSFER) for key in keys}


def test_what_one_payment_takes_does_not_cover_the_next(desk: Desk) -> None:
    second = another(desk)
    fill(desk.order.amount_usd)
    desk.work()
    desk.work()
    assert kept() == {desk.order.ref}
    desk.processor.settle_payout(*desk.payout())
    desk.work()
    assert desk.order.status is OrderStatus.CONFIRMED
    assert kept() == {desk.order.ref}
    desk.processor.fail_payout(*desk.payout())
    desk.work()
    desk.work()
    assert kept() == {desk.order.ref, second.ref}


def test_what_is_on_its_way_to_our_bank_covers_nothing(desk: Desk) -> None:
    fill(desk.order.amount_usd)
    assert is_covered(desk.order)
    payout = CardPayout(payout_id="po_1", amount=1_00, currency="USD", paid_on=clock.today())
    moved = CardMovement(
        transaction_id="txn_1",
        object_id="tr_1",
        fund_code=FUND,
        kind=MovementKind.GRANT_RETURNED,
        currency="USD",
        amount=1_00,
        fee=0,
        amount_usd=1_00,
        fee_usd=0,
        moved_on=clock.today(),
        payout=payout,
    )
    session.add(moved)
    session.flush()
    assert not is_covered(desk.order)
    payout.status = PayoutStatus.FAILED
    session.flush()
    assert is_covered(desk.order)


def test_two_workers_never_set_the_same_money_aside(real: Desk) -> None:
    second = another(real).id
    fill(real.order.amount_usd)
    while not kept():  # the step that keeps the transfer is not committed yet
        session.commit()
        assert by_processor.pay(real.order) is Progress.FURTHER
    found: list[Progress] = []

    def other() -> None:
        try:
            order = session.get_one(PaymentOrder, second)
            while not found or found[-1] is Progress.FURTHER:
                found.append(by_processor.pay(order))
                session.commit()
        finally:
            session.remove()

    worker = Thread(target=other)
    worker.start()
    worker.join(timeout=2)
    assert worker.is_alive()
    session.commit()
    worker.join(timeout=20)
    assert found[-1] is Progress.WAITING
    assert kept() == {real.order.ref}
