"""Gifts by card in the story: one whole, from its page to the bank; one that went back.

The pretend card processor plays its part, and tells the portal of it by its signed messages.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.contributions import service as contributions
from portal.contributions.models.cards import CardGift, CardPayout, CardRefund, PayoutStatus
from portal.contributions.service import cards
from portal.core import jobs
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import usd
from portal.demo import bank
from portal.demo.story.telling import Story
from portal.payments.ways import paying_account

if TYPE_CHECKING:
    from portal.demo.stripe.inside import Inner

FUND = "act"
PROCESSOR = "Stripe Payments"


@dataclass(frozen=True)
class Given:
    """A gift: the day, counted from today, in US cents, of somebody who does not exist."""

    day: int
    cents: int
    name: str
    language: str = "en"


WHOLE = Given(-75, 120_00, "Noor Vandermeulen", "fr")
TWICE = Given(-74, 60_00, "Iker Salaberri")
REASON = "Given by mistake: the donor wrote on the same day and asks for the gift back."
ASKED, CONFIRMED, PAID_OUT, ARRIVED = -73, -72, -70, -68


@dataclass
class Told:
    """What the steps have made so far."""

    settings: Settings
    processors: "list[Inner]" = field(default_factory=list)
    gifts: dict[Given, CardGift] = field(default_factory=dict)
    refunds: list[CardRefund] = field(default_factory=list)

    @property
    def inner(self) -> "Inner":
        """The card processor of the story, which comes with its first step."""
        from portal.demo.stripe.inside import Inner

        if not self.processors:
            self.processors.append(Inner(self.settings))
        return self.processors[0]


def prepare(story: Story, settings: Settings) -> None:
    """Plan the gifts by card, the refund of one, and their way to the bank."""
    told = Told(settings)
    for given in (WHOLE, TWICE):
        story.on(given.day, _giving(told, given), hour=20)
    story.on(ASKED, lambda: _asked(story, told), hour=10)
    story.on(CONFIRMED, lambda: _confirmed(story, told), hour=10)
    story.on(PAID_OUT, lambda: _paid_out(told), hour=5)
    story.on(ARRIVED, _arrived, hour=7)


def _giving(told: Told, given: Given) -> Callable[[], None]:
    def give() -> None:
        address = f"{given.name.split()[0].lower()}@giving.example"
        with told.inner.called() as processor:
            gift = cards.begin_gift(
                cards.Giving(FUND, usd(given.cents), given.name, address, language=given.language),
                title="Gift",
                pages=f"{told.settings.base_url}/gifts",
            )
            cards.open_checkout(gift)
            processor.pay(str(gift.session_id))
        told.gifts[given] = gift
        contributions.issue_due_receipts()

    return give


def _asked(story: Story, told: Told) -> None:
    gift = told.gifts[TWICE]
    asked = cards.ask_refund(gift, gift.money, REASON, by=story.people["donors"])
    told.refunds.append(asked)


def _confirmed(story: Story, told: Told) -> None:
    with told.inner.called():
        cards.confirm_refund(told.refunds[0], by=story.people["finance"])
        while cards.send_next_refund() is jobs.AGAIN:
            pass
    contributions.issue_due_receipts()


def _paid_out(told: Told) -> None:
    with told.inner.called() as processor:
        processor.pay_out()


def _arrived() -> None:
    account = paying_account(FUND)
    if account is None:
        return
    left = select(CardPayout).where(CardPayout.status == PayoutStatus.PAID)
    for payout in session.scalars(left).all():
        bank.credit(account, payout.money, PROCESSOR, f"STRIPE {payout.payout_id}")
