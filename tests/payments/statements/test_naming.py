"""What a line may be that names a payment, its file, or an award of ours."""

from io import BytesIO

import pytest
import sqlalchemy as sa

from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import service as payments
from portal.payments.models import BankAccount, OrderStatus, PaymentOrder
from portal.payments.service.bank_messages import receive_file
from portal.payments.statements import service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import contributions as give
from tests.payments.conftest import World
from tests.payments.notices import debit, notice
from tests.payments.statements import outgoing
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller

FEE = 1_500


@pytest.fixture
def two(world: World, teller: Teller) -> list[PaymentOrder]:
    """Return two payments by the bank, released and in one file."""
    orders = [outgoing.signed(world, outgoing.another_award(world)) for _number in range(2)]
    [file] = outgoing.leave(teller)
    assert {each.id for each in file.orders} == {each.id for each in orders}
    return orders


def said(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "The bank wrote so.", by=world.till.finance)
    session.commit()


def no(world: World, line: StatementLine, target: Target, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        said(world, line, target)
    session.rollback()


def refused_by_bank(*orders: PaymentOrder) -> None:
    for order in orders:
        payments.reject_by_bank(order, reason="AM04")
    session.commit()


def charges() -> int:
    held = ledger.holdings("act").get((AccountKind.BANK_CHARGES, "USD"))
    return held.usd if held else 0


@pytest.mark.parametrize("by", ["EndToEndId", "what somebody wrote"])
def test_a_debit_that_names_one_payment_is_not_entered_as_another(
    world: World, two: list[PaymentOrder], teller: Teller, by: str
) -> None:
    first, second = two
    refused_by_bank(first, second)
    is_told = by == "EndToEndId"
    ref, note = (first.ref, "") if is_told else ("", f"payment {first.ref}")
    [line] = taken_in(teller, Move(-first.amount, note, end_to_end_id=ref))
    no(world, line, Target(Purpose.PAYMENT, order=second), f"names payment {first.ref}")
    said(world, line, Target(Purpose.PAYMENT, order=first))
    assert (first.status, second.status) == (OrderStatus.CONFIRMED, OrderStatus.REJECTED)
    assert wrong() == []


def test_a_batch_debit_is_its_payments_and_a_charge_beside_them(
    world: World, two: list[PaymentOrder], teller: Teller
) -> None:
    first, second = two
    assert first.file is not None
    refused_by_bank(second)
    whole = -first.amount - second.amount - FEE
    [line] = taken_in(teller, Move(whole, batch_id=first.file.message_id))
    assert suspended(line)
    no(world, line, Target(Purpose.PAYMENT, order=world.order), "names payment")
    said(world, line, Target(Purpose.PAYMENT, -first.amount, order=first))
    no(world, line, Target(Purpose.BANK_CHARGE), "is claimed back")
    no(world, line, Target(Purpose.BANK_CHARGE, -second.amount), "is claimed back")
    no(world, line, Target(Purpose.AGENT), "is claimed back")
    said(world, line, Target(Purpose.PAYMENT, -second.amount, order=second))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert charges() == FEE
    assert second.status is OrderStatus.CONFIRMED
    assert wrong() == []


def test_what_is_left_of_a_batch_debit_beside_a_refused_payment_is_its_charge(
    world: World, two: list[PaymentOrder], teller: Teller
) -> None:
    first, second = two
    assert first.file is not None
    refused_by_bank(second)
    [line] = taken_in(teller, Move(-first.amount - FEE, batch_id=first.file.message_id))
    said(world, line, Target(Purpose.PAYMENT, -first.amount, order=first))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert (charges(), wrong()) == (FEE, [])


@pytest.mark.parametrize("names", ["payment", "file"])
def test_a_fee_that_names_a_payment_or_its_file_is_a_charge(
    world: World, two: list[PaymentOrder], teller: Teller, names: str
) -> None:
    first, second = two
    assert first.file is not None
    taken_in(teller, *(Move(-each.amount, end_to_end_id=each.ref) for each in two))
    by_ref, by_file = (first.ref, "") if names == "payment" else ("", first.file.message_id)
    fee, dear = taken_in(
        teller,
        *(
            Move(amount, code="MDOP/CHRG", end_to_end_id=by_ref, batch_id=by_file)
            for amount in (-FEE, -20_001)
        ),
    )
    assert (suspended(fee), suspended(dear)) == (True, True)
    no(world, fee, Target(Purpose.PAYMENT, order=first), "by another line already")
    no(world, fee, Target(Purpose.AGENT), "at most")
    no(world, dear, Target(Purpose.BANK_CHARGE), "at most")
    said(world, fee, Target(Purpose.BANK_CHARGE))
    assert booked_as(fee) == [(Purpose.BANK_CHARGE, -FEE)]
    assert (first.status, second.status) == (OrderStatus.CONFIRMED, OrderStatus.CONFIRMED)
    assert (charges(), wrong()) == (FEE, [])


def test_a_fee_for_a_refused_payment_is_a_charge_and_the_payment_is_made_anew(
    world: World, two: list[PaymentOrder], teller: Teller
) -> None:
    first, _second = two
    refused_by_bank(first)
    [fee] = taken_in(teller, Move(-FEE, end_to_end_id=first.ref))
    said(world, fee, Target(Purpose.BANK_CHARGE))
    anew = payments.prepare_order(first.instalment, by=world.till.finance)
    assert (anew.attempt, wrong()) == (2, [])


def test_a_fee_explains_no_debit_that_a_notice_told_of(
    world: World, two: list[PaymentOrder], teller: Teller, account: BankAccount
) -> None:
    first, _second = two
    refused_by_bank(first)
    content = notice(account, debit(first), message_id="N-1")
    receive_file(BytesIO(content), by=None)
    session.commit()
    [fee] = taken_in(teller, Move(-FEE, end_to_end_id=first.ref))
    said(world, fee, Target(Purpose.BANK_CHARGE))
    with pytest.raises(Refused, match="may pay twice"):
        payments.prepare_order(first.instalment, by=world.till.finance)


def test_a_second_debit_of_the_amount_is_found_and_a_fee_is_not(
    two: list[PaymentOrder], teller: Teller
) -> None:
    first, _second = two
    ref = first.ref
    taken_in(teller, Move(-first.amount, end_to_end_id=ref), Move(-FEE, end_to_end_id=ref))
    assert wrong() == []
    taken_in(teller, Move(-first.amount, end_to_end_id=ref))
    [found] = wrong()
    assert f"{ref}: the bank debited 2 times what is paid once" in found


def test_a_credit_that_names_something_of_ours_is_no_interest(
    world: World, two: list[PaymentOrder], teller: Teller
) -> None:
    first, _second = two
    agreement = give.agreement(give.desk())
    session.commit()
    taken_in(teller, Move(-first.amount, end_to_end_id=first.ref))
    much = 10_001
    lines = taken_in(
        teller,
        Move(much, end_to_end_id=first.ref),
        Move(much, f"from {first.instalment.award.ref}"),
        Move(much, f"{agreement.ref} and {first.instalment.award.ref}"),
    )
    for line in lines:
        if suspended(line):
            no(world, line, Target(Purpose.BANK_CHARGE), "This credit names")
    said(world, lines[0], Target(Purpose.BANK_CHARGE, 10_000))
    no(world, lines[0], Target(Purpose.BANK_CHARGE), "This credit names")
    assert charges() == -10_000
    [plain] = taken_in(teller, Move(much, "interest"))
    said(world, plain, Target(Purpose.BANK_CHARGE))
    assert wrong() == []


def test_a_line_booked_as_another_payment_is_found(two: list[PaymentOrder], teller: Teller) -> None:
    first, second = two
    taken_in(teller, Move(-first.amount, end_to_end_id=first.ref))
    assert wrong() == []
    session.execute(sa.text("ALTER TABLE statement_allocation DISABLE TRIGGER ALL"))
    session.execute(
        sa.text("UPDATE statement_allocation SET order_id = :other"), {"other": second.id}
    )
    assert any("A line that names a payment is booked as no other" in each for each in wrong())
    session.rollback()


def test_credit_of_a_payment_named_is_the_return_of_no_other(
    world: World, two: list[PaymentOrder], teller: Teller
) -> None:
    first, second = two
    taken_in(teller, *(Move(-each.amount, end_to_end_id=each.ref) for each in two))
    [line] = taken_in(teller, Move(first.amount, end_to_end_id=first.ref))
    no(world, line, Target(Purpose.RETURN, order=second), f"names payment {first.ref}")
    said(world, line, Target(Purpose.RETURN, order=first))
    assert usd(teller.balance) == ledger.bank_balance("act", "USD")
    assert wrong() == []
