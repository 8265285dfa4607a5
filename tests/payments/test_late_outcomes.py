"""What people say that money is which came back too late by card, and taking that back (R25)."""

import pytest
from sqlalchemy import text

from portal.accounts.models import Role
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import service as payments
from portal.payments.late import refunds_of, to_confirm
from portal.payments.models import LateOutcome, LateWay, ReceivableStatus
from portal.payments.service.late_outcomes import confirm_kept, say_what_it_is, take_back
from portal.payments.statements import service as statements
from portal.payments.statements.models import Allocation, Purpose, StatementLine
from portal.payments.statements.queries import candidates, todos
from portal.payments.statements.service import Target
from tests.payments.late import (
    BECAUSE,
    GIVEN,
    SPENT,
    another,
    balanced,
    came_back,
    late,
    teller,
    wrong,
)
from tests.payments.statements.books import booked_as, suspended, taken_in
from tests.payments.statements.teller import Move
from tests.payments.test_card_processor import FUND, Desk, balance

__all__ = ["late"]


def said(desk: Desk, way: LateWay) -> LateOutcome:
    """Let finance say what it is."""
    outcome = say_what_it_is(desk.order, way, BECAUSE, by=desk.till.finance)
    session.commit()
    return outcome


def refunded(desk: Desk) -> LateOutcome:
    """Draw the balance and count what came back as what is owed by it."""
    balanced(desk)
    return said(desk, LateWay.REFUND)


def debited(desk: Desk, amount: int) -> StatementLine:
    """Return a debit of the bank by which it was paid again, in suspense."""
    [line] = taken_in(teller(desk), Move(-amount, f"Payment {desk.order.ref}"))
    assert suspended(line)
    return line


def cost(desk: Desk) -> int:
    """Return what the grant cost the fund by the books, in US cents."""
    award = desk.order.instalment.award
    return ledger.award_position(FUND, award.ref).accepted.minor


def titles(desk: Desk) -> list[str]:
    return [todo.title for todo in todos(desk.till.finance)]


# ------------------------------------------------------------------ the refund that is owed


def test_it_is_the_refund_that_is_owed_as_far_as_that_goes(late: Desk) -> None:
    with pytest.raises(Refused, match="owes nothing back"):
        said(late, LateWay.REFUND)
    session.rollback()
    owed = balanced(late)
    with pytest.raises(Refused, match="finance or treasury"):
        say_what_it_is(late.order, LateWay.REFUND, BECAUSE, by=late.till.approver)
    with pytest.raises(Refused, match="finance or treasury"):
        say_what_it_is(late.order, LateWay.REFUND, BECAUSE, by=late.till.treasurer)
    with pytest.raises(Refused, match="by finance"):
        say_what_it_is(late.order, LateWay.REFUND, BECAUSE, by=another(Role.TREASURY))
    with pytest.raises(Refused, match="reason"):
        say_what_it_is(late.order, LateWay.REFUND, " ", by=late.till.finance)
    session.rollback()
    outcome = said(late, LateWay.REFUND)
    assert (outcome.amount_usd, owed.status) == (owed.amount_usd, ReceivableStatus.SETTLED)
    assert came_back(late).left.minor == SPENT == late.order.amount_usd - owed.amount_usd
    assert list(refunds_of(owed)) == [outcome]
    assert balance(AccountKind.SUSPENSE) == -SPENT
    assert wrong() == []
    with pytest.raises(Refused, match="owes nothing back"):
        said(late, LateWay.REFUND)


def test_a_refund_is_taken_back_and_owed_again(late: Desk) -> None:
    outcome = refunded(late)
    take_back(outcome, "It was another payment.", by=late.till.finance)
    take_back(outcome, "It was another payment.", by=late.till.finance)
    session.commit()
    owed = payments.closing.receivable_of(late.order.instalment.award)
    assert owed is not None
    assert (owed.status, owed.paid_usd) == (ReceivableStatus.OPEN, 0)
    assert came_back(late).left == late.order.money
    assert balance(AccountKind.SUSPENSE) == -late.order.amount_usd
    assert wrong() == []
    assert said(late, LateWay.REFUND).number == outcome.number + 1
    assert wrong() == []


