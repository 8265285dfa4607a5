"""What people say that money is which came back too late by card, and taking that back (R25)."""

import pytest
from sqlalchemy import text

from portal.accounts.models import Role
from portal.awards import service as awards
from portal.awards.models import InstalmentStatus
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import service as payments
from portal.payments.late import refunds_of, to_confirm
from portal.payments.models import (
    BankStatus,
    LateOutcome,
    LateWay,
    OrderStatus,
    PaymentOrder,
    ReceivableStatus,
)
from portal.payments.service.late_outcomes import (
    confirm,
    falls_away,
    say_what_it_is,
    take_back,
)
from portal.payments.statements.queries import todos
from tests.make import payments as make
from tests.make.awards import authority
from tests.payments.late import (
    BECAUSE,
    GIVEN,
    SPENT,
    TITLE,
    another,
    balanced,
    came_back,
    late,
    wrong,
)
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
    for nobody in (late.till.approver, late.till.treasurer, another(Role.TREASURY)):
        with pytest.raises(Refused, match="finance of the fund says"):
            say_what_it_is(late.order, LateWay.REFUND, BECAUSE, by=nobody)
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


# ------------------------------------------------------------------ not received, made anew


def paid_anew(desk: Desk) -> PaymentOrder:
    """Prepare and sign the instalment anew, and let the card processor pay it."""
    details = desk.order.bank_details
    assert details.status is BankStatus.DOUBTED, "the grantee's bank had refused the account"
    payments.verify_bank_details(details, screened=True, by=desk.till.finance)
    order = payments.prepare_order(desk.order.instalment, by=desk.till.finance)
    make.signed(order, desk.till)
    session.commit()
    desk.work()
    desk.order = order
    desk.processor.settle_payout(*desk.payout())
    desk.work()
    return order


def test_what_was_not_received_is_made_anew_under_new_signatures(late: Desk) -> None:
    first, award = late.order, late.order.instalment.award
    outcome = said(late, LateWay.AGAIN)
    assert say_what_it_is(first, LateWay.AGAIN, BECAUSE, by=late.till.finance) is outcome
    assert (outcome.is_open, titles(late)) == (True, [])
    colleague = another()
    confirm_title = "Confirm that a payment that came back is made anew"
    assert [todo.title for todo in todos(colleague)] == [confirm_title]
    for alone in (late.till.finance, late.till.treasurer, late.till.approver):
        with pytest.raises(Refused, match="another of finance or treasury"):
            confirm(outcome, by=alone)
        session.rollback()
    confirm(outcome, by=colleague)
    confirm(outcome, by=colleague)
    session.commit()
    assert (first.status, first.instalment.status) == (
        OrderStatus.RETURNED,
        InstalmentStatus.PLANNED,
    )
    assert first.remark == came_back(late).reason
    assert not came_back(late).left
    assert balance(AccountKind.SUSPENSE) == 0
    assert ledger.award_position(FUND, award.ref).advanced.minor == -SPENT
    assert wrong() == []
    with pytest.raises(Refused, match="counts as come back"):
        take_back(outcome, "It arrived.", by=late.till.finance)
    session.rollback()
    again = paid_anew(late)
    assert (again.status, again.attempt) == (OrderStatus.CONFIRMED, 2)
    assert ledger.award_position(FUND, award.ref).advanced.minor == again.amount_usd - SPENT
    assert wrong() == []


def test_what_the_grantee_owed_of_it_falls_away(late: Desk) -> None:
    owed = balanced(late)
    outcome = said(late, LateWay.AGAIN)
    confirm(outcome, by=another(Role.TREASURY))
    session.commit()
    assert (owed.status, outcome.netted_usd) == (ReceivableStatus.SETTLED, owed.amount_usd)
    assert list(refunds_of(owed)) == [outcome]
    assert wrong() == []
    again = paid_anew(late)
    assert again.amount_usd == SPENT, "of the instalment, what was accepted as spent is due (R22)"
    assert wrong() == []
    payments.settle_account(again.instalment.award, by=late.till.finance)
    payments.close_award(again.instalment.award, by=another(Role.PROGRAMME_OFFICER))
    session.commit()
    assert wrong() == []


def test_it_is_not_made_anew_where_a_part_is_something_else_or_the_grant_has_ended(
    late: Desk,
) -> None:
    refund = refunded(late)
    with pytest.raises(Refused, match="take that back first"):
        said(late, LateWay.AGAIN)
    session.rollback()
    take_back(refund, "They never had it.", by=late.till.finance)
    session.commit()
    outcome = said(late, LateWay.AGAIN)
    award = late.order.instalment.award
    awards.terminate(award, "A breach.", by=authority(award))
    session.commit()
    with pytest.raises(Refused, match="nothing more is paid of it"):
        confirm(outcome, by=another())
    session.rollback()
    take_back(outcome, "The grant has ended.", by=late.till.finance)
    session.commit()
    assert titles(late) == [TITLE]


