"""Each line is booked once, as what it is; what leaves a doubt waits in suspense."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.contributions.models import Contribution
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import exchange
from portal.payments import service as payments
from portal.payments.models import OrderStatus, PaymentOrder, Receivable, ReceivableStatus
from portal.payments.statements import service
from portal.payments.statements.models import LineStatus, Purpose
from tests.make import contributions as give
from tests.make import payments as make
from tests.make import reports
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


@pytest.fixture
def owed(world: World) -> Receivable:
    """Return US$ 840.00 that a grantee owes."""
    order = make.signed(world.order, world.till)
    payments.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(world.paid), 300_000)
    found = payments.settle_account(world.paid, by=world.till.finance)
    session.commit()
    assert found is not None
    return found


def test_a_debit_under_our_reference_settles_its_payment(
    sent: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    assert booked_as(line) == [(Purpose.PAYMENT, -sent.amount)]
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []


def test_a_payment_that_comes_back_is_returned(sent: PaymentOrder, teller: Teller) -> None:
    _paid, back = taken_in(
        teller,
        Move(-sent.amount, end_to_end_id=sent.ref),
        Move(sent.amount, end_to_end_id=sent.ref, is_return=True),
    )
    assert booked_as(back) == [(Purpose.RETURN, sent.amount)]
    session.refresh(sent)
    assert sent.status is OrderStatus.RETURNED
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []


def test_a_notice_before_the_statement_is_not_booked_twice(
    sent: PaymentOrder, teller: Teller
) -> None:
    payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
    session.commit()
    [line] = taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    assert booked_as(line) == [(Purpose.PAYMENT, -sent.amount)]
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []


def test_a_second_debit_of_a_payment_waits_and_is_found(sent: PaymentOrder, teller: Teller) -> None:
    first, second = taken_in(
        teller,
        Move(-sent.amount, end_to_end_id=sent.ref),
        Move(-sent.amount, end_to_end_id=sent.ref),
    )
    assert (suspended(first), suspended(second)) == (False, True)
    assert [said for said in wrong() if "debited 2 times" in said]


def test_another_amount_than_was_ordered_waits(sent: PaymentOrder, teller: Teller) -> None:
    [line] = taken_in(teller, Move(-sent.amount + 1, end_to_end_id=sent.ref))
    assert suspended(line)
    session.refresh(sent)
    assert sent.status is OrderStatus.RELEASED


def test_one_debit_for_a_whole_file_settles_each_of_its_payments(
    sent: PaymentOrder, teller: Teller
) -> None:
    assert sent.file is not None
    [line] = taken_in(teller, Move(-sent.amount, batch_id=sent.file.message_id))
    assert booked_as(line) == [(Purpose.PAYMENT, -sent.amount)]
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert wrong() == []


@pytest.mark.parametrize("written", ["{}", "for agreement {} please", "{}.", "BANK {}"])
def test_a_donor_who_names_the_agreement_is_matched(
    world: World, teller: Teller, written: str
) -> None:
    del world
    desk = give.desk()
    agreement = give.agreement(desk)
    session.commit()
    [line] = taken_in(teller, Move(300_000, written.format(agreement.ref.lower())))
    assert booked_as(line) == [(Purpose.CONTRIBUTION, 300_000)]
    session.refresh(agreement)
    assert agreement.settled == 300_000
    assert session.scalars(select(Contribution)).one().amount == 300_000
    assert wrong() == []


def test_more_than_was_agreed_is_a_contribution_of_its_own(world: World, teller: Teller) -> None:
    del world
    agreement = give.agreement(give.desk())
    session.commit()
    [line] = taken_in(teller, Move(1_200_000, agreement.ref))
    assert booked_as(line) == [(Purpose.CONTRIBUTION, 1_200_000)]
    assert {each.amount for each in session.scalars(select(Contribution))} == {1_000_000, 200_000}
    assert wrong() == []


def test_two_agreements_named_leave_a_doubt(world: World, teller: Teller) -> None:
    del world
    desk = give.desk()
    one, other = give.agreement(desk), give.agreement(desk)
    session.commit()
    [line] = taken_in(teller, Move(300_000, f"{one.ref} {other.ref}"))
    assert suspended(line)


def test_a_refund_comes_in_parts(owed: Receivable, teller: Teller) -> None:
    ref = owed.award.ref
    [first] = taken_in(teller, Move(40_000, ref))
    session.refresh(owed)
    assert (owed.status, owed.left_usd) == (ReceivableStatus.PARTLY_PAID, 44_000)
    [second] = taken_in(teller, Move(44_000, ref))
    session.refresh(owed)
    assert (owed.status, owed.left_usd) == (ReceivableStatus.SETTLED, 0)
    assert booked_as(first) == [(Purpose.REFUND, 40_000)]
    assert booked_as(second) == [(Purpose.REFUND, 44_000)]
    assert wrong() == []


def test_what_is_too_much_of_a_refund_waits(owed: Receivable, teller: Teller) -> None:
    [line] = taken_in(teller, Move(100_000, owed.award.ref))
    session.refresh(owed)
    assert owed.status is ReceivableStatus.SETTLED
    assert booked_as(line) == [(Purpose.REFUND, 84_000)]
    assert suspended(line)
    assert line.left == usd(16_000)
    assert ledger.in_suspense("act", "USD", credits_=True) == usd(16_000)
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []


def test_a_charge_is_suggested_and_waits(teller: Teller) -> None:
    [line] = taken_in(teller, Move(-250, code="MDOP/CHRG"))
    assert suspended(line)
    assert line.purpose is Purpose.BANK_CHARGE


def test_booking_goes_on_where_it_was_left(world: World, teller: Teller) -> None:
    del world
    service.import_statement(teller.file(*(Move(100 + each) for each in range(7))), by=None)
    session.commit()
    assert service.book_lines(3).suspended == 3
    session.commit()
    assert service.waiting() == 4
    assert service.book_lines(3).suspended == 3
    session.rollback()
    assert service.waiting() == 4
    assert sum(done.suspended for done in exchange.book_all()) == 4
    assert service.waiting() == 0
    assert ledger.position("act").received.minor > 0
    sums = ledger.holdings("act")
    assert sums[AccountKind.SUSPENSE, "USD"].money == usd(-(700 + 21))
    assert wrong() == []


def test_a_line_that_cannot_be_booked_is_told_and_holds_up_nothing(
    world: World, teller: Teller
) -> None:
    make.fund_account(who=world.till, currency="EUR", account="NL57MOCK0000000004")
    give.rate("EUR", "0.9")
    session.commit()
    later = clock.now() + timedelta(days=5)
    with clock.at(later):
        euros = Teller("NL57MOCK0000000004", "EUR")
        service.import_statement(euros.file(Move(1_000)), by=None)
    service.import_statement(teller.file(Move(500)), by=None)
    session.commit()
    done = service.book_lines()
    session.commit()
    assert (done.suspended, done.stuck) == (1, 1)
    with clock.at(later):
        assert [said for said in wrong() if "Nothing can be booked in the future" in said]
        assert service.book_lines().suspended == 1
    session.commit()
    assert ledger.bank_balance("act", "EUR").minor == 1_000
    assert wrong() == []


def test_a_line_that_names_an_agreement_and_an_award_waits_for_a_person(
    world: World, teller: Teller
) -> None:
    agreement = give.agreement(give.desk())
    session.commit()
    [line] = taken_in(teller, Move(10_000, f"{agreement.ref} for {world.paid.ref}"))
    assert (line.status, line.purpose) == (LineStatus.SUSPENSE, None)


def test_interest_is_told_by_its_code_as_other_charges_are(world: World, teller: Teller) -> None:
    del world
    lines = taken_in(teller, Move(-300, code="MCOP/INTR"), Move(-300, code="MDOP/CHRG"))
    assert [each.purpose for each in lines] == [Purpose.BANK_CHARGE, Purpose.BANK_CHARGE]
