"""Somebody who gives, and everybody behind it: the processor, the worker, the desk of the fund."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions.models.cards import CardGift, CardRefund, GiftStatus
from portal.contributions.service import cards
from portal.core import jobs, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import Money
from portal.core.stripe import events
from portal.core.stripe.models import EventState, StripeEvent
from portal.demo.stripe import Processor
from portal.ledger import queries as books
from portal.ledger.models import AccountKind
from tests.core.stripe import pretending
from tests.core.stripe.pretending import Judge
from tests.core.stripe.signing import signature
from tests.make.contributions import FUND, Desk

REASON = "Given twice by mistake."
AMINA = ("Amina Otieno", "amina@example.org")


@dataclass
class Counter:
    """The whole way of a gift, by hand: what is told is delivered when a test says so."""

    processor: Processor
    judge: Judge
    settings: Settings
    officer: Person
    finance: Person
    delivered: int = 0

    def begin(self, minor: int = 50_00, currency: str = "USD", fund: str = FUND) -> CardGift:
        """Return a gift whose donor is on the processor's page."""
        name, email = AMINA
        gift = cards.begin_gift(
            cards.Giving(fund, Money(minor, currency), name, email),
            title="Gift",
            pages="https://portal.example.org/gifts",
        )
        session.commit()
        cards.open_checkout(gift)
        session.commit()
        return gift

    def pay(self, gift: CardGift, *, later: bool = False) -> None:
        """Let the donor pay; what is told of it is not delivered yet."""
        self.processor.pay(str(gift.session_id), later=later)

    def paid(self, minor: int = 50_00, currency: str = "USD", fund: str = FUND) -> CardGift:
        """Return a gift that was paid, and of which the portal knows."""
        gift = self.begin(minor, currency, fund)
        self.pay(gift)
        self.deliver()
        return gift

    def disputed(self, *, won: bool) -> CardGift:
        """Return a gift of which a dispute was decided, for the fund or against it."""
        gift = self.paid()
        made = self.processor.dispute(str(gift.charge_id))
        self.deliver()
        self.processor.end_dispute(made["id"], won=won)
        self.deliver()
        return gift

    def refund(self, gift: CardGift, minor: int) -> CardRefund:
        """Return a refund that two people asked for and confirmed; the worker has not come yet."""
        asked = cards.ask_refund(gift, Money(minor, gift.currency), REASON, by=self.officer)
        cards.confirm_refund(asked, by=self.finance)
        session.commit()
        return asked

    def deliver(self, *, backwards: bool = False, times: int = 1) -> None:
        """Deliver what was told since the last time, and let the worker work."""
        told = self.processor.mailbox.told[self.delivered :]
        self.delivered += len(told)
        for event in reversed(told) if backwards else told:
            for _time in range(times):
                self.hand_over(event)
        self.work()

    def hand_over(self, event: dict[str, object]) -> None:
        """Deliver one message, signed."""
        body = json.dumps(event).encode()
        stripe.take(body, signature(body, self.settings))
        session.commit()

    def work(self) -> None:
        """Be the worker: everything that is due, once."""
        for work in (events.work_on_next, cards.send_next_refund):
            while work() is jobs.AGAIN:
                session.flush()
        session.commit()

    def standing(self, gift: CardGift) -> GiftStatus:
        """Return where a gift stands now."""
        return gift.status

    def reasons(self) -> list[str]:
        """Return why messages wait or failed."""
        open_ones = select(StripeEvent.reason).where(
            StripeEvent.state.in_([EventState.WAITING, EventState.FAILED])
        )
        return list(session.scalars(open_ones))

    def clearing(self, fund: str = FUND) -> dict[str, int]:
        """Return what lies in card clearing by the books, by currency."""
        return {
            currency: held.money.minor
            for (kind, currency), held in books.holdings(fund).items()
            if kind is AccountKind.CARD_CLEARING and held.money
        }


@pytest.fixture
def counter(who: Desk, tmp_path: Path, settings: Settings) -> Iterator[Counter]:
    """Run the pretend processor, with a fund's desk and books, on the shared database."""
    with pretending.connected(tmp_path, settings) as (processor, judge, ours):
        yield Counter(processor, judge, ours, who.officer, who.finance)
