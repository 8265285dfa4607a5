"""Why earlier attempts failed, for those who prepare and sign anew, and for the grantee."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.core.web import Portal
from portal.payments import exchange, service
from portal.payments.models import OrderStatus, PaymentOrder
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make.accounts import PASSWORD
from tests.payments.payday import Payday
from tests.payments.test_bank_checks import left
from tests.payments.test_bank_pages import MOST_BYTES, MOST_SQL, enter

Count = Callable[[], AbstractContextManager[SqlCount]]
WORDS = "There is not enough money on the fund's account (AM04)"
CLOSED = "The account is closed (AC04): “Konto erloschen”"


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser on the day's database, nobody signed in."""
    del payday
    return Browser(application)


@pytest.fixture
def order(payday: Payday) -> PaymentOrder:
    """Return a payment that is with the bank."""
    [order] = left(payday, 1)
    return order


def refused(order: PaymentOrder, reason: str = "AM04") -> PaymentOrder:
    service.reject_by_bank(order, reason=reason)
    session.commit()
    return order


def again(payday: Payday, order: PaymentOrder) -> PaymentOrder:
    made = service.prepare_order(order.instalment, by=payday.till.finance)
    session.commit()
    return made


def returned(order: PaymentOrder, reason: str) -> None:
    today = clock.today()
    service.settle_by_bank(order, debited=order.money, on=today, reference="B-1")
    service.return_by_bank(order, credited=order.money, on=today, reference="R-1", reason=reason)
    session.commit()


