"""What the page of a gift tells its donor once it was paid: in whole sentences, with amounts."""

import pytest

from portal.contributions.service import issue_due_receipts
from portal.core import clock
from portal.core.db import session
from portal.core.formats import format_day
from tests import make
from tests.browser import Browser
from tests.contributions.cards.conftest import Counter


@pytest.fixture(autouse=True)
def funds_on_record(counter: Counter) -> None:
    """Put the funds into the database, whose names the page says."""
    del counter
    make.profiles()
    session.commit()


def shown(browser: Browser, ref: str) -> str:
    """Return what the page of a gift says."""
    session.commit()
    return browser.open(f"/gifts/{ref}", 200).text


def receipted() -> str:
    """Let the worker make the receipts, and return the day in words."""
    issue_due_receipts()
    return format_day(clock.today())


def test_a_receipt_follows_until_it_was_sent(counter: Counter, browser: Browser) -> None:
    gift = counter.begin()
    ref, page = gift.ref, str(gift.session_id)
    assert "You give US$ 50.00" in shown(browser, ref)
    counter.processor.pay(page)
    counter.deliver()
    text = shown(browser, ref)
    assert "You gave US$ 50.00" in text
    assert "The receipt follows by e-mail, in some minutes." in text
    assert "Left with the fund" not in text
    day = receipted()
    text = shown(browser, ref)
    assert f"The receipt was sent by e-mail on {day}." in text
    assert "follows" not in text


def test_a_gift_given_back_in_part_says_how_much(counter: Counter, browser: Browser) -> None:
    gift = counter.paid(120_00, "EUR")
    ref = gift.ref
    counter.refund(gift, 50_00)
    counter.work()
    text = shown(browser, ref)
    assert "You gave EUR 120.00 Given back to you EUR 50.00 Left with the fund EUR 70.00" in text
    assert "EUR 50.00 goes back to the card that it came from" in text
    assert "A receipt that says so follows by e-mail." in text
    day = receipted()
    assert f"A receipt that says so was sent by e-mail on {day}." in shown(browser, ref)


def test_a_dispute_is_told_of_the_donors_bank(counter: Counter, browser: Browser) -> None:
    gift = counter.paid()
    counter.processor.dispute(str(gift.charge_id))
    counter.deliver()
    text = shown(browser, gift.ref)
    assert "Your bank was asked to take the gift back" in text
    assert "Taken back by your bank US$ 50.00 Left with the fund US$ 0.00" in text
    assert "write to the fund and name the reference above" in text


def test_a_dispute_that_ended_says_how(counter: Counter, browser: Browser) -> None:
    lost, won = counter.disputed(won=False).ref, counter.disputed(won=True).ref
    day = receipted()
    text = shown(browser, lost)
    assert "Your bank decided that the money goes back to you." in text
    assert f"A receipt that says so was sent by e-mail on {day}." in text
    text = shown(browser, won)
    assert f"gave it to the fund again on {day}: the gift stands, and so does its receipt." in text
    assert f"The receipt was sent by e-mail on {day}." in text
    assert "follows" not in text


def test_whoever_did_not_pay_did_not_give(counter: Counter, browser: Browser) -> None:
    gift = counter.begin()
    counter.processor.expire(str(gift.session_id))
    counter.deliver()
    assert "You wanted to give US$ 50.00" in shown(browser, gift.ref)
