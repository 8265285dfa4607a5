"""The pages of a payment by card that came back too late: what it is, by whom, and taken back."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from portal.accounts.models import Role
from portal.core.db import session
from portal.payments.models import LateWay
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make.accounts import PASSWORD, person
from tests.payments.late import TITLE, another, balanced, came_back_of, late, wrong
from tests.payments.test_card_processor import FUND, Desk

__all__ = ["late"]

ON_THE_ORDER = "What came back, and what it is"
CONFIRM = "Confirm it"
MOST = 10
Count = Callable[[], AbstractContextManager[SqlCount]]


def signed_in(application: object, email: str) -> Browser:
    visitor = Browser(application)  # type: ignore[arg-type]
    visitor.sign_in(email, PASSWORD)
    return visitor


def say(visitor: Browser, ref: str, way: LateWay) -> None:
    """Say what came back, from the page of the payment on."""
    visitor.open(f"/payments/{ref}")
    visitor.follow(ON_THE_ORDER)
    visitor.follow("Say what it is")
    visitor.choose(str(way.label))
    visitor.fill("Reason", "The grantee wrote so.")
    visitor.press("Record it")


def test_finance_says_it_was_not_received_and_another_confirms(
    late: Desk, application: object
) -> None:
    ref, colleague = late.order.ref, another().email
    finance = signed_in(application, late.till.finance.email)
    assert TITLE in finance.open("/home").text
    say(finance, ref, LateWay.AGAIN)
    assert "Waits for a second person" in finance.page.text
    assert CONFIRM not in finance.page.text
    other = signed_in(application, colleague)
    assert "Confirm that a payment that came back is made anew" in other.open("/home").text
    other.open(f"/payments/{ref}")
    other.follow(ON_THE_ORDER)
    other.follow(CONFIRM)
    other.press(CONFIRM)
    assert "A new attempt needs new signatures" in other.page.text
    assert "Nothing of it waits any more" in other.open(f"/payments/{ref}").text
    finance.open(f"/payments/{ref}/late")
    assert "Take back" not in finance.page.text
    assert wrong() == []


def test_the_refund_shows_on_the_page_of_the_debt(late: Desk, application: object) -> None:
    ref, file_ref = late.order.ref, late.order.instalment.award.application.ref
    balanced(late)
    finance = signed_in(application, late.till.finance.email)
    say(finance, ref, LateWay.REFUND)
    assert "Recorded as a refund" in finance.page.text
    assert finance.open(f"/payments/{ref}/late/1/confirm", 200).path == f"/payments/{ref}/late"
    assert ref in finance.open(f"/files/{file_ref}/payments/owed").text
    assert wrong() == []


def test_what_stays_with_the_fund_is_confirmed_by_treasury_and_taken_back(
    late: Desk, application: object
) -> None:
    ref = late.order.ref
    balanced(late)
    treasurer = another(Role.TREASURY).email
    finance = signed_in(application, late.till.finance.email)
    say(finance, ref, LateWay.REFUND)
    say(finance, ref, LateWay.KEPT)
    assert "Waits for a second person" in finance.page.text
    assert CONFIRM not in finance.page.text
    second = signed_in(application, treasurer)
    assert "Confirm that a payment that came back stays with the fund" in second.open("/home").text
    second.open(f"/payments/{ref}/late")
    second.follow(CONFIRM)
    second.press(CONFIRM)
    assert "Confirmed, and booked" in second.page.text
    assert not came_back_of(ref).left
    finance.open(f"/payments/{ref}/late")
    finance.follow("Take back: To stay with the fund: the grant costs less")
    finance.fill("Reason", "They claim it after all.")
    finance.press("Take it back")
    assert "Taken back. The money waits in suspense as before." in finance.page.text
    assert came_back_of(ref).left.minor
    assert wrong() == []


def test_an_auditor_reads_it_and_can_do_nothing(late: Desk, application: object) -> None:
    ref, auditor = late.order.ref, another(Role.AUDITOR).email
    visitor = signed_in(application, auditor)
    visitor.open(f"/payments/{ref}")
    visitor.follow(ON_THE_ORDER)
    assert "A finance officer of the fund says what it is" in visitor.page.text
    visitor.open(f"/payments/{ref}/late/say", status=404)


def test_the_form_says_what_it_cannot_be_and_keeps_what_was_typed(
    late: Desk, application: object
) -> None:
    ref = late.order.ref
    finance = signed_in(application, late.till.finance.email)
    form = finance.open(f"/payments/{ref}/late/say")
    assert "The grantee owes nothing back" in form.text
    assert "Draw the balance first" in form.text
    finance.fill("Reason", "The grantee wrote so.")
    finance.press("Record it")
    assert "Choose what it is." in finance.page.text
    assert "The grantee wrote so." in finance.page.text
    assert came_back_of(ref).outcomes == []


@pytest.mark.parametrize("part", ["late", "late/say", "late/1/take-back", "late/1/confirm"])
def test_the_grantee_and_who_signed_find_nothing_to_do(
    late: Desk, application: object, part: str
) -> None:
    ref, signatory = late.order.ref, late.till.treasurer.email
    grantee = make.grantee(late.order.instalment.award).email
    balanced(late)
    say(signed_in(application, late.till.finance.email), ref, LateWay.REFUND)
    signed_in(application, grantee).open(f"/payments/{ref}/{part}", status=404)
    visitor = signed_in(application, signatory)
    visitor.open(f"/payments/{ref}/late")
    assert "Say what it is" not in visitor.page.text
    assert "Take back" not in visitor.page.text


def test_its_pages_take_few_statements(late: Desk, application: object, count_sql: Count) -> None:
    ref, file_ref = late.order.ref, late.order.instalment.award.application.ref
    balanced(late)
    roles = [(role, FUND, None) for role in (Role.FINANCE_OFFICER, Role.TREASURY)]
    both = person(roles=roles).email
    session.commit()
    visitor = signed_in(application, both)
    say(visitor, ref, LateWay.REFUND)
    for path in (f"/payments/{ref}", f"/payments/{ref}/late", f"/payments/{ref}/late/say"):
        with count_sql() as count:
            visitor.open(path, 200)
        assert count.total <= MOST, (path, count.statements)
    with count_sql() as count:
        visitor.open(f"/files/{file_ref}/payments/owed", 200)
    assert count.total <= MOST, count.statements
