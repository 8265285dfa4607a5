"""A bank that cannot pay to an account: its details are doubted until somebody verifies them."""

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments import checks, exchange, queries, service, steps
from portal.payments.models import BankDetails, BankStatus, OrderStatus, PaymentOrder
from tests.make import payments as make
from tests.make.accounts import messages
from tests.payments.payday import ELSEWHERE, Payday
from tests.payments.test_bank_checks import left

CLOSED = "AC04 Konto erloschen"
MAIL = "bank_details_doubted"


@pytest.fixture
def order(payday: Payday) -> PaymentOrder:
    """Return a payment that is with the bank."""
    [order] = left(payday, 1)
    return order


def reject(order: PaymentOrder, reason: str = CLOSED) -> BankDetails:
    service.reject_by_bank(order, reason=reason)
    session.commit()
    return order.bank_details


def give_back(order: PaymentOrder, reason: str = CLOSED) -> None:
    service.return_by_bank(
        order, credited=order.money, on=clock.today(), reference="R-1", reason=reason
    )
    session.commit()


def doubts(details: BankDetails) -> int:
    rows = select(func.count()).where(
        AuditEvent.action == "bank_details.doubt", AuditEvent.subject_id == details.id
    )
    return int(session.scalar(rows) or 0)


def waits_for(payday: Payday, order: PaymentOrder) -> bool:
    ref = order.instalment.award.application.ref
    return any(
        each.matter is queries.Matter.VERIFY and each.application.ref == ref
        for each in queries.queue(payday.till.finance)
    )


def test_a_closed_account_is_doubted_once_and_everybody_hears(
    payday: Payday, order: PaymentOrder
) -> None:
    assert not waits_for(payday, order)
    details = reject(order)
    assert (details.status, details.remark) == (BankStatus.DOUBTED, CLOSED)
    assert waits_for(payday, order)
    grantee = make.grantee(order.instalment.award)
    [mail] = messages(grantee.email, MAIL)
    assert "bank" not in mail.subject.lower()
    assert "Konto" not in mail.body
    ref = order.instalment.award.application.ref
    assert f"Check the bank details for {ref}" in [todo.title for todo in steps.todos(grantee)]
    reject(order)
    assert (len(messages(grantee.email, MAIL)), doubts(details)) == (1, 1)


def test_a_payment_that_comes_back_doubts_the_account_too(order: PaymentOrder) -> None:
    service.settle_by_bank(order, debited=order.money, on=clock.today(), reference="B-1")
    give_back(order)
    give_back(order)
    assert (order.status, doubts(order.bank_details)) == (OrderStatus.RETURNED, 1)
    assert order.bank_details.status is BankStatus.DOUBTED


@pytest.mark.parametrize("reason", ["AM04", "DUPL", "AC02", "", "It is closed, they say."])
def test_other_reasons_leave_the_account_verified(order: PaymentOrder, reason: str) -> None:
    details = reject(order, reason)
    assert (details.status, doubts(details)) == (BankStatus.VERIFIED, 0)


def test_the_gate_is_closed_until_a_second_person_verifies_again(
    payday: Payday, order: PaymentOrder
) -> None:
    details, finance = reject(order), payday.till.finance
    with pytest.raises(Refused, match=r"The account is closed \(AC04\): “Konto erloschen”"):
        service.prepare_order(order.instalment, by=finance)
    with pytest.raises(Refused):
        service.verify_bank_details(details, screened=True, by=make.grantee(details.award))
    service.verify_bank_details(details, screened=True, by=finance)
    session.commit()
    assert (details.status, details.remark, details.checked_by_id) == (
        BankStatus.VERIFIED,
        "",
        finance.id,
    )
    assert not waits_for(payday, order)
    again = service.prepare_order(order.instalment, by=finance)
    assert again.attempt == order.attempt + 1
    assert [each.name for each in checks.of_orders() if each.run().violations] == []


def test_what_was_released_does_not_leave_while_its_account_is_doubted(payday: Payday) -> None:
    order = make.signed(payday.orders[0], payday.till)
    doubt = {"status": BankStatus.DOUBTED, "remark": CLOSED, "doubted_at": clock.now()}
    details = order.bank_details
    session.execute(sa.update(BankDetails).where(BankDetails.id == details.id).values(doubt))
    session.commit()
    assert list(exchange.gather_all()) == []
    service.verify_bank_details(details, screened=True, by=payday.till.finance)
    session.commit()
    [file] = exchange.gather_all()
    assert file.orders == [order]


def test_new_details_open_the_gate_after_their_pause(payday: Payday, order: PaymentOrder) -> None:
    details = reject(order)
    award = details.award
    assert make.entered(award, account=ELSEWHERE, country="NLD", bic="") is details
    new = make.entered(award)
    assert (details.status, new.status) == (BankStatus.REPLACED, BankStatus.ENTERED)
    assert new.payable_from > clock.now()
    service.verify_bank_details(new, screened=True, by=payday.till.finance)
    with pytest.raises(Refused, match="48 hours"):
        service.prepare_order(order.instalment, by=payday.till.finance)


def test_details_that_were_replaced_meanwhile_are_left_alone(order: PaymentOrder) -> None:
    service.settle_by_bank(order, debited=order.money, on=clock.today(), reference="B-1")
    new = make.entered(order.instalment.award)
    give_back(order)
    assert order.bank_details.status is BankStatus.REPLACED
    assert new.status is BankStatus.ENTERED
    assert doubts(new) == 0


def test_a_second_doubt_is_told_again(payday: Payday, order: PaymentOrder) -> None:
    details = reject(order)
    service.verify_bank_details(details, screened=True, by=payday.till.finance)
    again = make.signed(
        service.prepare_order(order.instalment, by=payday.till.finance), payday.till
    )
    session.commit()
    [file] = exchange.gather_all()
    service.hand_over(file, by=payday.till.treasurer)
    reject(again, "AC06")
    assert (details.remark, doubts(details)) == ("AC06", 2)
    assert len(messages(make.grantee(details.award).email, MAIL)) == 2


@pytest.mark.parametrize(
    "edit",
    [
        "status = 'verified'",
        "status = 'verified', checked_at = now()",
        "doubted_at = now()",
        "remark = 'AC01'",
        "status = 'rejected', doubted_at = now()",
    ],
)
def test_the_database_lets_nobody_wave_a_doubt_away(order: PaymentOrder, edit: str) -> None:
    details = reject(order)
    with pytest.raises(DBAPIError):
        session.execute(
            sa.text(f"UPDATE bank_details SET {edit} WHERE id = :id"),  # noqa: S608 — ours
            {"id": details.id},
        )
    session.rollback()
