"""What people said of a credit is taken back once its debit is shown, and never the bank's word."""

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments import service as payments
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements import service
from portal.payments.statements.models import Allocation
from portal.payments.statements.service.allocating import is_final
from tests.payments.conftest import World
from tests.payments.statements.books import taken_in, wrong
from tests.payments.statements.teller import Move, Teller
from tests.payments.statements.test_came_back import (
    payment_violations,
    proposed,
    said,
    who_did_not_sign,
)


def test_a_return_that_a_notice_told_of_is_not_offered_to_be_taken_back(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    payments.return_by_bank(
        sent, credited=sent.money, on=clock.today(), reference="N-1", reason="AC04"
    )
    [line] = taken_in(teller, Move(sent.amount, "back"))
    made = said(line, sent, world.till.finance)
    assert isinstance(made, Allocation)
    assert is_final(made)
    with pytest.raises(Refused, match="is undone by them"):
        service.undo_allocation(made, "It is a gift.", by=world.till.finance)


def test_a_return_is_taken_back_once_a_line_shows_the_debit(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
    _line, first = proposed(world, sent, teller)
    made = service.confirm_return(first, by=who_did_not_sign())
    session.commit()
    with pytest.raises(Refused, match="No line of a statement shows"):
        service.undo_allocation(made, "It is a gift.", by=world.till.finance)
    session.rollback()
    taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    session.expire_all()
    assert not is_final(made)
    service.undo_allocation(made, "It is a gift.", by=world.till.finance)
    session.commit()
    session.refresh(sent)
    assert (sent.status, sent.paid_after_all) == (OrderStatus.CONFIRMED, True)
    assert [*wrong(), *payment_violations()] == []