def test_signers_see_why_the_attempt_before_failed(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    former, made = order.ref, again(payday, refused(order)).ref
    enter(visitor, payday, "certifier")
    for path in (f"/payments/{made}", f"/payments/{made}/certify", "/payments/several/certify"):
        visitor.open(path, 200)
        assert WORDS in visitor.page.text, path
        assert "Not paid" in visitor.page.text, path
    visitor.open(f"/payments/{former}", 200)
    assert "Earlier attempts" not in visitor.page.text
    assert "prepared anew since" in visitor.page.text


def test_an_order_that_failed_says_what_staff_does_next(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    path, grantee = f"/payments/{order.ref}", make.grantee(order.instalment.award).email
    refused(order, "AC04 Konto erloschen")
    enter(visitor, payday, "finance").open(path, 200)
    assert "ask the grantee for other bank details" in visitor.page.text
    assert visitor.page.text.count(CLOSED) == 2, "as the reason, and in the timeline"
    visitor.sign_out()
    visitor.sign_in(grantee, PASSWORD)
    visitor.open(path, 200)
    assert "ask the grantee" not in visitor.page.text


def test_acts_that_have_to_wait_say_why(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    path = f"/payments/{order.ref}"
    enter(visitor, payday, "finance").open(path, 200)
    assert "What you can do now" not in visitor.page.text
    assert "What has to wait" in visitor.page.text
    assert "Record that it was not paid: The bank still has time to answer." in visitor.page.text
    assert "Record the payment" not in visitor.page.text  # nobody ever does: the bank tells


def test_who_prepares_sees_it_too_and_so_does_the_tab(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    file, number = order.instalment.award.application.ref, order.instalment.number
    refused(order)
    enter(visitor, payday, "finance")
    for path in (f"/files/{file}/payments/{number}/prepare", f"/files/{file}/payments"):
        visitor.open(path, 200)
        assert WORDS in visitor.page.text, path


def test_attempts_that_were_cancelled_or_void_say_why(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    ref = order.ref
    second = again(payday, refused(order))
    service.cancel_order(second, "The amount is looked at once more.", by=payday.till.finance)
    third = again(payday, order)
    make.entered(order.instalment.award)
    session.commit()
    assert third.status is OrderStatus.CANCELLED
    file, number = order.instalment.award.application.ref, order.instalment.number
    enter(visitor, payday, "finance").open(f"/files/{file}/payments/{number}/prepare")
    for words in (ref, WORDS, "looked at once more", "bank details under it no longer stood"):
        assert words in visitor.page.text


def test_the_gate_and_the_check_say_that_the_account_could_not_be_paid(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    details = refused(order, "AC04 Konto erloschen").bank_details.id
    file = order.instalment.award.application.ref
    enter(visitor, payday, "finance").open(f"/files/{file}/payments")
    assert f"The account could not be paid to. {CLOSED}. The grantee enters" in visitor.page.text
    assert "· The grantee, who sees to the bank details" in visitor.page.text
    assert "To be verified again" in visitor.page.text
    assert visitor.page.text.count("Prepare payment") == 0
    visitor.follow("Verify bank details")
    assert CLOSED in visitor.page.text
    visitor.press("Open the bank details")
    visitor.choose("I compared the account")
    visitor.press("Verify bank details")
    assert "The bank details are verified." in visitor.page.text
    visitor.open(f"/payments/bank/{details}")
    assert CLOSED not in visitor.page.text


@pytest.mark.parametrize(
    ("reason", "words", "advice"),
    [
        ("AC04 Konto erloschen", CLOSED, "ask your bank whether the account"),
        ("TM01", "It came after the bank's closing hour (TM01)", "You need not do anything now"),
    ],
)
def test_the_grantee_reads_what_came_back_and_what_to_do(
    order: PaymentOrder, visitor: Browser, reason: str, words: str, advice: str
) -> None:
    grantee = make.grantee(order.instalment.award).email
    ref, file = order.ref, order.instalment.award.application.ref
    returned(order, reason)
    visitor.sign_in(grantee, PASSWORD)
    for path in (f"/files/{file}/payments", f"/payments/{ref}"):
        visitor.open(path, 200)
        assert words in visitor.page.text, path
        assert advice in visitor.page.text, path
        assert "Verify bank details" not in visitor.page.text, path


def test_codes_stand_in_words_on_the_file_of_payments(
    payday: Payday, order: PaymentOrder, visitor: Browser
) -> None:
    name = order.file.message_id if order.file else ""
    refused(order, "AC04 Konto erloschen")
    enter(visitor, payday, "finance").open(f"/bank/files/{name}", 200)
    assert CLOSED in visitor.page.text


def test_pages_take_no_more_statements_for_more_attempts(
    payday: Payday, order: PaymentOrder, visitor: Browser, count_sql: Count
) -> None:
    file, number = order.instalment.award.application.ref, order.instalment.number
    totals = list[dict[str, int]]()
    made = refused(order)
    for attempts in (1, 4):
        while made.attempt < attempts:
            made = make.signed(again(payday, made), payday.till)
            [sent] = exchange.gather_all()
            service.hand_over(sent, by=payday.till.treasurer)
            refused(made)
        former = made.ref
        totals.append({})
        for path in (f"/files/{file}/payments/{number}/prepare", f"/files/{file}/payments"):
            totals[-1][path] = counted(visitor, payday, "finance", path, count_sql)
        made = again(payday, payday_order(former))
        ref = made.ref
        for path in (f"/payments/{ref}", f"/payments/{ref}/certify", "/payments/several/certify"):
            kind = path.replace(ref, "")
            totals[-1][kind] = counted(visitor, payday, "certifier", path, count_sql)
        made = payday_order(ref)
    assert totals[0] == totals[1]
    assert {path: number for path, number in totals[1].items() if number > MOST_SQL} == {}


def payday_order(ref: str) -> PaymentOrder:
    return session.scalars(select(PaymentOrder).where(PaymentOrder.ref == ref)).one()


def counted(visitor: Browser, payday: Payday, part: str, path: str, count_sql: Count) -> int:
    enter(visitor, payday, part)
    with count_sql() as found:
        visitor.open(path, 200)
    assert len(visitor.response.data) <= MOST_BYTES, path
    visitor.sign_out()
    return found.total