# ------------------------------------------------------------------ paid again by the bank


def test_the_bank_pays_the_rest_again_and_another_officer_says_so(late: Desk) -> None:
    balanced(late)
    with pytest.raises(Refused, match="first count it as that refund"):
        said(late, LateWay.AGAIN)
    session.rollback()
    said(late, LateWay.REFUND)
    outcome = said(late, LateWay.AGAIN)
    assert say_what_it_is(late.order, LateWay.AGAIN, BECAUSE, by=late.till.finance) is outcome
    assert titles(late) == ["See that a payment by card is paid again by the bank"]
    line = debited(late, SPENT)
    found = [each for each in candidates(line, another()) if each.purpose is Purpose.PAID_AGAIN]
    assert [(each.ref, each.is_named) for each in found] == [(late.order.ref, True)]
    target = Target(Purpose.PAID_AGAIN, outcome=outcome)
    with pytest.raises(Refused, match="You said yourself"):
        statements.allocate(line.id, target, BECAUSE, by=late.till.finance)
    session.rollback()
    colleague = another()
    made = statements.allocate(line.id, target, BECAUSE, by=colleague)
    session.commit()
    assert statements.allocate(line.id, target, BECAUSE, by=colleague) is made
    assert booked_as(line) == [(Purpose.PAID_AGAIN, -SPENT)]
    assert not came_back(late).left
    assert (balance(AccountKind.SUSPENSE), titles(late)) == (0, [])
    assert wrong() == []


def test_a_debit_that_paid_less_again_leaves_the_rest_waiting(late: Desk) -> None:
    refunded(late)
    outcome = said(late, LateWay.AGAIN)
    line = debited(late, SPENT + 500)
    target = Target(Purpose.PAID_AGAIN, outcome=outcome)
    colleague = another()
    with pytest.raises(Refused, match="waits to be paid again"):
        statements.allocate(line.id, target, BECAUSE, by=colleague)
    session.rollback()
    part = Target(Purpose.PAID_AGAIN, -100_000, outcome=outcome)
    made = statements.allocate(line.id, part, BECAUSE, by=colleague)
    session.commit()
    assert came_back(late).left.minor == SPENT - 100_000
    assert wrong() == []
    assert isinstance(made, Allocation)
    statements.undo_allocation(made, "Another debit.", by=late.till.finance)
    session.commit()
    assert came_back(late).left.minor == SPENT
    assert (suspended(line), wrong()) == (True, [])


def test_once_it_is_taken_back_no_debit_is_it(late: Desk) -> None:
    refunded(late)
    outcome = said(late, LateWay.AGAIN)
    line = debited(late, SPENT)
    take_back(outcome, "They want it at the end.", by=late.till.finance)
    session.commit()
    with pytest.raises(Refused, match="Nobody says any more"):
        statements.allocate(
            line.id, Target(Purpose.PAID_AGAIN, outcome=outcome), BECAUSE, by=another()
        )
    session.rollback()
    assert Purpose.PAID_AGAIN not in {each.purpose for each in candidates(line, another())}
    assert said(late, LateWay.KEPT).is_open


def test_a_debit_that_names_it_is_nothing_else(late: Desk) -> None:
    refunded(late)
    said(late, LateWay.AGAIN)
    line = debited(late, SPENT)
    with pytest.raises(Refused, match=f"names payment {late.order.ref}"):
        statements.allocate(line.id, Target(Purpose.SUPPORT_COSTS), BECAUSE, by=another())


# ------------------------------------------------------------------ it stays with the fund


