"""What a bank says and does not do: payments made after all, money kept, money that goes back."""

import pytest
import sqlalchemy as sa

from portal.awards import service as awards
from portal.awards.models import InstalmentStatus
from portal.core import clock
from portal.core.check import Check
from portal.core.db import session
from portal.core.money import usd
from portal.core.outbox import Message
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import checks as payment_checks
from portal.payments import exchange
from portal.payments import service as payments
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements import queries, service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import payments as make
from tests.make.awards import authority, officer
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, suspended, taken_in
from tests.payments.statements.books import wrong as wrong_lines
from tests.payments.statements.teller import Move, Teller


def wrong() -> list[str]:
    """Return what the invariants of payments and of statements find."""
    asked: list[Check] = payment_checks.checks()
    return [*wrong_lines(), *(said for each in asked for said in each.run().violations)]


@pytest.fixture
def refused(sent: PaymentOrder) -> PaymentOrder:
    """Return a payment that the bank refused."""
    payments.reject_by_bank(sent, reason="AM04")
    session.commit()
    return sent


def said(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "The bank wrote so.", by=world.till.finance)
    session.commit()


def bank_agrees(teller: Teller) -> bool:
    return ledger.bank_balance("act", "USD") == usd(teller.balance)


def charges() -> int:
    held = ledger.holdings("act").get((AccountKind.BANK_CHARGES, "USD"))
    return held.usd if held else 0


def test_a_refused_payment_that_the_bank_makes_waits_for_a_person_and_is_paid_after_all(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-refused.amount, end_to_end_id=refused.ref))
    assert suspended(line)
    with pytest.raises(Refused, match="would pay twice"):
        payments.prepare_order(refused.instalment, by=world.till.finance)
    session.rollback()
    [likely, *_others] = queries.candidates(line, world.till.finance)
    assert (likely.purpose, likely.ref, likely.is_named) == (Purpose.PAYMENT, refused.ref, True)
    said(world, line, queries.target_of(line, likely.purpose, likely.ref, None, world.till.finance))
    session.refresh(refused)
    assert (refused.status, refused.paid_after_all) == (OrderStatus.CONFIRMED, True)
    assert refused.instalment.status is InstalmentStatus.PAID
    assert refused.instalment.paid_usd == refused.amount_usd
    assert bank_agrees(teller)
    assert ledger.award_position("act", refused.instalment.award.ref).advanced == usd(
        refused.amount_usd
    )
    assert wrong() == []


@pytest.mark.parametrize(
    ("end_to_end_id", "batch_id"),
    [("", ""), ("", "its file"), ("", "BANK-0077"), ("BK-2026-1", "")],
    ids=["without any name", "of the whole file", "under the bank’s batch", "under its own name"],
)
def test_a_debit_that_names_no_payment_stops_a_new_attempt_as_well(
    world: World, refused: PaymentOrder, teller: Teller, end_to_end_id: str, batch_id: str
) -> None:
    assert refused.file is not None
    batch = refused.file.message_id if batch_id == "its file" else ""
    move = Move(-refused.amount, end_to_end_id=end_to_end_id, batch_id=batch or batch_id)
    [line] = taken_in(teller, move)
    with pytest.raises(Refused, match="would pay twice"):
        payments.prepare_order(refused.instalment, by=world.till.finance)
    session.rollback()
    offered = [(each.purpose, each.ref) for each in queries.candidates(line, world.till.finance)]
    assert ((Purpose.PAYMENT, refused.ref) in offered) is bool(batch)
    said(world, line, Target(Purpose.PAYMENT, order=refused))
    assert wrong() == []


