"""Many payments under one signature: all that is ticked or nothing, and only what one may sign."""

from datetime import timedelta

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.web import Portal
from portal.payments import service
from portal.payments.models import OrderStatus
from tests.browser import Browser
from tests.make import payments as make
from tests.payments.payday import Payday
from tests.payments.test_bank_pages import enter, recused


@pytest.fixture
def visitor(application: Portal, payday: Payday) -> Browser:
    """Return a browser on the day's database, nobody signed in."""
    del payday
    return Browser(application)


SEVERAL = (
    ("certifier", "Certify several payments", OrderStatus.CERTIFIED),
    ("approver", "Approve several payments", OrderStatus.APPROVED),
    ("treasurer", "Release several payments", OrderStatus.RELEASED),
)

TOLD = {
    OrderStatus.CERTIFIED: "3 payments certified. Next: an approving officer approves them.",
    OrderStatus.APPROVED: "3 payments approved. Next: treasury releases them.",
    OrderStatus.RELEASED: "3 payments released. The page of each says what happens next.",
}


def statuses(payday: Payday) -> list[OrderStatus]:
    session.rollback()
    return [order.status for order in payday.orders]


def tick(visitor: Browser, *refs: str) -> None:
    for ref in refs:
        visitor.choose(ref)


def test_several_payments_take_each_signature_at_once(payday: Payday, visitor: Browser) -> None:
    three = payday.refs[:3]
    for part, title, status in SEVERAL:
        enter(visitor, payday, part).open("/payments")
        waits = {"certifier": 12}.get(part, 3)
        visitor.follow(f"{title} ({waits})")
        visitor.press(title, 422)
        assert "Tick at least one payment" in visitor.page.text
        tick(visitor, *three)
        visitor.press(title)
        assert TOLD[status] in visitor.page.text
        assert statuses(payday)[:3] == [status] * 3
        visitor.sign_out()
    assert statuses(payday)[3:] == [OrderStatus.PREPARED] * 9
    assert {len(order.approvals) for order in payday.orders[:3]} == {3}


def test_a_payment_alone_has_no_page_for_several(payday: Payday, visitor: Browser) -> None:
    make.signed(payday.orders[0], payday.till, OrderStatus.CERTIFIED)
    session.commit()
    enter(visitor, payday, "approver").open("/payments")
    assert "Approve several" not in visitor.page.text


def test_a_release_of_several_asks_for_the_password_again(payday: Payday, visitor: Browser) -> None:
    for order in payday.orders[:2]:
        make.signed(order, payday.till, OrderStatus.APPROVED)
    session.commit()
    enter(visitor, payday, "treasurer")
    with clock.at(clock.now() + timedelta(minutes=20)):
        visitor.open("/payments/several/release")
        assert "Release several payments" not in visitor.page.heading
        assert any(e.get("type") == "password" for e in visitor.page.controls)


def test_either_all_that_is_ticked_is_signed_or_nothing(payday: Payday, visitor: Browser) -> None:
    first, second, third = payday.refs[:3]
    enter(visitor, payday, "certifier").open("/payments/several/certify")
    conditions = [address for said, address in visitor.page.links if "Conditions and" in said]
    assert len(conditions) == len(payday.refs)
    tick(visitor, first, second)
    service.cancel_order(payday.orders[1], "Not now.", by=payday.till.finance)
    session.commit()
    visitor.press("Certify several payments", 422)
    assert "moved meanwhile" in visitor.page.text
    assert second not in visitor.page.text
    assert statuses(payday)[0] is OrderStatus.PREPARED
    tick(visitor, first, third)
    details = payday.orders[2].bank_details
    service.enter_bank_details(
        details.award,
        make.payee(account=make.OTHER_IBAN),
        by=make.grantee(details.award),
    )
    session.commit()
    visitor.press("Certify several payments", 422)
    assert statuses(payday)[0] is OrderStatus.PREPARED


def test_who_declared_an_interest_finds_that_payment_on_no_list(
    payday: Payday, visitor: Browser
) -> None:
    recused(payday.till.certifier, payday)
    enter(visitor, payday, "certifier").open("/payments/several/certify")
    assert payday.refs[0] not in visitor.page.text
    assert payday.refs[1] in visitor.page.text
    token = next(e for e in visitor.page.controls if e.get("name") == "order")
    token.set("value", payday.refs[0])
    token.set("checked", "")
    visitor.press("Certify several payments", 422)
    assert set(statuses(payday)) == {OrderStatus.PREPARED}
