"""Who asks the card processor holds nothing that others wait for, and none ends another."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from portal.contributions.models.cards import CardGift, CardPayout, PayoutStatus
from portal.contributions.service import cards
from portal.core import audit
from portal.core.config import Settings
from portal.core.db import session
from tests.contributions.cards.conftest import Counter
from tests.contributions.cards.test_payouts import arrive, paid_out
from tests.core.stripe import pretending
from tests.make.contributions import desk

SECONDS = 2


@pytest.fixture
def counter(
    fresh_database: str, application: object, tmp_path: Path, settings: Settings
) -> Iterator[Counter]:
    """Run the pretend processor beside a database with real commits."""
    del fresh_database, application
    who = desk()
    session.commit()
    with pretending.connected(tmp_path, settings) as (processor, judge, ours):
        yield Counter(processor, judge, ours, who.officer, who.finance)


def beside(work: Callable[[], object]) -> tuple[Thread, list[Exception]]:
    """Do the work in a transaction of its own; it waits for whoever has their turn."""
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
            session.commit()
        except Exception as failed:  # noqa: BLE001 — the test says which
            session.rollback()
            failures.append(failed)
        finally:
            session.remove()

    thread = Thread(target=run)
    thread.start()
    thread.join(timeout=SECONDS)
    assert thread.is_alive()
    return thread, failures


def test_a_payout_fails_while_its_arrival_is_booked(counter: Counter) -> None:
    counter.paid()
    payout = paid_out(counter)
    payout_id = payout.payout_id
    session.commit()
    counter.processor.fail_payout(payout_id)
    audit.take_turn()
    worker, failures = beside(lambda: cards.look_at_payout(payout_id))
    arrive(payout)
    session.commit()
    worker.join(timeout=20)
    assert failures == []
    statuses = session.scalars(select(CardPayout.status)).all()
    assert statuses == [PayoutStatus.RETURNING]


def test_a_gift_is_read_before_anybody_waits_for_it(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    gift_id = gift.id
    session.commit()
    audit.take_turn()
    worker, failures = beside(lambda: cards.look_at(session.get_one(CardGift, gift_id)))
    assert any("/v1/checkout/sessions/" in heard for heard in counter.judge.heard)
    counter.judge.heard.clear()
    session.execute(select(CardGift.id).with_for_update(nowait=True))
    session.commit()
    worker.join(timeout=20)
    assert failures == []
    assert counter.judge.heard == []
    assert session.get_one(CardGift, gift_id).contribution is not None
    counter.refund(session.get_one(CardGift, gift_id), 10_00)
    audit.take_turn()
    worker, failures = beside(cards.send_next_refund)
    assert "POST /v1/refunds" in counter.judge.heard
    session.execute(select(CardGift.id).with_for_update(nowait=True))
    session.commit()
    worker.join(timeout=20)
    assert failures == []