def test_a_debit_under_the_banks_own_name_beside_a_new_attempt_is_found(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    ref = refused.ref
    for _again in range(2):
        anew = payments.prepare_order(refused.instalment, by=world.till.finance)
        make.signed(anew, world.till)
        session.commit()
        assert len(list(exchange.gather_all())) == 1
        payments.reject_by_bank(anew, reason="AM04")
        session.commit()
    taken_in(teller, Move(-refused.amount, end_to_end_id="BK-2026-1"))
    assert wrong() == []  # one debit, of whichever attempt
    taken_in(teller, Move(-refused.amount, end_to_end_id=anew.ref))
    [found] = wrong_lines()
    assert ref in found
    assert "the bank debited 2 times what is paid once" in found


def test_a_debit_that_comes_after_the_release_holds_the_new_attempt_back(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    anew = make.signed(
        payments.prepare_order(refused.instalment, by=world.till.finance), world.till
    )
    session.commit()
    [line] = taken_in(teller, Move(-refused.amount, end_to_end_id=refused.ref))
    assert list(exchange.gather_all()) == []
    said(world, line, Target(Purpose.SEND_BACK))
    assert list(exchange.gather_all()) == []
    [back] = taken_in(teller, Move(refused.amount, end_to_end_id=refused.ref))
    said(world, back, Target(Purpose.SENT_BACK, counterpart=line))
    [file] = exchange.gather_all()
    assert file.orders == [anew]


def test_a_debit_that_names_a_payment_is_not_said_to_be_something_else(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-refused.amount - 700, end_to_end_id=refused.ref))
    for purpose in (Purpose.BANK_CHARGE, Purpose.AGENT, Purpose.SUPPORT_COSTS):
        with pytest.raises(Refused, match=f"names payment {refused.ref}"):
            said(world, line, Target(purpose))
        session.rollback()
    said(world, line, Target(Purpose.PAYMENT, -refused.amount, order=refused))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert charges() == 700
    assert wrong() == []


def test_nothing_leaves_of_a_suspended_grant(world: World, refused: PaymentOrder) -> None:
    anew = make.signed(
        payments.prepare_order(refused.instalment, by=world.till.finance), world.till
    )
    award = anew.instalment.award
    awards.suspend(award, "A question is open.", by=officer(award))
    session.commit()
    assert list(exchange.gather_all()) == []
    awards.resume(award, "It is answered.", by=authority(award))
    session.commit()
    [file] = exchange.gather_all()
    assert file.orders == [anew]


def test_what_was_paid_after_all_can_come_back_and_be_paid_anew(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-refused.amount, end_to_end_id=refused.ref))
    said(world, line, Target(Purpose.PAYMENT, order=refused))
    [back] = taken_in(teller, Move(refused.amount, end_to_end_id=refused.ref, is_return=True))
    assert booked_as(back) == [(Purpose.RETURN, refused.amount)]
    session.refresh(refused)
    assert refused.status is OrderStatus.RETURNED
    assert bank_agrees(teller)
    assert ledger.award_position("act", refused.instalment.award.ref).advanced == usd(0)
    assert wrong() == []
    payments.verify_bank_details(refused.bank_details, screened=True, by=world.till.finance)
    anew = payments.prepare_order(refused.instalment, by=world.till.finance)
    assert anew.attempt == refused.attempt + 1
    [again] = taken_in(teller, Move(-refused.amount, end_to_end_id=refused.ref))
    assert suspended(again)
    with pytest.raises(Refused, match="does not fit"):
        said(world, again, Target(Purpose.PAYMENT, order=refused))


