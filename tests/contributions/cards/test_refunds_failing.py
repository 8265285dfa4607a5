"""Refunds that fail after they were booked: taken back in the books, and asked for once more."""

import pytest
from sqlalchemy import select

from portal.accounting.queries.given import gifts
from portal.contributions import queries
from portal.contributions.checks import checks
from portal.contributions.models import ContributionReceipt, ContributionStatus
from portal.contributions.models.cards import (
    CardGift,
    CardMovement,
    CardRefund,
    RefundAction,
    RefundStatus,
)
from portal.contributions.service import cards, issue_due_receipts
from portal.contributions.service.cards.checks import checks as of_cards
from portal.core import clock, stripe
from portal.core.check import CheckResult
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger.checks import checks as of_books
from portal.ledger.models import AccountKind
from portal.payments.statements.checks import checks as of_statements
from tests.contributions.cards.conftest import Counter
from tests.contributions.conftest import balance
from tests.make.contributions import FUND

FEE = int(5000 * 0.029) + 30
EXPIRED = "lost_or_stolen_card"


def violations() -> list[str]:
    """Return what `portal check` finds of gifts, books and statements."""
    session.commit()
    every = (*checks(), *of_cards(), *of_books(), *of_statements())
    found: list[CheckResult] = [check.run() for check in every]
    return [fault for each in found for fault in each.violations]


def failed(counter: Counter, minor: int = 50_00) -> tuple[CardGift, CardRefund]:
    """Return a gift whose refund was booked, and failed then."""
    gift = counter.paid()
    refund = counter.refund(gift, minor)
    counter.work()
    assert refund.status is RefundStatus.DONE
    counter.deliver()
    counter.processor.fail_refund(str(refund.refund_id))
    counter.deliver(times=2)
    assert counter.reasons() == []
    return gift, refund


def standing(gift: CardGift) -> ContributionStatus:
    assert gift.contribution is not None
    session.refresh(gift.contribution)
    return gift.contribution.status


@pytest.mark.parametrize("minor", [50_00, 20_00])
def test_everything_stands_as_before_the_refund(counter: Counter, minor: int) -> None:
    gift, refund = failed(counter, minor)
    assert (refund.status, refund.remark) == (RefundStatus.FAILED, EXPIRED)
    assert standing(gift) is ContributionStatus.RECEIVED
    assert cards.refundable(gift).minor == 50_00
    assert balance(AccountKind.SUSPENSE) == 0
    assert balance(AccountKind.CARD_CLEARING) == 50_00 - FEE
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == -50_00
    assert violations() == []


def test_a_second_refund_of_its_own_reaches_the_donor(counter: Counter) -> None:
    gift, first = failed(counter)
    second = counter.refund(gift, 50_00)
    counter.work()
    counter.deliver(times=2)
    assert (first.status, second.status) == (RefundStatus.FAILED, RefundStatus.DONE)
    assert first.call is not None
    assert second.call is not None
    assert first.call.key != second.call.key
    assert standing(gift) is ContributionStatus.REFUNDED
    assert (balance(AccountKind.SUSPENSE), balance(AccountKind.CARD_CLEARING)) == (0, -FEE)
    assert violations() == []


@pytest.mark.parametrize("first", [50_00, 30_00])
def test_one_made_again_before_the_failure_was_heard_of_is_booked(
    counter: Counter, first: int
) -> None:
    gift = counter.paid()
    refund = counter.refund(gift, first)
    counter.work()
    counter.deliver()
    counter.processor.fail_refund(str(refund.refund_id))
    counter.processor.refund(str(gift.charge_id), 50_00, {})
    counter.deliver(backwards=True)
    assert counter.reasons() == []
    assert [each.status for each in gift.refunds] == [RefundStatus.FAILED, RefundStatus.DONE]
    assert standing(gift) is ContributionStatus.REFUNDED
    assert (balance(AccountKind.SUSPENSE), balance(AccountKind.CARD_CLEARING)) == (0, -FEE)
    assert violations() == []


def test_none_of_two_is_known_when_the_first_has_failed(counter: Counter) -> None:
    gift = counter.paid()
    made = counter.processor.refund(str(gift.charge_id), 50_00, {})
    counter.processor.fail_refund(made["id"])
    counter.processor.refund(str(gift.charge_id), 50_00, {})
    counter.deliver(backwards=True)
    assert counter.reasons() == []
    assert standing(gift) is ContributionStatus.REFUNDED
    assert violations() == []


