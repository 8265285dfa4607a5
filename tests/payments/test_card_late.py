"""A payment by card that comes back after something rests on it: its money waits for a person."""

import pytest
from sqlalchemy import func, select

from portal.contributions.models.cards import CardMovement, MovementKind
from portal.core.db import session
from portal.core.stripe.models import CallState, StripeCall
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.payments.late import late_return
from portal.payments.models import LateReturn, OrderStatus
from portal.payments.rails.stripe import REVERSAL, Progress
from portal.payments.service import by_processor
from portal.payments.statements.queries import todos
from portal.payments.write_offs.service import propose_write_off
from tests.payments.late import GIVEN, TITLE, balanced, late, wrong
from tests.payments.test_card_processor import Desk, balance

__all__ = ["late"]


def test_its_money_waits_in_suspense_and_card_clearing_is_right(late: Desk) -> None:
    order = late.order
    assert order.status is OrderStatus.CONFIRMED
    found = late_return(order)
    assert found is not None
    assert (found.left, found.order) == (order.money, order)
    moved = session.scalars(select(CardMovement).order_by(CardMovement.amount)).all()
    assert [each.kind for each in moved] == [MovementKind.GRANT_PAID, MovementKind.GRANT_RETURNED]
    assert moved[1].transaction_id == found.transaction_id
    assert sum(each.amount for each in moved) == 0
    assert balance(AccountKind.CARD_CLEARING) == GIVEN
    assert balance(AccountKind.SUSPENSE) == -order.amount_usd
    assert [todo.title for todo in todos(late.till.finance)] == [TITLE]
    assert wrong() == []


def test_its_retry_ends_and_hearing_it_again_changes_nothing(late: Desk) -> None:
    call = select(StripeCall).where(StripeCall.key == REVERSAL + late.order.ref)
    assert session.scalars(call).one().state is CallState.ANSWERED
    heard = len(late.judge.heard)
    late.work()
    assert len(late.judge.heard) == heard
    assert by_processor.pay(late.order) is Progress.OVER
    assert session.scalar(select(func.count()).select_from(LateReturn)) == 1
    assert balance(AccountKind.SUSPENSE) == -late.order.amount_usd


def test_nothing_is_written_off_while_it_waits(late: Desk) -> None:
    owed = balanced(late)
    with pytest.raises(Refused, match=f"Payment {late.order.ref} of this grant came back by card"):
        propose_write_off(owed, "They are gone.", by=late.till.finance)
