"""A payout by card with gifts to two funds: what is another's is sent on, and suspense is even."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.contributions.models.cards import CardPayout
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.service import open_book
from portal.payments.statements import queries, service
from portal.payments.statements.models import LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target
from portal.payments.statements.service.transferring import between_funds
from tests.contributions.cards.conftest import Counter
from tests.core.stripe import pretending
from tests.make import contributions as give
from tests.make import payments as make
from tests.make.payments import Till
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, taken_in, wrong
from tests.payments.statements.teller import Move, Teller

OTHER = "vftc"


@pytest.fixture
def cards(world: World, settings: Settings, tmp_path: Path) -> Iterator[Counter]:
    """Run the pretend card processor beside the town of payments."""
    del world
    who = give.desk()
    open_book(OTHER)
    session.commit()
    with pretending.connected(tmp_path, settings) as (processor, judge, ours):
        yield Counter(processor, judge, ours, who.officer, who.finance)


@pytest.fixture
def payout(cards: Counter) -> CardPayout:
    """Return a payout of gifts to two funds, on its way to the account of one."""
    cards.paid(50_00)
    cards.paid(30_00, fund=OTHER)
    cards.processor.pay_out()
    cards.deliver()
    return session.scalars(select(CardPayout)).one()


@pytest.fixture
def elsewhere() -> tuple[Teller, Till]:
    """Return who writes the statements of the other fund's account, and who reads them."""
    till = make.till(OTHER)
    account = make.fund_account(OTHER, who=till, account="NL30MOCK0000000005")
    session.commit()
    return Teller(account.account, account.currency), till


def sent_on(line: StatementLine, who: Till, amount: int | None = None) -> None:
    target = Target(Purpose.TRANSFER, amount)
    service.allocate(line.id, target, "Its share of the payout.", by=who.finance)
    session.commit()


def test_the_shares_of_others_leave_other_lines_alone(
    world: World, teller: Teller, payout: CardPayout, elsewhere: tuple[Teller, Till]
) -> None:
    [line] = taken_in(teller, Move(payout.amount, f"STRIPE {payout.payout_id}"))
    assert line.status is LineStatus.BOOKED
    assert (between_funds("act", "USD") > usd(0), between_funds(OTHER, "USD") < usd(0)) == (
        True,
        True,
    )
    there, till = elsewhere
    for account, who in ((teller, world.till), (there, till)):
        for minor in (57_00, -57_00):
            [found] = taken_in(account, Move(minor, "of a kind lady"))
            purpose = Target(Purpose.BANK_CHARGE)
            service.allocate(found.id, purpose, "As the bank says.", by=who.finance)
            session.commit()
    assert wrong() == []


def test_a_payout_that_nobody_told_of_is_refused_and_the_one_of_this_amount_offered(
    world: World, teller: Teller, payout: CardPayout
) -> None:
    by = world.till.finance
    [line] = taken_in(teller, Move(payout.amount, "a transfer"))
    offered = [(each.purpose, each.ref) for each in queries.candidates(line, by)]
    assert (Purpose.CARD_PAYOUT, payout.payout_id) in offered
    for ref in ("Stripe nonsense", payout.payout_id.upper()):
        target = Target(Purpose.CARD_PAYOUT, payout_ref=ref)
        if ref.isupper():
            service.allocate(line.id, target, "It is this one.", by=by)
            session.commit()
            break
        with pytest.raises(Refused, match="told of no payout"):
            service.allocate(line.id, target, "It is this one.", by=by)
        session.rollback()
    assert line.live[-1].target_ref == payout.payout_id
    assert wrong() == []


@pytest.mark.parametrize("way", ["matched", "from suspense"])
def test_the_share_of_another_fund_is_sent_on(
    world: World, teller: Teller, payout: CardPayout, elsewhere: tuple[Teller, Till], way: str
) -> None:
    named = f"STRIPE {payout.payout_id}" if way == "matched" else "a transfer"
    [line] = taken_in(teller, Move(payout.amount, named))
    if way == "from suspense":
        whole = Target(Purpose.CARD_PAYOUT, payout_ref=payout.payout_id)
        service.allocate(line.id, whole, "The processor lists it.", by=world.till.finance)
        session.commit()
    share = between_funds("act", "USD")
    assert (share.minor > 0, between_funds(OTHER, "USD")) == (True, -share)
    [out] = taken_in(teller, Move(-share.minor, "to the other fund"))
    with pytest.raises(Refused, match="enter no more"):
        sent_on(taken_in(teller, Move(-share.minor - 1))[0], world.till)
    session.rollback()
    sent_on(out, world.till)
    there, till = elsewhere
    [arrived] = taken_in(there, Move(share.minor, "from the other fund"))
    sent_on(arrived, till)
    assert booked_as(arrived) == [(Purpose.TRANSFER, share.minor)]
    assert arrived.status is LineStatus.BOOKED
    assert (between_funds("act", "USD"), between_funds(OTHER, "USD")) == (usd(0), usd(0))
    assert ledger.holdings(OTHER)[AccountKind.SUSPENSE, "USD"].usd == 0
    assert ledger.bank_balance(OTHER, "USD") == share
    assert wrong() == []
    service.undo_allocation(arrived.live[-1], "Of another month.", by=till.finance)
    session.commit()
    assert between_funds(OTHER, "USD") == -share
    assert wrong() == []


def test_nothing_is_sent_on_that_no_payout_brought(world: World, teller: Teller) -> None:
    for cents in (1, -1):
        [line] = taken_in(teller, Move(cents))
        with pytest.raises(Refused, match=r"US\$ 0\.00 has still to be sent on"):
            sent_on(line, world.till)
        session.rollback()
