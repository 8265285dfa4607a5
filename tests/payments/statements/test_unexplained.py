"""Debits that may have paid an instalment already, however the bank tells of them."""

import pytest

from portal.core.db import session
from portal.payments import debited, service
from portal.payments.models import PaymentOrder
from portal.payments.statements import service as statements
from portal.payments.statements.models import LineStatus, StatementLine
from tests.payments.payday import Payday
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller
from tests.payments.test_bank_checks import left


@pytest.fixture
def teller(payday: Payday) -> Teller:
    """Return the teller of the account that pays."""
    return Teller(payday.account.account, payday.account.currency)


@pytest.fixture
def refused(payday: Payday) -> PaymentOrder:
    """Return a payment that the bank refused."""
    [order] = left(payday, 1)
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    return order


def holds(order: PaymentOrder) -> bool:
    return debited.by_line([order.instalment_id]) == {order.instalment_id}


def test_nothing_holds_where_nothing_was_debited(refused: PaymentOrder, teller: Teller) -> None:
    taken_in(teller, Move(-refused.amount - 1), Move(-5_00, note="Fee of the quarter"))
    assert not holds(refused)
    assert not debited.debited([])


def test_a_debit_that_names_the_payment_in_words_holds(
    refused: PaymentOrder, teller: Teller
) -> None:
    taken_in(teller, Move(-refused.amount - 15_00, note=f"PAYMENT {refused.ref}"))
    assert holds(refused)


def test_a_credit_that_names_it_does_not(refused: PaymentOrder, teller: Teller) -> None:
    taken_in(teller, Move(refused.amount, note=f"PAYMENT {refused.ref}"))
    assert not holds(refused)


@pytest.mark.parametrize("told", ["payment", "file", "words", "nothing"])
def test_a_line_that_nobody_booked_yet_holds(
    refused: PaymentOrder, teller: Teller, told: str
) -> None:
    assert refused.file is not None
    move = Move(
        -refused.amount,
        end_to_end_id=refused.ref if told == "payment" else "",
        batch_id=refused.file.message_id if told == "file" else "",
        note=f"PAYMENT {refused.ref}" if told == "words" else "",
    )
    statements.import_statement(teller.file(move), by=None)
    session.commit()
    assert session.query(StatementLine).one().status is LineStatus.WAITING
    assert holds(refused)
