"""A payment that the bank debited by several lines, with a charge, or by too little."""

import pytest

from portal.awards.models import PayingAgent
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import exchange
from portal.payments import service as payments
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements import service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


@pytest.fixture
def sent(world: World, teller: Teller) -> PaymentOrder:
    """Return a payment by the bank, released and in its file."""
    award = make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(award, world.till, account="NL30MOCK0000000005", country="NLD", bic="")
    order = payments.prepare_order(award.instalments[0], by=world.till.finance)
    make.signed(order, world.till)
    session.commit()
    list(exchange.gather_all())
    teller.balance = ledger.bank_balance("act", "USD").minor
    return order


def said(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "The bank wrote so.", by=world.till.finance)
    session.commit()


@pytest.mark.parametrize("before", ["nothing", "a notice"])
def test_lines_that_are_the_payment_together_settle_it(
    world: World, sent: PaymentOrder, teller: Teller, before: str
) -> None:
    ref, first, second = sent.ref, sent.amount - 60_000, 40_000
    if before == "a notice":
        payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
        session.commit()
    lines = taken_in(teller, Move(-first, end_to_end_id=ref), Move(-second, f"payment {ref}"))
    sentence = "The bank debited US" if before == "nothing" else "The bank had told of"
    with pytest.raises(Refused, match=sentence):
        said(world, lines[0], Target(Purpose.PAYMENT, order=sent))
    session.rollback()
    lines += taken_in(teller, Move(-20_000, end_to_end_id=ref))
    assert [suspended(each) for each in lines] == [True, True, True]
    said(world, lines[1], Target(Purpose.PAYMENT, order=sent))
    assert [booked_as(each) for each in lines] == [
        [(Purpose.PAYMENT, each.amount)] for each in lines
    ]
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []
    [again] = taken_in(teller, Move(-sent.amount, end_to_end_id=ref))
    with pytest.raises(Refused, match="by another line already"):
        said(world, again, Target(Purpose.PAYMENT, order=sent))


def test_more_than_was_ordered_is_the_payment_and_a_charge(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-sent.amount - 1_500, end_to_end_id=sent.ref))
    said(world, line, Target(Purpose.PAYMENT, -sent.amount, order=sent))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert ledger.holdings("act")[AccountKind.BANK_CHARGES, "USD"].usd == 1_500
    assert wrong() == []


def test_less_than_was_ordered_is_told_and_paired_with_its_correction(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    less = sent.amount - 1_000
    [line] = taken_in(teller, Move(-less, end_to_end_id=sent.ref))
    with pytest.raises(Refused, match="Ask it for the rest") as refused:
        said(world, line, Target(Purpose.PAYMENT, order=sent))
    assert "claim this one back and pair the two" in refused.value.sentence
    session.rollback()
    said(world, line, Target(Purpose.SEND_BACK))
    [rest] = taken_in(teller, Move(-1_000, end_to_end_id=sent.ref))
    with pytest.raises(Refused, match="Ask it for the rest"):
        said(world, rest, Target(Purpose.PAYMENT, order=sent))
    session.rollback()
    said(world, rest, Target(Purpose.BANK_CHARGE))
    back, whole = taken_in(
        teller, Move(less, "a correction"), Move(-sent.amount, end_to_end_id=sent.ref)
    )
    said(world, back, Target(Purpose.SENT_BACK, counterpart=line))
    session.refresh(sent)
    assert (sent.status, suspended(whole)) == (OrderStatus.CONFIRMED, False)
    assert wrong() == []
