"""Payments that come back after something rests on them: the money waits for a person."""

from collections.abc import Callable

import pytest

from portal.awards import service as awards
from portal.awards.models import InstalmentStatus
from portal.core import clock
from portal.core.check import Check
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import checks as payment_checks
from portal.payments import service as payments
from portal.payments.models import OrderStatus, PaymentOrder, ReceivableStatus
from portal.payments.service.closing import receivable_of
from portal.payments.statements import service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import payments as make
from tests.make import reports
from tests.payments.conftest import World
from tests.payments.statements import outgoing
from tests.payments.statements.books import booked_as, suspended, taken_in
from tests.payments.statements.books import wrong as wrong_lines
from tests.payments.statements.teller import Move, Teller


def wrong() -> list[str]:
    """Return what the invariants of payments and of statements find."""
    asked: list[Check] = payment_checks.checks()
    return [*wrong_lines(), *(said for each in asked for said in each.run().violations)]


def by_bank(order: PaymentOrder, world: World, teller: Teller) -> PaymentOrder:
    """Return the order, signed, sent, and debited by a line of the bank."""
    make.signed(order, world.till)
    outgoing.leave(teller)
    taken_in(teller, Move(-order.amount, end_to_end_id=order.ref))
    session.refresh(order)
    assert order.status is OrderStatus.CONFIRMED
    return order


@pytest.fixture
def paid(world: World, teller: Teller) -> PaymentOrder:
    """Return the first instalment of a grant, paid by the bank."""
    order = outgoing.signed(world, outgoing.another_award(world))
    return by_bank(order, world, teller)


def came_back(order: PaymentOrder, teller: Teller) -> StatementLine:
    [line] = taken_in(teller, Move(order.amount, end_to_end_id=order.ref, is_return=True))
    session.refresh(order)
    return line


def spending_accepted(order: PaymentOrder, world: World) -> None:
    del world
    reports.accepted(reports.submitted(order.instalment.award), 300_000)


def balance_drawn(order: PaymentOrder, world: World) -> None:
    spending_accepted(order, world)
    payments.settle_account(order.instalment.award, by=world.till.finance)


def terminated_and_settled(order: PaymentOrder, world: World) -> None:
    awards.terminate(order.instalment.award, "A breach.", by=world.authority)
    payments.settle_account(order.instalment.award, by=world.till.finance)


@pytest.mark.parametrize("rests", [spending_accepted, balance_drawn, terminated_and_settled])
def test_what_comes_back_too_late_waits_in_suspense(
    world: World,
    teller: Teller,
    paid: PaymentOrder,
    rests: Callable[[PaymentOrder, World], None],
) -> None:
    rests(paid, world)
    session.commit()
    line = came_back(paid, teller)
    assert suspended(line)
    assert "came back too late" in line.note
    assert "Ask the grantee" in line.note
    assert (paid.status, paid.instalment.status) == (OrderStatus.CONFIRMED, InstalmentStatus.PAID)
    assert wrong() == []
    with pytest.raises(Refused, match="came back too late"):
        payments.return_by_bank(
            paid, credited=paid.money, on=clock.today(), reference="N-1", reason="AC04"
        )


def test_what_comes_back_of_a_closed_file_waits_and_goes_back(
    world: World, teller: Teller, paid: PaymentOrder
) -> None:
    terminated_and_settled(paid, world)
    award = paid.instalment.award
    taken_in(teller, Move(paid.amount, award.ref))
    payments.close_award(award, by=world.officer)
    session.commit()
    line = came_back(paid, teller)
    assert suspended(line)
    said = Target(Purpose.SEND_BACK)
    service.allocate(line.id, said, "Nobody knows it.", by=world.till.finance)
    session.commit()
    assert ledger.outstanding("act", award.ref).minor == 0
    assert wrong() == []


def test_it_settles_the_refund_that_is_owed(
    world: World, teller: Teller, paid: PaymentOrder
) -> None:
    terminated_and_settled(paid, world)
    session.commit()
    line = came_back(paid, teller)
    owed = receivable_of(paid.instalment.award)
    assert owed is not None
    said = Target(Purpose.REFUND, receivable=owed)
    service.allocate(line.id, said, "The bank gave it back.", by=world.till.finance)
    session.commit()
    assert (owed.status, booked_as(line)) == (
        ReceivableStatus.SETTLED,
        [(Purpose.REFUND, paid.amount)],
    )
    payments.close_award(paid.instalment.award, by=world.officer)
    session.commit()
    assert wrong() == []


def test_the_last_instalment_comes_back_and_is_paid_anew(
    world: World, teller: Teller, paid: PaymentOrder
) -> None:
    award = paid.instalment.award
    reports.accepted(reports.submitted(award), 480_000)
    last = payments.prepare_order(award.instalments[1], by=world.till.finance)
    by_bank(last, world, teller)
    line = came_back(last, teller)
    assert booked_as(line) == [(Purpose.RETURN, last.amount)]
    assert last.status is OrderStatus.RETURNED
    assert wrong() == []
    payments.verify_bank_details(last.bank_details, screened=True, by=world.till.finance)
    again = payments.prepare_order(award.instalments[1], by=world.till.finance)
    assert again.amount_usd == last.amount_usd
    by_bank(again, world, teller)
    payments.close_award(award, by=world.officer)
    session.commit()
    assert wrong() == []
