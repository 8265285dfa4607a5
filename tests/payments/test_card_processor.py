"""Payments to grantees through the card processor: against the pretend one, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.awards.models import InstalmentStatus, PayingAgent
from portal.contributions.models.cards import CardMovement, MovementKind
from portal.core import clock, jobs, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import usd
from portal.core.stripe import events
from portal.core.stripe.models import CallState, StripeCall
from portal.core.workflow import Refused
from portal.demo.stripe import Processor
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind
from portal.payments import service
from portal.payments.models import BankStatus, OrderStatus, PaymentOrder
from portal.payments.rails import STRIPE
from portal.payments.rails import stripe as rail
from portal.payments.service import by_processor
from portal.payments.ways import way_of
from tests.core.stripe import pretending
from tests.core.stripe.pretending import Judge
from tests.core.stripe.signing import signature
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.make.payments import Till

FUND = "act"


@dataclass
class Desk:
    """An order that leaves through the card processor, and everybody behind it."""

    processor: Processor
    judge: Judge
    settings: Settings
    till: Till
    order: PaymentOrder
    delivered: int = 0

    def work(self) -> None:
        """Be the worker: what was told, then each step of each payment."""
        told = self.processor.mailbox.told[self.delivered :]
        self.delivered += len(told)
        for event in told:
            body = pretending.body_of(event)
            stripe.take(body, signature(body, self.settings))
        session.commit()
        for work in (events.work_on_next, by_processor.pay_next):
            while work() is jobs.AGAIN:
                session.commit()
            session.commit()
        if self.order not in session:  # a request for a page ended the session
            self.order = session.merge(self.order, load=True)
        session.refresh(self.order)

    def payout(self) -> tuple[str, str]:
        """Return the payout of the order and the account that it leaves."""
        call = session.scalars(
            select(StripeCall).where(StripeCall.key == f"payout:{self.order.ref}")
        ).one()
        return str(call.object_id), call.account

    def made(self) -> dict[str, int]:
        """Return how many things there are at the processor."""
        with self.processor.store.turn() as turn:
            account = turn.all("account")
            payouts = [each for one in account for each in turn.all("payout", one["id"])]
            return {
                "account": len(account),
                "transfer": len(turn.all("transfer")),
                "payout": len(payouts),
            }


@contextmanager
def opened(tmp_path: Path, settings: Settings) -> Iterator[Desk]:
    """Release an order for a country that is switched on; nothing lies in card clearing yet."""
    award = make_award(paying_agent=PayingAgent.HEADQUARTERS)
    countries = f"KEN,{award.application.country}"
    with pretending.connected(tmp_path, settings, stripe_payout_countries=countries) as (
        processor,
        judge,
        ours,
    ):
        rail.configure(ours)
        till = make.till(FUND)
        order = make.order(OrderStatus.RELEASED, award, till)
        session.commit()
        yield Desk(processor, judge, ours, till, order)
    rail.configure(settings)


@pytest.fixture
def desk(db: object, app: object, tmp_path: Path, settings: Settings) -> Iterator[Desk]:
    """Open the desk in the shared database."""
    del db, app
    with opened(tmp_path, settings) as found:
        yield found


def fill(cents: int = 1_000_000) -> None:
    """Let gifts lie with the processor."""
    day = clock.today()
    ledger.contribution_received(
        FUND, usd(cents), "gift:1", day, by=None, into=AccountKind.CARD_CLEARING
    )
    session.commit()


def balance(kind: AccountKind) -> int:
    held = books.holdings(FUND).get((kind, "USD"))
    return held.money.minor if held else 0


def test_only_countries_that_are_switched_on_are_paid_this_way(
    desk: Desk, settings: Settings
) -> None:
    award = desk.order.instalment.award
    assert desk.order.rail == way_of(award).rail == STRIPE.name
    rail.configure(settings)
    assert way_of(award).rail != STRIPE.name
    rail.configure(desk.settings)
    assert not STRIPE.serves("FRA")


def test_a_payment_is_settled_once_the_grantees_bank_has_taken_it(desk: Desk) -> None:
    fill()
    desk.work()
    order = desk.order
    assert order.paid_on is None
    assert desk.made() == {"account": 1, "transfer": 1, "payout": 1}
    assert balance(AccountKind.PAYMENTS_IN_TRANSIT) == -order.amount_usd
    desk.processor.settle_payout(*desk.payout())
    desk.work()
    assert order.status is OrderStatus.CONFIRMED
    assert order.instalment.status is InstalmentStatus.PAID
    assert balance(AccountKind.PAYMENTS_IN_TRANSIT) == 0
    assert balance(AccountKind.CARD_CLEARING) == 1_000_000 - order.amount_usd
    desk.work()
    (moved,) = session.scalars(select(CardMovement)).all()
    assert (moved.kind, moved.amount) == (MovementKind.GRANT_PAID, -order.amount_usd)
    assert desk.made() == {"account": 1, "transfer": 1, "payout": 1}


def test_answers_that_are_lost_at_each_step_pay_nobody_twice(desk: Desk) -> None:
    fill()
    for _step in range(4):
        desk.judge.lose = 9
        desk.work()
        desk.judge.lose = 0
        by_processor.pay_next()
        session.commit()
    desk.work()
    assert desk.made() == {"account": 1, "transfer": 1, "payout": 1}


def test_after_a_day_of_silence_it_is_looked_for_and_not_sent(desk: Desk) -> None:
    fill()
    desk.judge.lose = 99
    for _try in range(3):
        desk.work()
    sent = desk.judge.made("/v1/accounts")
    desk.judge.lose = 0
    with clock.at(clock.now() + timedelta(hours=25)):
        desk.work()
    assert desk.judge.made("/v1/accounts") == sent
    assert desk.made() == {"account": 1, "transfer": 1, "payout": 1}


def test_a_payout_that_fails_is_called_dead_once_the_money_is_back(desk: Desk) -> None:
    fill()
    desk.work()
    desk.processor.fail_payout(*desk.payout())
    desk.work()
    order = desk.order
    assert order.status is OrderStatus.REJECTED
    assert order.remark == "account_closed The bank account has been closed."
    assert order.bank_details.status is BankStatus.DOUBTED
    assert order.instalment.status is InstalmentStatus.PLANNED
    assert balance(AccountKind.CARD_CLEARING) == 1_000_000
    assert balance(AccountKind.PAYMENTS_IN_TRANSIT) == 0
    assert sum(moved.amount for moved in session.scalars(select(CardMovement))) == 0
    with desk.processor.store.turn() as turn:
        (transfer,) = turn.all("transfer")
    assert transfer["reversed"] is True


def test_a_payout_that_fails_after_it_was_paid_comes_back(desk: Desk) -> None:
    fill()
    desk.work()
    desk.processor.settle_payout(*desk.payout())
    desk.work()
    desk.processor.fail_payout(*desk.payout())
    desk.work()
    assert desk.order.status is OrderStatus.RETURNED
    assert desk.order.bank_details.status is BankStatus.DOUBTED
    assert balance(AccountKind.CARD_CLEARING) == 1_000_000
    assert sum(moved.amount for moved in session.scalars(select(CardMovement))) == 0


def test_an_account_that_is_declined_rejects_the_payment(desk: Desk) -> None:
    fill()
    by_processor.pay_next()
    call = session.scalars(select(StripeCall)).one()
    call.state, call.reason, call.answered_at = CallState.DECLINED, "not here", clock.now()
    session.commit()
    desk.work()
    assert (desk.order.status, desk.order.remark) == (OrderStatus.REJECTED, "not here")
    assert desk.made()["transfer"] == 0


def test_a_fund_never_pays_with_the_gifts_of_another(desk: Desk) -> None:
    fill(desk.order.amount_usd - 1)
    desk.work()
    assert desk.made() == {"account": 0, "transfer": 0, "payout": 0}
    assert desk.order.status is OrderStatus.RELEASED


def test_nobody_calls_a_payment_dead_while_the_processor_has_it(desk: Desk) -> None:
    fill()
    desk.work()
    with pytest.raises(Refused, match="tells by itself"):
        service.reject_order(desk.order, "They said so.", by=desk.till.finance)


def test_the_account_stands_in_no_stored_call(desk: Desk) -> None:
    fill()
    desk.work()
    kept = b"".join(session.scalars(select(StripeCall.content)))
    assert b"DE89" not in kept
    assert b"Lakeside" not in kept


def test_another_amount_than_was_ordered_is_left_for_a_person(desk: Desk) -> None:
    fill()
    desk.work()
    with desk.processor.store.turn() as turn:
        (transfer,) = turn.all("transfer")
        line = turn.get("balance_transaction", transfer["balance_transaction"])
        turn.put(line | {"amount": line["amount"] - 1, "net": line["net"] - 1})
    desk.processor.settle_payout(*desk.payout())
    with pytest.raises(Refused, match="another amount"):
        by_processor.pay(desk.order)
    assert desk.order.status is OrderStatus.RELEASED
    call = desk.order.instalment.award.application.call
    award = make_award(of=call, paying_agent=PayingAgent.HEADQUARTERS)
    make.order(OrderStatus.RELEASED, award, desk.till)
    session.commit()
    desk.work()
    assert desk.made()["payout"] == 2
