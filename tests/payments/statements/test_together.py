"""A payment that the bank debited by several lines, with a charge, or by too little."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.accounts.models import Role
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, to_usd, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.service import revalue
from portal.payments import checks as payment_checks
from portal.payments import service as payments
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements import queries, service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import payments as make
from tests.make.accounts import person
from tests.make.applications import rate
from tests.payments.conftest import World
from tests.payments.statements import outgoing
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller

REVIVE = (
    "UPDATE payment_order SET status = 'confirmed', paid_after_all = true, paid_on = :on, "
    "confirmed_at = now(), agent_reference = 'X', version = version + 1 WHERE ref = :ref"
)


def said(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "The bank wrote so.", by=world.till.finance)
    session.commit()


def suspense() -> int:
    """Return what the books hold in suspense, in US cents: money that came in is below zero."""
    held = ledger.holdings("act").get((AccountKind.SUSPENSE, "USD"))
    return held.usd if held else 0


def violations() -> list[str]:
    """Return what the invariants of statements and of payments find."""
    return [*wrong(), *(said for each in payment_checks.checks() for said in each.run().violations)]


@pytest.mark.parametrize("before", ["nothing", "a notice"])
def test_lines_that_are_the_payment_together_settle_it(
    world: World, sent: PaymentOrder, teller: Teller, before: str
) -> None:
    ref, first, second = sent.ref, sent.amount - 60_000, 40_000
    if before == "a notice":
        payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
        session.commit()
    lines = taken_in(teller, Move(-first, end_to_end_id=ref), Move(-second, f"payment {ref}"))
    sentence = "The bank debited US" if before == "nothing" else "The bank had told of"
    with pytest.raises(Refused, match=sentence):
        said(world, lines[0], Target(Purpose.PAYMENT, order=sent))
    session.rollback()
    lines += taken_in(teller, Move(-20_000, end_to_end_id=ref))
    assert [suspended(each) for each in lines] == [True, True, True]
    said(world, lines[1], Target(Purpose.PAYMENT, order=sent))
    assert [booked_as(each) for each in lines] == [
        [(Purpose.PAYMENT, each.amount)] for each in lines
    ]
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []
    [again] = taken_in(teller, Move(-sent.amount, end_to_end_id=ref))
    with pytest.raises(Refused, match="by another line already"):
        said(world, again, Target(Purpose.PAYMENT, order=sent))


def test_more_than_was_ordered_is_the_payment_and_a_charge(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-sent.amount - 1_500, end_to_end_id=sent.ref))
    said(world, line, Target(Purpose.PAYMENT, -sent.amount, order=sent))
    said(world, line, Target(Purpose.BANK_CHARGE))
    assert ledger.holdings("act")[AccountKind.BANK_CHARGES, "USD"].usd == 1_500
    assert wrong() == []


def test_less_than_was_ordered_is_told_and_paired_with_its_correction(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    less = sent.amount - 1_000
    [line] = taken_in(teller, Move(-less, end_to_end_id=sent.ref))
    with pytest.raises(Refused, match="Ask it for the rest") as refused:
        said(world, line, Target(Purpose.PAYMENT, order=sent))
    assert "claim this one back and pair the two" in refused.value.sentence
    session.rollback()
    said(world, line, Target(Purpose.SEND_BACK))
    [rest] = taken_in(teller, Move(-1_000, end_to_end_id=sent.ref))
    with pytest.raises(Refused, match="Ask it for the rest"):
        said(world, rest, Target(Purpose.PAYMENT, order=sent))
    session.rollback()
    said(world, rest, Target(Purpose.BANK_CHARGE))
    back, whole = taken_in(
        teller, Move(less, "a correction"), Move(-sent.amount, end_to_end_id=sent.ref)
    )
    said(world, back, Target(Purpose.SENT_BACK, counterpart=line))
    session.refresh(sent)
    assert (sent.status, suspended(whole)) == (OrderStatus.CONFIRMED, False)
    assert wrong() == []


def test_lines_in_euros_at_two_rates_leave_nothing_behind(world: World) -> None:
    euros = make.fund_account(who=world.till, currency="EUR", account="NL57MOCK0000000004")
    tomorrow = clock.now() + timedelta(days=1)
    rate("EUR", "0.9", clock.today() - timedelta(days=40))
    rate("EUR", "0.8", tomorrow.date())
    order, teller = outgoing.signed(world), Teller(euros.account, "EUR")
    outgoing.leave(teller)
    make.fund_account(who=world.till)  # for the dollars the fund began with
    ref = order.ref
    [first] = taken_in(teller, Move(-60_00, end_to_end_id=ref))
    with clock.at(tomorrow):
        [second] = taken_in(teller, Move(60_00 - order.amount, end_to_end_id=ref))
        at_first, at_second = (
            to_usd(Money(60_00, "EUR"), Decimal(each)) for each in ("0.9", "0.8")
        )
        assert (first.dollars, second.rate_id != first.rate_id) == (-at_first, True)
        assert at_first != at_second
        revalue("act", clock.today(), by=None)  # as each day: what follows is left for the next
        said(world, first, Target(Purpose.PAYMENT, order=order))
        session.refresh(order)
        assert order.status is OrderStatus.CONFIRMED
        revalue("act", clock.today(), by=None)
        session.commit()
        left = ledger.holdings("act").get((AccountKind.SUSPENSE, "EUR"))
        assert left is None or (left.money.minor, left.usd) == (0, 0)
        assert ledger.bank_balance("act", "EUR") == Money(-order.amount, "EUR")
        assert wrong() == []


@pytest.mark.parametrize("chosen", ["names it", "names nothing"])
def test_what_the_bank_had_refused_is_paid_after_all_by_lines_together(
    world: World, sent: PaymentOrder, teller: Teller, chosen: str
) -> None:
    payments.reject_by_bank(sent, reason="AM04")
    session.commit()
    ref = sent.ref if chosen == "names it" else ""
    [first] = taken_in(teller, Move(40_000 - sent.amount, end_to_end_id=ref))
    with pytest.raises(Refused, match="Ask it for the rest"):
        said(world, first, Target(Purpose.PAYMENT, order=sent))
    session.rollback()
    with pytest.raises(sa.exc.IntegrityError, match="where the bank debited it"):
        session.execute(sa.text(REVIVE), {"ref": sent.ref, "on": clock.today()})
    session.rollback()
    [second] = taken_in(teller, Move(-40_000, end_to_end_id=sent.ref))
    said(world, second, Target(Purpose.SEND_BACK))
    with pytest.raises(Refused, match="claimed back does not count until"):
        said(world, first, Target(Purpose.PAYMENT, order=sent))
    session.rollback()
    service.undo_allocation(second.live[-1], "The grantee has it.", by=world.till.finance)
    said(world, first, Target(Purpose.PAYMENT, order=sent))
    session.refresh(sent)
    assert (sent.status, sent.paid_after_all) == (OrderStatus.CONFIRMED, True)
    assert [booked_as(each) for each in (first, second)] == [
        [(Purpose.PAYMENT, 40_000 - sent.amount)],
        [(Purpose.PAYMENT, -40_000)],
    ]
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert suspense() == 0
    assert violations() == []


def test_of_lines_that_are_more_than_was_ordered_the_charge_is_said_first(
    world: World, sent: PaymentOrder, teller: Teller
) -> None:
    amounts = (40_000 - sent.amount, -40_000, -2_500)
    lines = taken_in(teller, *(Move(each, end_to_end_id=sent.ref) for each in amounts))
    for line in lines:
        with pytest.raises(Refused, match="enter a charge of the bank as a charge") as refused:
            said(world, line, Target(Purpose.PAYMENT, order=sent))
        session.rollback()
        assert "the rest" not in refused.value.sentence
    said(world, lines[2], Target(Purpose.BANK_CHARGE))
    said(world, lines[0], Target(Purpose.PAYMENT, order=sent))
    session.refresh(sent)
    assert sent.status is OrderStatus.CONFIRMED
    assert not any(suspended(each) for each in lines)
    assert violations() == []


@pytest.mark.parametrize("before", ["nothing", "a notice"])
def test_a_return_that_people_said_of_a_payment_in_several_lines_is_taken_back(
    world: World, sent: PaymentOrder, teller: Teller, before: str
) -> None:
    if before == "a notice":
        payments.settle_by_bank(sent, debited=sent.money, on=clock.today(), reference="N-1")
        session.commit()
    lines = taken_in(
        teller,
        Move(60_000 - sent.amount, end_to_end_id=sent.ref),
        Move(-40_000, end_to_end_id=sent.ref),
        Move(-20_700, end_to_end_id=sent.ref),
    )
    said(world, lines[2], Target(Purpose.BANK_CHARGE, -700))
    said(world, lines[1], Target(Purpose.PAYMENT, order=sent))
    [credit] = taken_in(teller, Move(sent.amount, "with our best wishes"))
    said(world, credit, Target(Purpose.RETURN, order=sent))
    [proposal] = queries.said_of(credit).waiting
    service.confirm_return(proposal, by=person(roles=[(Role.TREASURY, "act", None)]))
    session.commit()
    session.expire_all()
    assert sent.status is OrderStatus.RETURNED
    service.undo_allocation(credit.live[-1], "It is a gift.", by=world.till.finance)
    session.commit()
    session.expire_all()
    assert (sent.status, sent.paid_after_all) == (OrderStatus.CONFIRMED, True)
    assert [suspended(each) for each in (*lines, credit)] == [False, False, False, True]
    assert sum(each.amount for line in lines for each in line.live) == -sent.amount - 700
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert suspense() == -sent.amount  # the credit, a liability
    assert violations() == []
