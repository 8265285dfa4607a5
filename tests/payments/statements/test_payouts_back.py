"""A payout of the card processor that failed after arriving: its debit is said to be that."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.contributions.models.cards import CardPayout, PayoutStatus
from portal.contributions.service.cards.checks import checks as of_cards
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments.statements import queries, service
from portal.payments.statements.models import LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.contributions.cards.conftest import Counter
from tests.core.stripe import pretending
from tests.make import contributions as give
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


@pytest.fixture
def cards(world: World, settings: Settings, tmp_path: Path) -> Iterator[Counter]:
    """Run the pretend card processor beside the town of payments."""
    del world
    who = give.desk()
    session.commit()
    with pretending.connected(tmp_path, settings) as (processor, judge, ours):
        yield Counter(processor, judge, ours, who.officer, who.finance)


def failed(cards: Counter, teller: Teller) -> CardPayout:
    """Return a payout that arrived on a statement, and that failed then."""
    cards.paid()
    made = cards.processor.pay_out()
    cards.deliver()
    payout = session.scalars(select(CardPayout)).one()
    [line] = taken_in(teller, Move(payout.amount, f"STRIPE {payout.payout_id}"))
    assert booked_as(line) == [(Purpose.CARD_PAYOUT, payout.amount)]
    cards.processor.fail_payout(made["id"])
    cards.deliver()
    assert payout.status is PayoutStatus.RETURNING
    assert sound() == []
    return payout


def sound() -> list[str]:
    return wrong() + [fault for check in of_cards() for fault in check.run().violations]


def say(
    world: World,
    line: StatementLine,
    ref: str,
    amount: int | None = None,
    *,
    purpose: Purpose = Purpose.CARD_PAYOUT_BACK,
) -> None:
    person = world.till.finance
    target = queries.target_of(line, purpose, ref, amount, person)
    service.allocate(line.id, target, "The processor says that it failed.", by=person)
    session.commit()


def test_the_debit_is_offered_and_books_the_payout_back(
    world: World, teller: Teller, cards: Counter
) -> None:
    before = ledger.bank_balance("act", "USD")
    payout = failed(cards, teller)
    [line] = taken_in(teller, Move(-payout.amount, "Returned transfer"))
    assert suspended(line)
    offered = list(queries.candidates(line, world.till.finance))
    assert [(each.purpose, each.ref) for each in offered] == [
        (Purpose.CARD_PAYOUT_BACK, payout.payout_id)
    ]
    say(world, line, offered[0].ref)
    assert booked_as(line) == [(Purpose.CARD_PAYOUT_BACK, -payout.amount)]
    assert (line.status, payout.status) == (LineStatus.BOOKED, PayoutStatus.TAKEN_BACK)
    assert ledger.bank_balance("act", "USD") == before
    assert ledger.in_suspense("act", "USD", credits_=False) == usd(0)
    assert sound() == []
    with pytest.raises(Refused, match="undone by them"):
        service.undo_allocation(line.live[-1], "A mistake.", by=world.till.finance)


def test_the_next_payout_arrives_with_the_same_money(
    world: World, teller: Teller, cards: Counter
) -> None:
    first = failed(cards, teller)
    [line] = taken_in(teller, Move(-first.amount, "Returned transfer"))
    say(world, line, first.payout_id)
    again = cards.processor.pay_out()
    cards.deliver()
    assert cards.reasons() == []
    [line] = taken_in(teller, Move(again["amount"], f"STRIPE {again['id']}"))
    assert booked_as(line) == [(Purpose.CARD_PAYOUT, first.amount)]
    assert cards.clearing("act") == {}
    assert sound() == []


def test_one_that_failed_before_its_credit_was_taken_in_comes_and_goes(
    world: World, teller: Teller, cards: Counter
) -> None:
    before = ledger.bank_balance("act", "USD")
    cards.paid()
    made = cards.processor.pay_out()
    cards.deliver()
    cards.processor.fail_payout(made["id"])
    cards.deliver()
    payout = session.scalars(select(CardPayout)).one()
    [credit] = taken_in(teller, Move(payout.amount, f"STRIPE {payout.payout_id}"))
    [debit] = taken_in(teller, Move(-payout.amount, "Returned transfer"))
    assert suspended(credit)
    assert suspended(debit)
    say(world, credit, payout.payout_id, purpose=Purpose.CARD_PAYOUT)
    assert payout.status is PayoutStatus.RETURNING
    assert sound() == []
    say(world, debit, payout.payout_id)
    assert (debit.status, payout.status) == (LineStatus.BOOKED, PayoutStatus.TAKEN_BACK)
    assert booked_as(credit) == [(Purpose.CARD_PAYOUT, payout.amount)]
    assert booked_as(debit) == [(Purpose.CARD_PAYOUT_BACK, -payout.amount)]
    assert ledger.bank_balance("act", "USD") == before
    assert sound() == []


def test_another_debit_is_not_taken_for_it(world: World, teller: Teller, cards: Counter) -> None:
    payout = failed(cards, teller)
    [line] = taken_in(teller, Move(-payout.amount - 1, "Returned transfer"))
    assert queries.candidates(line, world.till.finance) == []
    for ref in (payout.payout_id, "po_unknown", ""):
        with pytest.raises(Refused):
            say(world, line, ref)
        session.rollback()
    with pytest.raises(Refused):
        service.allocate(
            line.id, Target(Purpose.CARD_PAYOUT_BACK), "Guessed.", by=world.till.finance
        )
    session.rollback()
    assert suspended(line)
    assert payout.status is PayoutStatus.RETURNING
    assert sound() == []
