"""A bank that has a payment already has not refused it: nothing is given up, a person is told."""

from io import BytesIO

import pytest

from portal.core.db import session
from portal.core.workflow import Refused
from portal.demo.bank import messages
from portal.payments import service
from portal.payments.models import (
    BankMessage,
    FileStatus,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.service import bank_messages
from portal.payments.service.bank_messages import Received
from tests.payments.payday import Payday
from tests.payments.test_bank_checks import answered, left

CODES = ["AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05", "RF01"]


@pytest.fixture
def orders(payday: Payday) -> list[PaymentOrder]:
    """Return two payments that are with the bank in one file."""
    return left(payday, 2)


def file_of(order: PaymentOrder) -> PaymentFile:
    assert order.file is not None
    return order.file


def heard(content: bytes) -> Received:
    found = bank_messages.receive_file(BytesIO(content), by=None)
    session.commit()
    return found


def refused_whole(order: PaymentOrder, code: str, listing: str = "") -> bytes:
    why = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"
    whole = answered(file_of(order).message_id)
    return whole.replace(b"ACCP</GrpSts>", f"RJCT</GrpSts>{why}".encode()).replace(
        b"</CstmrPmtStsRpt>", f"{listing}</CstmrPmtStsRpt>".encode()
    )


def stays(payday: Payday, order: PaymentOrder) -> None:
    session.refresh(order)
    assert (order.status, order.remark) == (OrderStatus.RELEASED, "")
    with pytest.raises(Refused, match="still has time"):
        service.reject_order(order, "They say that they refused it.", by=payday.till.finance)
    session.rollback()
    with pytest.raises(Refused):
        service.prepare_order(order.instalment, by=payday.till.finance)
    session.rollback()


def test_no_code_of_a_duplicate_gives_a_payment_up(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    first, second = orders
    for number, code in enumerate(CODES):
        report = messages.status_report(
            f"S-{number}", file_of(first).message_id, [(first.ref, "RJCT", code)]
        )
        found = heard(report)
        assert found.told == 1, code
        assert first.status is OrderStatus.RELEASED, code
        if not number:
            [sentence] = found.left
            assert f"has payment {first.ref} already: it may have been paid" in sentence
    stays(payday, first)
    assert second.accepted_at is None


@pytest.mark.parametrize("code", CODES)
def test_nor_does_a_file_that_it_has_already(
    payday: Payday, orders: list[PaymentOrder], code: str
) -> None:
    found = heard(refused_whole(orders[0], code))
    assert (found.told, len(found.left)) == (2, 2)
    assert file_of(orders[0]).status is FileStatus.DUPLICATE
    for order in orders:
        stays(payday, order)


def test_a_payment_without_a_reason_has_that_of_its_file(orders: list[PaymentOrder]) -> None:
    first, second = orders
    listing = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{file_of(first).message_id}</OrgnlPmtInfId>"
        f"<TxInfAndSts><OrgnlEndToEndId>{first.ref}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "</TxInfAndSts></OrgnlPmtInfAndSts>"
    )
    content = refused_whole(first, "AM05", listing).replace(b">RJCT</GrpSts>", b">PART</GrpSts>")
    assert len(heard(content).left) == 1
    assert (first.status, second.status) == (OrderStatus.RELEASED, OrderStatus.RELEASED)


def test_what_the_bank_had_accepted_before_is_nothing_new(orders: list[PaymentOrder]) -> None:
    heard(answered(file_of(orders[0]).message_id))
    assert heard(refused_whole(orders[0], "DU01")).left == []
    assert file_of(orders[0]).status is FileStatus.ACCEPTED


@pytest.mark.parametrize(("status", "code"), [("RJCT", "DUPL"), ("ACCP", ""), ("ACSC", "")])
def test_what_was_given_up_and_the_bank_has_is_not_paid_anew_until_somebody_sees_to_it(
    payday: Payday, orders: list[PaymentOrder], status: str, code: str
) -> None:
    order, other = orders
    service.reject_by_bank(order, reason="AM04")
    session.commit()
    told = (order.ref, status, code), (other.ref, "ACCP", "")
    [sentence] = heard(messages.status_report("S-1", file_of(order).message_id, told)).left
    assert order.ref in sentence
    assert order.status is OrderStatus.REJECTED
    with pytest.raises(Refused, match="may pay twice"):
        service.prepare_order(order.instalment, by=payday.till.finance)
    session.rollback()
    message = session.query(BankMessage).one()
    bank_messages.see_to(message, "The bank stopped it: letter of today.", by=payday.till.finance)
    service.prepare_order(order.instalment, by=payday.till.finance)


def test_so_is_one_that_is_given_up_after_the_bank_said_that_it_has_it(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    order, _other = orders
    told = [(order.ref, "RJCT", "DUPL")]
    heard(messages.status_report("S-1", file_of(order).message_id, told))
    service.reject_by_bank(order, reason="AC04")
    session.commit()
    with pytest.raises(Refused, match="may pay twice"):
        service.prepare_order(order.instalment, by=payday.till.finance)
