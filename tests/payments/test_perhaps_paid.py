"""Debits that a notice tells of and that fit nothing: a person hears, and nothing is paid anew."""

from dataclasses import replace
from io import BytesIO

import pytest

from portal.accounts.models import Role
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.payments import banking, debited, exchange, service
from portal.payments.models import BankMessage, OrderStatus, PaymentOrder
from portal.payments.service import bank_messages
from portal.payments.service.unexplained import refuse_unexplained_debit
from portal.payments.statements import service as statements
from portal.payments.statements.models import LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import payments as make
from tests.make.accounts import person
from tests.payments.notices import debit, notice
from tests.payments.payday import FUND, Payday
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller
from tests.payments.test_bank_checks import left


@pytest.fixture
def order(payday: Payday) -> PaymentOrder:
    """Return a payment that is with the bank."""
    return left(payday, 1)[0]


def hear(payday: Payday, *entries: str, number: int = 1) -> list[str]:
    content = notice(payday.account, *entries, message_id=f"N-{number}")
    found = bank_messages.receive_file(BytesIO(content), by=None)
    session.commit()
    return found.left


def unexplained(order: PaymentOrder) -> bool:
    session.expire_all()
    return debited.by_word([order.instalment_id]) == {order.instalment_id}


def test_a_debit_of_what_was_given_up_stands_until_somebody_sees_to_it(
    payday: Payday, order: PaymentOrder
) -> None:
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    assert not unexplained(order)
    [sentence] = hear(payday, debit(order))
    assert f"a debit of payment {order.ref}, which had been given up" in sentence
    assert unexplained(order)
    assert not debited.by_word([])
    with pytest.raises(Refused, match="may pay twice"):
        refuse_unexplained_debit(order.instalment)
    message = session.query(BankMessage).one()
    bank_messages.see_to(message, "The bank booked it back the same day.", by=payday.till.finance)
    refuse_unexplained_debit(order.instalment)
    assert not unexplained(order)


def test_a_debit_paid_after_all_by_a_line_is_explained_even_once_it_comes_back(
    payday: Payday, order: PaymentOrder
) -> None:
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    hear(payday, debit(order))
    teller = Teller(payday.account.account, payday.account.currency)
    statements.import_statement(
        teller.file(Move(-order.amount, end_to_end_id=order.ref, reference="B-1")), by=None
    )
    session.commit()
    statements.book_lines()
    session.commit()
    assert unexplained(order)
    line = session.query(StatementLine).one()
    target = Target(Purpose.PAYMENT, order=order)
    statements.allocate(line.id, target, "The grantee has it.", by=payday.till.finance)
    session.commit()
    assert not unexplained(order)
    service.return_by_bank(
        order, credited=order.money, on=line.booked_on, reference="R-1", reason="AC04"
    )
    assert not unexplained(order)


def test_who_signed_any_attempt_does_not_say_how_it_was_seen_to(
    payday: Payday, order: PaymentOrder
) -> None:
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    till, other = payday.till, person(roles=[(Role.TREASURY, FUND, None)])
    anew = service.prepare_order(order.instalment, by=till.finance)
    make.signed(anew, replace(till, treasurer=other))
    session.commit()
    hear(payday, debit(order))
    message = session.query(BankMessage).one()
    for signatory in (till.treasurer, other):
        assert banking.waiting(signatory).left == 0
        with pytest.raises(Refused, match="You signed payment"):
            bank_messages.see_to(message, "It is nothing.", by=signatory)
        session.rollback()
    assert banking.waiting(till.finance).left == 1
    bank_messages.see_to(message, "The bank booked it back the same day.", by=till.finance)


def test_who_saw_to_it_does_not_sign_the_payment_anew(payday: Payday, order: PaymentOrder) -> None:
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    hear(payday, debit(order))
    other = person(roles=[(Role.TREASURY, FUND, None)])
    bank_messages.see_to(session.query(BankMessage).one(), "The bank booked it back.", by=other)
    anew = service.prepare_order(order.instalment, by=payday.till.finance)
    make.signed(anew, payday.till, OrderStatus.APPROVED)
    session.commit()
    with pytest.raises(Refused, match=f"You said of payment {order.ref}"):
        service.release(anew, by=other)
    session.rollback()
    service.release(anew, by=payday.till.treasurer)


def test_a_debit_that_came_back_explains_no_other_one(payday: Payday, order: PaymentOrder) -> None:
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    teller = Teller(payday.account.account, payday.account.currency)
    debited, back = taken_in(
        teller,
        Move(-order.amount, end_to_end_id=order.ref, reference="B-1"),
        Move(order.amount, note="Ours by mistake", reference="B-2"),
    )
    for line, target in (
        (debited, Target(Purpose.SEND_BACK)),
        (back, Target(Purpose.SENT_BACK, counterpart=debited)),
    ):
        statements.allocate(line.id, target, "The bank's mistake.", by=payday.till.finance)
        session.commit()
    assert debited.status is LineStatus.BOOKED
    hear(payday, debit(order, "B-3"))
    assert unexplained(order)


def test_the_same_notice_twice_is_silent_and_another_debit_is_not(
    payday: Payday, order: PaymentOrder
) -> None:
    assert hear(payday, debit(order, "B-1")) == []
    assert hear(payday, debit(order, "B-1"), number=2) == []
    assert hear(payday, debit(order, ""), number=3) == []
    assert order.status is OrderStatus.CONFIRMED
    [other] = hear(payday, debit(order, "B-2"), number=4)
    assert f"another debit of payment {order.ref}" in other
    less = Money(order.amount - 1, order.currency)
    [other] = hear(payday, debit(order, "B-1", less), number=5)
    assert f"another debit of payment {order.ref}" in other
    service.return_by_bank(
        order, credited=order.money, on=clock.today(), reference="R-1", reason="AC04"
    )
    session.commit()
    assert unexplained(order)
    for message in session.query(BankMessage).filter(BankMessage.left > 0):
        bank_messages.see_to(message, "The bank gave it back.", by=payday.till.finance)
    assert not unexplained(order)


def test_what_came_back_and_is_debited_again_is_told(payday: Payday, order: PaymentOrder) -> None:
    hear(payday, debit(order, "B-1"))
    service.return_by_bank(
        order, credited=order.money, on=clock.today(), reference="R-1", reason="AC04"
    )
    session.commit()
    assert hear(payday, debit(order, "B-1"), number=2) == []
    assert not unexplained(order)
    [_sentence] = hear(payday, debit(order, "B-2"), number=3)
    assert unexplained(order)


def test_what_was_released_waits_while_a_notice_is_unexplained(
    payday: Payday, order: PaymentOrder
) -> None:
    service.reject_by_bank(order, reason="AM04")
    anew = make.signed(service.prepare_order(order.instalment, by=payday.till.finance), payday.till)
    session.commit()
    hear(payday, debit(order))
    assert list(exchange.gather_all()) == []
    message = session.query(BankMessage).one()
    bank_messages.see_to(message, "The bank booked it back the same day.", by=payday.till.finance)
    session.commit()
    [file] = exchange.gather_all()
    assert file.orders == [anew]
