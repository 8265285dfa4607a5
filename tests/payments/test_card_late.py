"""A payment by card that comes back after something rests on it: its money waits for a person."""

import pytest
from sqlalchemy import func, select

from portal.contributions.models.cards import CardMovement, MovementKind
from portal.core.db import session
from portal.core.stripe.models import CallState, StripeCall
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.payments import checks, service
from portal.payments.late import late_return
from portal.payments.models import LateReturn, OrderStatus, ReceivableStatus
from portal.payments.rails.stripe import REVERSAL, Progress
from portal.payments.service import by_processor
from portal.payments.service.closing import receivable_of
from portal.payments.service.coming_late import count_as_refund
from portal.payments.statements.queries import todos
from portal.payments.write_offs.service import propose_write_off
from tests.browser import Browser
from tests.make import reports
from tests.make.accounts import PASSWORD
from tests.payments.test_card_processor import Desk, balance, desk, fill

__all__ = ["desk"]

GIVEN = 1_000_000
SPENT = 300_000
TITLE = "Say what a payment by card that came back too late is"
BUTTON = "Count it as the refund that is owed"


def wrong() -> list[str]:
    """Return what the invariants of payments and of statements find."""
    return [said for check in checks.checks() for said in check.run().violations]


@pytest.fixture
def late(desk: Desk) -> Desk:
    """Let the payout fail once a report was accepted on it, so that it comes back too late."""
    fill(GIVEN)
    desk.work()
    desk.processor.settle_payout(*desk.payout())
    desk.work()
    reports.accepted(reports.submitted(desk.order.instalment.award), SPENT)
    session.commit()
    desk.processor.fail_payout(*desk.payout())
    desk.work()
    return desk


def titles(desk: Desk) -> list[str]:
    return [todo.title for todo in todos(desk.till.finance)]


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
    assert titles(late) == [TITLE]
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


def test_finance_counts_it_as_the_refund_that_is_owed(late: Desk, application: object) -> None:
    order, till = late.order, late.till
    with pytest.raises(Refused, match="owes nothing back"):
        count_as_refund(order, "It never arrived.", by=till.finance)
    owed = service.settle_account(order.instalment.award, by=till.finance)
    assert owed is not None
    left = order.amount_usd - owed.amount_usd
    with pytest.raises(Refused, match="by finance"):
        count_as_refund(order, "It never arrived.", by=till.treasurer)
    with pytest.raises(Refused, match="reason"):
        count_as_refund(order, " ", by=till.finance)
    session.commit()
    visitor = Browser(application)  # type: ignore[arg-type]
    address, email, award_id = f"/payments/{order.ref}", till.finance.email, owed.award_id
    visitor.sign_in(email, PASSWORD)
    visitor.open(address)
    assert "It came back too late" in visitor.page.text
    visitor.follow(BUTTON)
    visitor.fill_all(remark="It never arrived.")
    visitor.press("Count it as the refund")
    assert "Recorded as a refund" in visitor.page.text
    found = session.scalars(select(LateReturn)).one()
    paid = receivable_of(found.order.instalment.award)
    assert paid is not None
    assert (paid.award_id, paid.status) == (award_id, ReceivableStatus.SETTLED)
    assert (found.left.minor, found.reason) == (left, "It never arrived.")
    assert balance(AccountKind.SUSPENSE) == -left
    assert balance(AccountKind.CARD_CLEARING) == GIVEN
    assert BUTTON not in visitor.open(address).text
    assert wrong() == []


def test_twice_counts_once(late: Desk) -> None:
    order, finance = late.order, late.till.finance
    service.settle_account(order.instalment.award, by=finance)
    count_as_refund(order, "It never arrived.", by=finance)
    with pytest.raises(Refused, match="owes nothing back"):
        count_as_refund(order, "It never arrived.", by=finance)


def test_nothing_is_written_off_while_it_waits(late: Desk) -> None:
    finance = late.till.finance
    owed = service.settle_account(late.order.instalment.award, by=finance)
    assert owed is not None
    session.commit()
    with pytest.raises(Refused, match=f"Payment {late.order.ref} of this grant came back by card"):
        propose_write_off(owed, "They are gone.", by=finance)
