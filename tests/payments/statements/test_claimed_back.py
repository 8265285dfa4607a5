"""A debit that is claimed back: it comes in parts, and a bank keeps something of it."""

import pytest

from portal.awards import service as awards
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import service as payments
from portal.payments.models import PaymentOrder
from portal.payments.statements import service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.payments.conftest import World
from tests.payments.statements import outgoing
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller

KEPT = 3_000


@pytest.fixture
def ended(world: World, teller: Teller) -> PaymentOrder:
    """Return a payment that the bank refused, of a grant that ended since."""
    award = outgoing.another_award(world)
    order = outgoing.signed(world, award)
    outgoing.leave(teller)
    payments.reject_by_bank(order, reason="AM04")
    awards.terminate(award, "A breach.", by=world.authority)
    payments.settle_account(award, by=world.till.finance)
    session.commit()
    teller.balance = ledger.bank_balance("act", "USD").minor
    return order


def said(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "The bank wrote so.", by=world.till.finance)
    session.commit()


def claimed(world: World, order: PaymentOrder, teller: Teller) -> StatementLine:
    """Return the bank's debit of the payment, which nothing is left to pay of: claimed back."""
    [line] = taken_in(teller, Move(-order.amount, end_to_end_id=order.ref))
    with pytest.raises(Refused, match="claim the debit back from the bank, or from the grantee"):
        said(world, line, Target(Purpose.PAYMENT, order=order))
    session.rollback()
    said(world, line, Target(Purpose.SEND_BACK))
    return line


def test_what_the_bank_keeps_of_a_debit_that_it_gives_back_is_its_charge(
    world: World, ended: PaymentOrder, teller: Teller
) -> None:
    debit = claimed(world, ended, teller)
    [back] = taken_in(teller, Move(ended.amount - KEPT, end_to_end_id=ended.ref))
    said(world, back, Target(Purpose.SENT_BACK, counterpart=debit))
    assert (suspended(debit), suspended(back)) == (True, False)
    assert (debit.left.minor, wrong()) == (-KEPT, [])
    said(world, debit, Target(Purpose.BANK_CHARGE))
    assert not suspended(debit)
    assert ledger.holdings("act")[AccountKind.BANK_CHARGES, "USD"].usd == KEPT
    assert wrong() == []


def test_the_grantee_gives_it_back_in_parts_and_one_is_taken_back(
    world: World, ended: PaymentOrder, teller: Teller
) -> None:
    debit = claimed(world, ended, teller)
    half = ended.amount // 2
    lines = taken_in(teller, Move(half, "half"), Move(half + 700, "the rest, and more"))
    said(world, lines[0], Target(Purpose.SENT_BACK, counterpart=debit))
    with pytest.raises(Refused, match="has still to go back"):
        said(world, lines[1], Target(Purpose.SENT_BACK, counterpart=debit))
    session.rollback()
    said(world, lines[1], Target(Purpose.SENT_BACK, half, counterpart=debit))
    assert not suspended(debit)
    assert wrong() == []
    service.undo_allocation(lines[0].live[-1], "Of somebody else.", by=world.till.finance)
    session.commit()
    assert (suspended(debit), suspended(lines[0])) == (True, True)
    assert booked_as(debit) == [(Purpose.SEND_BACK, -ended.amount), (Purpose.SENT_BACK, -half)]
    assert wrong() == []
