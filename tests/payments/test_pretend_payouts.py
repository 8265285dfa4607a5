"""The page on which somebody plays the bank of a grantee that is paid by the card processor."""

from collections.abc import Iterator

import pytest

from portal.core.web import Portal
from portal.payments.models import OrderStatus
from tests.browser import Browser
from tests.payments.test_card_processor import Desk, desk, fill

__all__ = ["desk"]

STAFF = "/demo/stripe/staff"


@pytest.fixture
def visitor(desk: Desk, application: Portal) -> Iterator[Browser]:
    """Let the application show the processor of the desk."""
    before = application.extensions["pretend_processor"]
    application.extensions["pretend_processor"] = desk.processor
    yield Browser(application)
    application.extensions["pretend_processor"] = before


def pressed(act: str, desk: Desk, visitor: Browser) -> OrderStatus:
    """Be the grantee's bank, and return where the payment stands once the portal heard of it."""
    visitor.press(act)
    desk.work()
    return desk.order.status


def test_the_grantees_bank_takes_the_money_and_gives_it_back(desk: Desk, visitor: Browser) -> None:
    ref = desk.order.ref
    assert ref not in visitor.open(STAFF).text
    fill()
    desk.work()
    assert ref in visitor.open(STAFF).text
    assert pressed("Let the grantee’s bank take it", desk, visitor) is OrderStatus.CONFIRMED
    assert "Let the grantee’s bank take it" not in visitor.open(STAFF).text
    assert pressed("Let the grantee’s bank refuse it", desk, visitor) is OrderStatus.RETURNED
    assert "Let the grantee’s bank refuse it" not in visitor.open(STAFF).text