def test_it_stays_with_the_fund_once_another_confirms(late: Desk) -> None:
    with pytest.raises(Refused, match="Draw the balance first"):
        said(late, LateWay.KEPT)
    session.rollback()
    refunded(late)
    before = cost(late)
    outcome = said(late, LateWay.KEPT)
    with pytest.raises(Refused, match="Take that back first"):
        say_what_it_is(late.order, LateWay.AGAIN, BECAUSE, by=another())
    assert (outcome.is_open, cost(late), titles(late)) == (True, before, [])
    colleague, treasurer = another(), another(Role.TREASURY)
    confirm = "Confirm that a payment that came back stays with the fund"
    assert [todo.title for todo in todos(colleague)] == [confirm]
    assert [todo.title for todo in to_confirm(treasurer)] == [confirm]
    assert to_confirm(late.till.treasurer) == [], "who signed the payment"
    for alone in (late.till.finance, late.till.treasurer, late.till.approver):
        with pytest.raises(Refused, match="by another"):
            confirm_kept(outcome, by=alone)
        session.rollback()
    confirm_kept(outcome, by=treasurer)
    confirm_kept(outcome, by=treasurer)
    session.commit()
    with pytest.raises(Refused, match="does not wait"):
        confirm_kept(outcome, by=colleague)
    assert (cost(late), came_back(late).left.minor) == (before - SPENT, 0)
    assert balance(AccountKind.SUSPENSE) == 0
    assert balance(AccountKind.CARD_CLEARING) == GIVEN
    assert wrong() == []


def test_what_stays_with_the_fund_is_taken_back(late: Desk) -> None:
    refunded(late)
    before = cost(late)
    outcome = said(late, LateWay.KEPT)
    confirm_kept(outcome, by=another())
    session.commit()
    take_back(outcome, "They claim it after all.", by=late.till.finance)
    session.commit()
    assert (cost(late), came_back(late).left.minor) == (before, SPENT)
    with pytest.raises(Refused, match="does not wait"):
        confirm_kept(outcome, by=another())
    assert wrong() == []


def test_of_a_closed_grant_it_can_still_be_said(late: Desk) -> None:
    outcome = refunded(late)
    payments.close_award(late.order.instalment.award, by=another(Role.PROGRAMME_OFFICER))
    session.commit()
    with pytest.raises(Refused, match="settled for good"):
        take_back(outcome, "It was another payment.", by=late.till.finance)
    session.rollback()
    kept = said(late, LateWay.KEPT)
    confirm_kept(kept, by=another())
    session.commit()
    assert (came_back(late).left.minor, wrong()) == (0, [])


# ------------------------------------------------------------------ what the checks look for


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE late_return SET settled_usd = settled_usd - 1", "are settled, and people said"),
        ("UPDATE late_outcome SET amount_usd = 1 WHERE way = 'refund'", "in the books as"),
        (
            "UPDATE late_outcome SET by_id = (SELECT person_id FROM payment_approval LIMIT 1)",
            "by one person, or by a signatory",
        ),
        (
            "UPDATE late_outcome SET at = at - interval '1 day'",
            "the chain names somebody else, or another time",
        ),
    ],
)
def test_the_checks_name_what_was_changed_beside_the_portal(
    late: Desk, change: str, found: str
) -> None:
    refunded(late)
    for table in ("late_return", "late_outcome"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    session.execute(text(change))
    assert any(found in said for said in wrong())
    session.rollback()


def test_what_was_said_stands_in_the_database(late: Desk) -> None:
    outcome = refunded(late)
    take_back(outcome, "It was another payment.", by=late.till.finance)
    session.commit()
    for change in (
        "UPDATE late_outcome SET undone_reason = 'Other.'",
        "UPDATE late_outcome SET undone_at = NULL, undone_by_id = NULL, undone_reason = ''",
        "UPDATE late_outcome SET amount_usd = 1",
        "DELETE FROM late_outcome",
        "UPDATE late_return SET amount_usd = 1",
    ):
        with pytest.raises(Exception, match=r"stands|is kept|never"):
            session.execute(text(change))
        session.rollback()
