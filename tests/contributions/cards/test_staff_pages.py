"""What the pages of a gift by card tell its fund: from whom, how a dispute ended, who is next."""

import pytest

from portal.accounts.models import Person
from portal.contributions.service import cards
from portal.core import clock
from portal.core.db import session
from portal.core.formats import format_day
from portal.core.money import Money
from tests import make
from tests.browser import Browser
from tests.contributions.cards.conftest import AMINA, REASON, Counter
from tests.make.accounts import PASSWORD
from tests.page import Page


@pytest.fixture(autouse=True)
def funds_on_record(counter: Counter) -> None:
    """Put the funds into the database, whose names the pages say."""
    del counter
    make.profiles()
    session.commit()


def enter(who: Person, browser: Browser) -> None:
    """Sign in, once the story is told: whoever is read in a request is gone after it."""
    email = who.email
    session.commit()
    browser.sign_in(email, PASSWORD)


def opened(browser: Browser, path: str) -> Page:
    return browser.open(path, 200)


def test_a_gift_names_its_donor_and_how_a_dispute_ended(counter: Counter, browser: Browser) -> None:
    lost, won = counter.disputed(won=False).ref, counter.disputed(won=True).ref
    day = format_day(clock.today())
    enter(counter.finance, browser)
    text = opened(browser, f"/card-gifts/{lost}").text
    assert f"Donor {AMINA[0]}" in text
    assert f"Dispute lost on {day} The donor’s bank keeps the US$ 50.00" in text
    browser.follow(AMINA[0])
    assert browser.page.heading == AMINA[0]
    text = opened(browser, f"/card-gifts/{won}").text
    assert f"Dispute won on {day} The donor’s bank had taken US$ 50.00 back" in text


def test_a_proposed_refund_says_who_is_next(counter: Counter, browser: Browser) -> None:
    gift = counter.paid()
    cards.ask_refund(gift, Money(20_00, "USD"), REASON, by=counter.officer)
    ref, officer = gift.ref, counter.officer.email
    enter(counter.finance, browser)
    text = opened(browser, f"/card-gifts/{ref}").text
    assert "A refund waits for a second person Dora Donors asked that US$ 20.00 goes back." in text
    assert "Next: you, or another finance officer of the fund, confirm it" in text
    browser.sign_out()
    browser.sign_in(officer, PASSWORD)
    text = opened(browser, f"/card-gifts/{ref}").text
    assert "Next: a finance officer of the fund, somebody else than who asked" in text


def test_the_second_person_sees_donor_gift_and_rest(counter: Counter, browser: Browser) -> None:
    gift = counter.paid(120_00)
    counter.refund(gift, 30_00)
    counter.work()
    asked = cards.ask_refund(gift, Money(20_00, "USD"), REASON, by=counter.officer)
    path = f"/card-gifts/{gift.ref}/refunds/{asked.ref}/confirm"
    enter(counter.finance, browser)
    text = opened(browser, path).text
    day = format_day(clock.today())
    assert f"Donor {AMINA[0]} Given US$ 120.00 on {day} Given back before US$ 30.00" in text
    assert "Goes back US$ 20.00 Left with the fund after that US$ 70.00" in text


def test_the_list_is_narrowed_to_what_became_of_gifts(counter: Counter, browser: Browser) -> None:
    lost, kept = counter.disputed(won=False).ref, counter.paid().ref
    in_dispute = counter.paid()
    counter.processor.dispute(str(in_dispute.charge_id))
    counter.deliver()
    refs = {"lost": lost, "received": kept, "disputed": in_dispute.ref, "refunded": ""}
    enter(counter.finance, browser)
    options = {e.get("value") for e in opened(browser, "/card-gifts").all("option")}
    assert refs.keys() <= options
    for status, wanted in refs.items():
        text = opened(browser, f"/card-gifts?status={status}").text
        assert {ref for ref in refs.values() if ref and ref in text} == {wanted} - {""}


def test_a_contribution_leads_to_its_gift(counter: Counter, browser: Browser) -> None:
    gift = counter.paid(100_00, "EUR")
    counter.refund(gift, 100_00)
    counter.work()
    assert gift.contribution is not None
    ref, number = gift.ref, gift.contribution.ref
    enter(counter.finance, browser)
    text = opened(browser, f"/contributions/received/{number}").text
    assert "Booked when received US$ 108.70" in text
    browser.follow(f"Gift by card {ref}")
    assert browser.page.heading == f"Gift by card {ref}"
