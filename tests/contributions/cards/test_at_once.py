"""Two workers, two clicks, real commits: whatever happens at once happens once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.contributions.models import Contribution
from portal.contributions.models.cards import CardGift, CardMovement, CardRefund
from portal.contributions.service import cards
from portal.contributions.service.cards.checks import checks
from portal.core import jobs, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import Money
from portal.core.stripe import events
from portal.core.workflow import Refused
from portal.demo.stripe import Processor
from tests.core.stripe import pretending
from tests.core.stripe.signing import signature
from tests.make.contributions import FUND, desk

WORKERS = 4
REASON = "Given twice."


@pytest.fixture
def town(
    fresh_database: str, tmp_path: Path, settings: Settings
) -> Iterator[tuple[Processor, Settings]]:
    """Run the pretend processor beside a database with real commits."""
    del fresh_database
    with pretending.connected(tmp_path, settings) as (processor, _judge, ours):
        yield processor, ours


def at_once(work: Callable[[], object]) -> list[object]:
    """Do the same in several threads, each with a session of its own; keep what was refused."""

    def one(_number: int) -> object:
        try:
            found = work()
            session.commit()
        except Refused as refused:
            session.rollback()
            return refused
        else:
            return found
        finally:
            session.remove()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, range(WORKERS)))


def count(kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def drain() -> None:
    """Be one of several workers."""
    while events.work_on_next() is jobs.AGAIN:
        session.commit()


def test_workers_who_hear_the_same_book_once(town: tuple[Processor, Settings]) -> None:
    processor, settings = town
    who = desk()
    officer, finance = who.officer.id, who.finance.id
    gift = cards.begin_gift(
        cards.Giving(FUND, Money(50_00, "USD"), "Amina", "amina@example.org"),
        title="Gift",
        pages="https://portal.example.org/gifts",
    )
    session.commit()
    gift_id = gift.id
    session.commit()
    addresses = at_once(lambda: cards.open_checkout(session.get_one(CardGift, gift_id)))
    assert len(set(addresses)) == 1
    session.rollback()
    page = processor.pay(str(session.scalars(select(CardGift.session_id)).one()))
    session.rollback()
    for number in range(8):
        told = processor.mailbox.told[0] | {"id": f"evt_same_{number}"}
        body = json.dumps(told).encode()
        stripe.take(body, signature(body, settings))
    session.commit()
    at_once(drain)
    drain()
    session.commit()
    assert (count(Contribution), count(CardMovement)) == (1, 1)

    def ask() -> object:
        one = session.scalars(select(CardGift)).one()
        person = session.get_one(Person, officer)
        return cards.ask_refund(one, Money(30_00, "USD"), REASON, by=person).ref

    asked = at_once(ask)
    assert sum(isinstance(each, Refused) for each in asked) == WORKERS - 1
    session.rollback()

    def confirm() -> object:
        refund = session.scalars(select(CardRefund)).one()
        cards.confirm_refund(refund, by=session.get_one(Person, finance))
        return refund.ref

    confirmed = at_once(confirm)
    assert sum(isinstance(each, Refused) for each in confirmed) == WORKERS - 1
    at_once(cards.send_next_refund)
    session.rollback()
    assert count(CardRefund) == 1
    with processor.store.turn() as turn:
        assert [each["amount"] for each in turn.all("refund")] == [30_00]
    assert page["payment_status"] == "paid"
    assert [fault for check in checks() for fault in check.run().violations] == []
