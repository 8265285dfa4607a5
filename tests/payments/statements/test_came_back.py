"""A credit that names no payment is one that came back only where two people say so."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.accounts.models import Person, Role
from portal.awards.models import InstalmentStatus
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import checks as payment_checks
from portal.payments import service as payments
from portal.payments.models import BankAccount, OrderStatus, PaymentOrder
from portal.payments.statements import queries, service
from portal.payments.statements.models import Allocation, Purpose, ReturnProposal, StatementLine
from portal.payments.statements.service import Target
from tests.browser import Browser
from tests.make import contributions as give
from tests.make.accounts import PASSWORD, person
from tests.payments.conftest import World, enter
from tests.payments.statements import outgoing
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


def payment_violations() -> list[str]:
    return [said for each in payment_checks.checks() for said in each.run().violations]


def sent(world: World, teller: Teller) -> PaymentOrder:
    """Return a payment that left to the bank."""
    order = outgoing.signed(world, outgoing.another_award(world))
    outgoing.leave(teller)
    return order


@pytest.fixture
def paid(world: World, teller: Teller) -> PaymentOrder:
    """Return a payment that the bank debited."""
    order = sent(world, teller)
    taken_in(teller, Move(-order.amount, end_to_end_id=order.ref))
    session.refresh(order)
    assert order.status is OrderStatus.CONFIRMED
    return order


def who_did_not_sign() -> Person:
    """Return somebody of treasury who signed nothing."""
    return person(roles=[(Role.TREASURY, "act", None)])


def said(line: StatementLine, order: PaymentOrder, by: Person) -> Allocation | ReturnProposal:
    target = Target(Purpose.RETURN, order=order)
    made = service.allocate(line.id, target, "The same amount.", by=by)
    session.commit()
    return made


def proposed(
    world: World, order: PaymentOrder, teller: Teller, *, less: int = 0
) -> tuple[StatementLine, ReturnProposal]:
    """Return a credit that names nothing, and what the first of two says: that it came back."""
    [line] = taken_in(teller, Move(order.amount - less, "with our best wishes"))
    first = said(line, order, world.till.finance)
    assert isinstance(first, ReturnProposal)
    return line, first


def test_one_person_alone_makes_no_payment_come_back(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    line, first = proposed(world, paid, teller)
    assert said(line, paid, world.till.finance) is first
    assert suspended(line)
    session.refresh(paid)
    assert paid.status is OrderStatus.CONFIRMED
    with pytest.raises(Refused, match="by a second person"):
        service.confirm_return(first, by=world.till.finance)
    session.rollback()
    with pytest.raises(Refused):
        payments.prepare_order(paid.instalment, by=world.till.finance)
    session.rollback()
    gift = Target(Purpose.CONTRIBUTION, donor=give.donor(give.desk()))
    service.allocate(line.id, gift, "Their letter says so.", by=world.till.finance)
    session.commit()
    assert booked_as(line) == [(Purpose.CONTRIBUTION, paid.amount)]
    with pytest.raises(Refused, match="has been withdrawn"):
        service.confirm_return(first, by=who_did_not_sign())
    session.rollback()
    assert wrong() == []


@pytest.mark.parametrize("second", ["of treasury", "another of finance"])
def test_a_second_person_confirms_it_and_it_is_paid_anew(
    world: World, paid: PaymentOrder, teller: Teller, second: str
) -> None:
    line, first = proposed(world, paid, teller)
    if second == "of treasury":
        other = who_did_not_sign()
        made = service.confirm_return(first, by=other)
        assert service.confirm_return(first, by=other) is made
        session.commit()
    else:
        other = person(roles=[(Role.FINANCE_OFFICER, "act", None)])
        said(line, paid, other)
    session.refresh(paid)
    assert paid.status is OrderStatus.RETURNED
    assert paid.instalment.status is InstalmentStatus.PLANNED
    assert booked_as(line) == [(Purpose.RETURN, paid.amount)]
    assert wrong() == []


def test_who_signed_the_payment_does_not_say_that_it_came_back(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    line, first = proposed(world, paid, teller)
    with pytest.raises(Refused, match=f"You signed payment {paid.ref}"):
        service.confirm_return(first, by=world.till.treasurer)
    session.rollback()
    assert suspended(line)


@pytest.mark.parametrize("by", ["EndToEndId", "what somebody wrote", "a notice"])
def test_where_the_bank_names_the_payment_one_person_is_enough(
    world: World, paid: PaymentOrder, teller: Teller, by: str
) -> None:
    ref, note = paid.ref, "back"
    if by != "EndToEndId":
        ref, note = "", f"back {paid.ref}" if by == "what somebody wrote" else "back"
    if by == "a notice":
        payments.return_by_bank(
            paid, credited=paid.money, on=clock.today(), reference="N-1", reason="AC04"
        )
    [line] = taken_in(teller, Move(paid.amount, note, end_to_end_id=ref))
    assert isinstance(said(line, paid, world.till.finance), Allocation)
    session.refresh(paid)
    assert paid.status is OrderStatus.RETURNED
    assert wrong() == []


def test_a_return_by_one_person_is_found(world: World, paid: PaymentOrder, teller: Teller) -> None:
    _line, first = proposed(world, paid, teller)
    service.confirm_return(first, by=who_did_not_sign())
    session.commit()
    for change in ("UPDATE return_proposal SET amount = 1", "DELETE FROM return_proposal"):
        with pytest.raises(sa.exc.IntegrityError, match=r"kept|stands|never"):
            session.execute(sa.text(change))
        session.rollback()
    session.execute(sa.text("ALTER TABLE return_proposal DISABLE TRIGGER ALL"))
    session.execute(sa.text("DELETE FROM return_proposal"))
    assert any("by the word of one person alone" in each for each in wrong())
    session.rollback()


def test_the_second_person_finds_it_at_home_and_confirms_it(
    world: World, paid: PaymentOrder, teller: Teller, visitor: Browser
) -> None:
    [line] = taken_in(teller, Move(paid.amount, "returned"))
    where, ref = f"/bank/lines/{line.id}", paid.ref
    enter(visitor, world, "finance")
    visitor.open(f"{where}/allocate")
    assert f"Payment that came back · {ref}" in visitor.page.text
    visitor.choose("Payment that came back")
    visitor.fill("Reference", ref)
    visitor.fill("Reason", "The same amount.")
    visitor.press("Book it as this")
    assert "once a second person confirms it" in visitor.page.text
    assert "Waits for a second person" in visitor.page.text
    assert "Confirm that it came back" not in visitor.page.text
    visitor.press("Sign out")
    enter(visitor, world, "treasurer")  # who released it
    assert f"Confirm that payment {ref}" not in visitor.open("/home").text
    assert "Confirm that it came back" not in visitor.open(where).text
    assert "a second one confirms" in visitor.open("/bank/suspense").text
    visitor.press("Sign out")
    other = who_did_not_sign()
    session.commit()
    visitor.sign_in(other.email, PASSWORD)
    visitor.open("/home")
    visitor.follow(f"Confirm that payment {ref} came back")
    assert "The same amount." in visitor.page.text
    visitor.press("Confirm that it came back")
    assert "Confirmed, and booked" in visitor.page.text
    visitor.open("/home")
    assert f"Confirm that payment {ref}" not in visitor.page.text


def test_another_of_finance_finds_it_at_home(
    world: World, paid: PaymentOrder, teller: Teller, visitor: Browser
) -> None:
    line, _first = proposed(world, paid, teller)
    ref, reference = paid.ref, line.reference
    other = person(roles=[(Role.FINANCE_OFFICER, "act", None)])
    session.commit()
    visitor.sign_in(other.email, PASSWORD)
    visitor.open("/home")
    visitor.follow("Confirm that 1 line in suspense is a payment that came back")
    visitor.follow(reference)
    visitor.follow("Confirm that it came back")
    assert ref in visitor.page.text


@pytest.mark.parametrize("debited", ["booked at once", "from suspense", "told by a notice"])
def test_a_return_that_people_said_is_taken_back_and_the_payment_stands(
    world: World, account: BankAccount, teller: Teller, debited: str
) -> None:
    paid = sent(world, teller)
    if debited == "told by a notice":
        payments.settle_by_bank(paid, debited=paid.money, on=clock.today(), reference="N-1")
        session.commit()
    named = debited == "booked at once"
    [debit] = taken_in(teller, Move(-paid.amount, end_to_end_id=paid.ref if named else ""))
    if not named:
        target = Target(Purpose.PAYMENT, order=paid)
        service.allocate(debit.id, target, "The amount.", by=world.till.finance)
        session.commit()
    line, first = proposed(world, paid, teller, less=700)
    service.confirm_return(first, by=who_did_not_sign())
    session.commit()
    session.expire_all()
    service.undo_allocation(line.live[-1], "It is a gift.", by=world.till.finance)
    session.commit()
    session.expire_all()
    assert (paid.status, paid.paid_after_all) == (OrderStatus.CONFIRMED, True)
    assert paid.instalment.status is InstalmentStatus.PAID
    assert (suspended(line), suspended(debit)) == (True, False)
    assert ledger.bank_balance(account.fund_code, "USD") == usd(teller.balance)
    assert [*wrong(), *payment_violations()] == []
    gift = Target(Purpose.CONTRIBUTION, donor=give.donor(give.desk()))
    service.allocate(line.id, gift, "Their letter says so.", by=world.till.finance)
    session.commit()
    taken_in(teller, Move(paid.amount, end_to_end_id=paid.ref, is_return=True))
    session.expire_all()
    assert paid.status is OrderStatus.RETURNED
    assert [*wrong(), *payment_violations()] == []


def test_a_return_is_not_taken_back_once_a_new_attempt_lives(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(paid.amount, end_to_end_id=paid.ref))
    said(line, paid, world.till.finance)
    payments.verify_bank_details(paid.bank_details, screened=True, by=world.till.finance)
    anew = payments.prepare_order(paid.instalment, by=world.till.finance)
    session.commit()
    session.expire_all()
    with pytest.raises(Refused, match=anew.ref):
        service.undo_allocation(line.live[-1], "It is a gift.", by=world.till.finance)
    session.rollback()
    assert paid.status is OrderStatus.RETURNED
    assert wrong() == []


def test_what_was_said_by_mistake_is_withdrawn_and_can_be_said_anew(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    line, first = proposed(world, paid, teller)
    with pytest.raises(Refused, match="withdraw themselves"):
        service.withdraw_return(first, "Not so.", by=who_did_not_sign())
    with pytest.raises(Refused, match="Give the reason"):
        service.withdraw_return(first, " ", by=world.till.finance)
    for _twice in range(2):
        service.withdraw_return(first, "It is a gift.", by=world.till.finance)
        session.commit()
    assert queries.said_of(line).waiting == []
    with pytest.raises(Refused, match="has been withdrawn"):
        service.confirm_return(first, by=who_did_not_sign())
    session.rollback()
    other = said(line, paid, person(roles=[(Role.FINANCE_OFFICER, "act", None)]))
    assert isinstance(other, ReturnProposal)  # who withdrew is no first person of two
    assert isinstance(said(line, paid, world.till.finance), Allocation)
    with pytest.raises(Refused, match="confirmed already"):
        service.withdraw_return(other, "Too late.", by=session.get_one(Person, other.by_id))
    session.rollback()
    session.refresh(paid)
    assert paid.status is OrderStatus.RETURNED
    assert [*wrong(), *payment_violations()] == []


def test_a_return_that_is_taken_back_waits_for_no_second_person(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    line, first = proposed(world, paid, teller)
    service.confirm_return(first, by=who_did_not_sign())
    session.commit()
    session.expire_all()
    service.undo_allocation(line.live[-1], "It is a gift.", by=world.till.finance)
    session.commit()
    session.expire_all()
    assert (suspended(line), queries.said_of(line).waiting) == (True, [])
    assert [*wrong(), *payment_violations()] == []


@pytest.mark.parametrize("otherwise", ["a gift", "a part of it a gift", "to go back"])
def test_a_word_that_was_abandoned_is_no_first_one_of_two(
    world: World, paid: PaymentOrder, teller: Teller, otherwise: str
) -> None:
    line, first = proposed(world, paid, teller)
    gift = Target(Purpose.CONTRIBUTION, donor=give.donor(give.desk()))
    target = {
        "a gift": gift,
        "a part of it a gift": replace(gift, amount=100),
        "to go back": Target(Purpose.SEND_BACK),
    }[otherwise]
    service.allocate(line.id, target, "Their letter says so.", by=world.till.finance)
    session.commit()
    assert (first.withdrawn_by_id, first.withdrawn_reason) == (
        world.till.finance.id,
        "Their letter says so.",
    )
    other = person(roles=[(Role.FINANCE_OFFICER, "act", None)])
    service.undo_allocation(line.live[-1], "Another donor.", by=other)
    session.commit()
    assert isinstance(said(line, paid, other), ReturnProposal)
    session.refresh(paid)
    assert paid.status is OrderStatus.CONFIRMED
    assert [*wrong(), *payment_violations()] == []


def test_what_is_still_left_of_a_line_waits_for_its_second_person(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(paid.amount + 100, "with our best wishes"))
    part = Target(Purpose.RETURN, paid.amount, order=paid)
    service.allocate(line.id, part, "The same amount.", by=world.till.finance)
    gift = Target(Purpose.CONTRIBUTION, 100, donor=give.donor(give.desk()))
    service.allocate(line.id, gift, "Their letter says so.", by=world.till.finance)
    session.commit()
    [first] = queries.said_of(line).waiting
    service.confirm_return(first, by=who_did_not_sign())
    session.commit()
    assert (suspended(line), first.withdrawn_at) == (False, None)
    assert [*wrong(), *payment_violations()] == []


def test_who_said_it_withdraws_it_on_its_page(
    world: World, paid: PaymentOrder, teller: Teller, visitor: Browser
) -> None:
    [line] = taken_in(teller, Move(paid.amount, "with our best wishes"))
    said(line, paid, world.till.finance)
    where = f"/bank/lines/{line.id}"
    enter(visitor, world, "finance")
    visitor.open(where)
    visitor.follow("Withdraw what you said")
    visitor.fill("Reason", "It is a gift.")
    visitor.press("Withdraw it")
    assert "The line waits in suspense as before." in visitor.page.text
    assert "Waits for a second person" not in visitor.page.text