def test_a_failure_that_is_told_first_and_backwards_ends_the_same(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    with counter.processor.store.turn() as turn:
        (charge,) = turn.all("charge")
    made = counter.processor.refund(charge["id"], 10_00, {})
    counter.processor.fail_refund(made["id"])
    counter.deliver(backwards=True, times=2)
    assert counter.reasons() == []
    (refund,) = gift.refunds
    assert (refund.status, refund.asked_by_id) == (RefundStatus.FAILED, None)
    assert standing(gift) is ContributionStatus.RECEIVED
    assert len(session.scalars(select(CardMovement)).all()) == 3
    assert balance(AccountKind.CARD_CLEARING) == 50_00 - FEE
    assert violations() == []


def test_it_waits_until_the_money_is_back_at_the_processor(counter: Counter) -> None:
    gift = counter.paid()
    refund = counter.refund(gift, 50_00)
    counter.work()
    with counter.processor.store.turn() as turn:
        made = turn.get("refund", str(refund.refund_id))
        turn.put(made | {"status": "failed", "failure_reason": EXPIRED})
    session.commit()
    with pytest.raises(stripe.Later):
        cards.look_at(gift)
    session.rollback()
    assert standing(gift) is ContributionStatus.REFUNDED
    counter.processor.fail_refund(made["id"])
    counter.deliver()
    assert standing(gift) is ContributionStatus.RECEIVED


def test_one_fails_once_however_often_it_is_told(counter: Counter) -> None:
    gift, refund = failed(counter)
    with counter.processor.store.turn() as turn:
        lines = len(turn.all("balance_transaction"))
    counter.processor.fail_refund(str(refund.refund_id))
    with counter.processor.store.turn() as turn:
        assert len(turn.all("balance_transaction")) == lines
    assert standing(gift) is ContributionStatus.RECEIVED


def test_one_in_another_currency_leaves_no_foreign_rest(counter: Counter) -> None:
    gift = counter.paid(92_00, "EUR")
    made = counter.processor.refund(str(gift.charge_id), None, {})
    counter.deliver()
    counter.processor.fail_refund(made["id"])
    counter.deliver()
    assert counter.clearing() == {"USD": 100_00 - (int(100_00 * 0.029) + 30)}
    assert balance(AccountKind.SUSPENSE) == 0
    assert violations() == []


def test_a_fee_that_the_failure_cost_is_booked_too(counter: Counter) -> None:
    gift = counter.paid()
    made = counter.processor.refund(str(gift.charge_id), None, {})
    counter.deliver()
    made = counter.processor.fail_refund(made["id"])
    with counter.processor.store.turn() as turn:
        line = turn.get("balance_transaction", made["failure_balance_transaction"])
        turn.put(line | {"fee": 1_00, "net": line["amount"] - 1_00})
    counter.deliver()
    assert balance(AccountKind.BANK_CHARGES) == FEE + 1_00
    assert balance(AccountKind.CARD_CLEARING) == 50_00 - FEE - 1_00
    assert violations() == []


def test_receipt_and_figures_say_what_is_left_with_the_fund(counter: Counter) -> None:
    gift, _refund = failed(counter, 20_00)
    issue_due_receipts()
    session.commit()
    assert gift.contribution is not None
    assert gift.contribution.edition == 3
    assert gift.contribution.kept == gift.money
    receipts = session.scalars(select(ContributionReceipt.edition)).all()
    assert list(receipts) == [3]
    (line,) = queries.by_fund(counter.officer, [FUND])
    assert (line.received.minor, line.refunded.minor) == (50_00, 0)
    given = gifts(clock.today())[FUND]
    assert sum(each.received for pool in given.values() for each in pool.values()) == 50_00


def titles(person: object) -> list[str]:
    return [each.title for each in queries.todos(person)]  # type: ignore[arg-type]


def test_it_is_a_task_until_somebody_has_seen_to_it(counter: Counter) -> None:
    gift, refund = failed(counter)
    said = "A refund by card failed: The card was lost or stolen"
    assert said in titles(counter.finance)
    assert said in titles(counter.officer)
    cards.close_refund(refund, RefundAction.NOTE, by=counter.officer)
    assert said not in titles(counter.finance)
    with pytest.raises(Refused):
        cards.close_refund(refund, RefundAction.NOTE, by=counter.finance)
    assert cards.refundable(gift).minor == 50_00


def test_it_is_no_task_once_it_was_asked_for_again(counter: Counter) -> None:
    gift, _refund = failed(counter)
    counter.refund(gift, 50_00)
    assert not [each for each in titles(counter.finance) if "failed" in each]