def test_it_is_not_made_anew_once_the_grantee_paid_it_back(late: Desk) -> None:
    make.paid_back(balanced(late))
    session.commit()
    with pytest.raises(Refused, match="goes back to the grantee"):
        said(late, LateWay.AGAIN)


def test_a_new_attempt_that_comes_back_too_is_made_anew_once_more(late: Desk) -> None:
    balanced(late)
    confirm(said(late, LateWay.AGAIN), by=another())
    session.commit()
    paid_anew(late)
    late.processor.fail_payout(*late.payout())
    late.work()
    assert came_back(late).left.minor == SPENT, "a balance was drawn: it is late again"
    confirm(said(late, LateWay.AGAIN), by=another())
    session.commit()
    assert paid_anew(late).amount_usd == SPENT
    assert wrong() == []


def test_a_debt_falls_away_by_no_more_than_what_came_back(late: Desk) -> None:
    owed = balanced(late)
    assert falls_away(usd(owed.amount_usd + 1), owed).minor == owed.amount_usd
    assert falls_away(usd(100), owed).minor == 100
    assert not falls_away(usd(100), None)


def test_a_grant_that_ends_before_it_is_paid_anew_closes(late: Desk) -> None:
    confirm(said(late, LateWay.AGAIN), by=another())
    award = late.order.instalment.award
    awards.terminate(award, "A breach.", by=authority(award))
    payments.settle_account(award, by=late.till.finance)
    payments.close_award(award, by=another(Role.PROGRAMME_OFFICER))
    session.commit()
    assert wrong() == []


def test_who_said_so_signs_no_new_attempt(late: Desk) -> None:
    treasurer = another(Role.TREASURY)
    confirm(said(late, LateWay.AGAIN), by=treasurer)
    payments.verify_bank_details(late.order.bank_details, screened=True, by=late.till.finance)
    order = payments.prepare_order(late.order.instalment, by=late.till.finance)
    make.signed(order, late.till, OrderStatus.APPROVED)
    session.commit()
    with pytest.raises(Refused, match="You said of payment"):
        payments.release(order, by=treasurer)


# ------------------------------------------------------------------ it stays with the fund


def test_it_stays_with_the_fund_once_another_confirms(late: Desk) -> None:
    with pytest.raises(Refused, match="Draw the balance first"):
        said(late, LateWay.KEPT)
    session.rollback()
    refunded(late)
    before = cost(late)
    outcome = said(late, LateWay.KEPT)
    with pytest.raises(Refused, match="Take that back first"):
        say_what_it_is(late.order, LateWay.REFUND, BECAUSE, by=another())
    assert (outcome.is_open, cost(late), titles(late)) == (True, before, [])
    colleague, treasurer = another(), another(Role.TREASURY)
    task = "Confirm that a payment that came back stays with the fund"
    assert [todo.title for todo in todos(colleague)] == [task]
    assert [todo.title for todo in to_confirm(treasurer)] == [task]
    assert to_confirm(late.till.treasurer) == [], "who signed the payment"
    for alone in (late.till.finance, late.till.treasurer, late.till.approver):
        with pytest.raises(Refused, match="another of finance or treasury"):
            confirm(outcome, by=alone)
        session.rollback()
    confirm(outcome, by=treasurer)
    confirm(outcome, by=treasurer)
    session.commit()
    with pytest.raises(Refused, match="does not wait"):
        confirm(outcome, by=colleague)
    assert (cost(late), came_back(late).left.minor) == (before - SPENT, 0)
    assert balance(AccountKind.SUSPENSE) == 0
    assert balance(AccountKind.CARD_CLEARING) == GIVEN
    assert wrong() == []


def test_what_stays_with_the_fund_is_taken_back(late: Desk) -> None:
    refunded(late)
    before = cost(late)
    outcome = said(late, LateWay.KEPT)
    confirm(outcome, by=another())
    session.commit()
    take_back(outcome, "They claim it after all.", by=late.till.finance)
    session.commit()
    assert (cost(late), came_back(late).left.minor) == (before, SPENT)
    with pytest.raises(Refused, match="does not wait"):
        confirm(outcome, by=another())
    assert wrong() == []


def test_of_a_closed_grant_it_can_still_be_said(late: Desk) -> None:
    outcome = refunded(late)
    payments.close_award(late.order.instalment.award, by=another(Role.PROGRAMME_OFFICER))
    session.commit()
    with pytest.raises(Refused, match="settled for good"):
        take_back(outcome, "It was another payment.", by=late.till.finance)
    session.rollback()
    kept = said(late, LateWay.KEPT)
    confirm(kept, by=another())
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