def test_a_payment_given_back_and_debited_again_is_paid_after_all(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    taken_in(
        teller,
        Move(-sent.amount, end_to_end_id=sent.ref),
        Move(sent.amount, end_to_end_id=sent.ref, is_return=True),
    )
    [line] = taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    assert suspended(line)
    said(world, line, Target(Purpose.PAYMENT, order=sent))
    session.refresh(sent)
    assert (sent.status, sent.returned_on) == (OrderStatus.CONFIRMED, None)
    assert bank_agrees(teller)
    assert wrong() == []
    made = sa.select(sa.func.count()).where(Message.template == "payment_made")
    assert session.scalar(made.where(Message.key.contains(str(sent.id)))) == 2


def test_while_another_attempt_lives_a_debit_is_claimed_back_and_comes_back(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    anew = payments.prepare_order(refused.instalment, by=world.till.finance)
    session.commit()
    [line] = taken_in(teller, Move(-refused.amount, end_to_end_id=refused.ref))
    with pytest.raises(Refused, match=anew.ref):
        said(world, line, Target(Purpose.PAYMENT, order=refused))
    session.rollback()
    said(world, line, Target(Purpose.SEND_BACK))
    with pytest.raises(Refused, match="would pay twice"):
        payments.certify(anew, by=world.till.certifier)
    session.rollback()
    [back] = taken_in(teller, Move(refused.amount, end_to_end_id=refused.ref))
    [likely, *_others] = queries.candidates(back, world.till.finance)
    assert (likely.purpose, likely.ref) == (Purpose.SENT_BACK, line.reference)
    said(world, back, queries.target_of(back, likely.purpose, likely.ref, None, world.till.finance))
    assert (suspended(line), suspended(back)) == (False, False)
    assert bank_agrees(teller)
    assert wrong() == []
    payments.certify(anew, by=world.till.certifier)


def test_the_balance_is_not_drawn_while_a_debit_is_unexplained(
    world: World, refused: PaymentOrder, teller: Teller
) -> None:
    taken_in(teller, Move(-refused.amount, end_to_end_id=refused.ref))
    award = refused.instalment.award
    with pytest.raises(Refused, match="is not explained yet"):
        payments.settle_account(award, by=world.till.finance)


def test_no_payment_that_was_given_up_is_paid_without_a_debit_of_the_bank(
    refused: PaymentOrder,
) -> None:
    revive = sa.text(
        "UPDATE payment_order SET status = 'confirmed', paid_after_all = true, paid_on = :on, "
        "confirmed_at = now(), agent_reference = 'X', version = version + 1 WHERE ref = :ref"
    )
    with pytest.raises(sa.exc.IntegrityError, match="where the bank debited it"):
        session.execute(revive, {"ref": refused.ref, "on": clock.today()})


@pytest.mark.parametrize("way", ["booked at once", "from suspense"])
def test_what_the_bank_keeps_of_a_payment_that_its_notice_gave_back_is_a_charge(
    world: World, sent: PaymentOrder, teller: Teller, way: str
) -> None:
    taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    payments.return_by_bank(
        sent, credited=sent.money, on=clock.today(), reference="N-2", reason="AC04"
    )
    session.commit()
    came = sent.amount - 1_500
    has_waited = way == "from suspense"
    ref = "" if has_waited else sent.ref
    [line] = taken_in(teller, Move(came, end_to_end_id=ref, is_return=not has_waited))
    if has_waited:
        assert suspended(line)
        said(world, line, Target(Purpose.RETURN, order=sent))
    assert booked_as(line) == [(Purpose.RETURN, came)]
    assert charges() == 1_500
    assert bank_agrees(teller)
    assert wrong() == []


def test_what_the_bank_keeps_of_a_payment_that_comes_back_is_a_charge(
    sent: PaymentOrder, teller: Teller
) -> None:
    taken_in(
        teller,
        Move(-sent.amount, end_to_end_id=sent.ref),
        Move(sent.amount - 1_500, end_to_end_id=sent.ref, is_return=True),
    )
    session.refresh(sent)
    assert sent.status is OrderStatus.RETURNED
    assert charges() == 1_500
    assert (AccountKind.EXCHANGE_DIFFERENCE, "USD") not in ledger.holdings("act")
    assert bank_agrees(teller)
    assert wrong() == []


def test_far_less_than_was_paid_is_no_return_with_a_charge(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    [line] = taken_in(teller, Move(1, end_to_end_id=sent.ref, is_return=True))
    assert suspended(line)
    with pytest.raises(Refused, match="more than a bank's charge"):
        said(world, line, Target(Purpose.RETURN, order=sent))
    session.rollback()
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert charges() == 0


def test_a_second_debit_that_was_claimed_comes_back_as_a_return_and_leaves_the_payment_paid(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    _paid, twice = taken_in(
        teller,
        Move(-sent.amount, end_to_end_id=sent.ref),
        Move(-sent.amount, end_to_end_id=sent.ref),
    )
    said(world, twice, Target(Purpose.SEND_BACK))
    [back] = taken_in(teller, Move(sent.amount, end_to_end_id=sent.ref, is_return=True))
    assert suspended(back)
    said(world, back, Target(Purpose.SENT_BACK, counterpart=twice))
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert wrong() == []


def test_another_amount_than_a_notice_told_is_not_all_the_payment(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
    session.commit()
    for amount in (-sent.amount - 1_500, -sent.amount + 1_500):
        [line] = taken_in(teller, Move(amount, end_to_end_id=sent.ref))
        with pytest.raises(Refused, match="The bank had told of"):
            said(world, line, Target(Purpose.PAYMENT, order=sent))
        session.rollback()
        assert suspended(line)


def test_more_than_the_notice_told_is_not_all_the_payment(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    taken_in(teller, Move(-sent.amount, end_to_end_id=sent.ref))
    less = usd(sent.amount - 1_500)
    payments.return_by_bank(sent, credited=less, on=clock.today(), reference="N-2", reason="AC04")
    session.commit()
    [line] = taken_in(teller, Move(sent.amount, end_to_end_id=sent.ref, is_return=True))
    assert suspended(line)
    said(world, line, Target(Purpose.RETURN, less.minor, order=sent))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert charges() == 0
    assert bank_agrees(teller)
    assert wrong() == []


def test_a_debit_with_its_charge_in_one_line_after_a_notice(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
    session.commit()
    [line] = taken_in(teller, Move(-sent.amount - 700, end_to_end_id=sent.ref))
    assert suspended(line)
    said(world, line, Target(Purpose.PAYMENT, -sent.amount, order=sent))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert charges() == 700
    assert bank_agrees(teller)
    assert wrong() == []


def test_interest_of_the_bank_lessens_its_charges(world: World, teller: Teller) -> None:
    [line] = taken_in(teller, Move(421, code="MCOP/INTR"))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert charges() == -421
    assert bank_agrees(teller)
    service.undo_allocation(line.live[-1], "Of another account.", by=world.till.finance)
    session.commit()
    assert (charges(), suspended(line)) == (0, True)
    assert wrong() == []
