"""The pages of giving by card: what a donor meets, what finance meets, what the processor shows."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.accounts.rules import FORMS_FREE
from portal.contributions.models.cards import CardGift, CardRefund, GiftStatus, RefundStatus
from portal.contributions.service import cards
from portal.core import clock, jobs, stripe
from portal.core.db import session
from portal.core.money import Money
from portal.core.stripe import events
from portal.core.workflow import Refused
from portal.demo.stripe import Processor
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.contributions.cards.conftest import AMINA, Counter
from tests.contributions.cards.test_payouts import arrive, paid_out
from tests.core.stripe.signing import signature
from tests.make.accounts import PASSWORD
from tests.make.contributions import FUND

Count = Callable[[], AbstractContextManager[SqlCount]]


@pytest.fixture
def donor(counter: Counter, browser: Browser) -> Iterator[Browser]:
    """Return the browser of somebody who gives; the portal plays the same processor."""
    make.profiles()
    session.commit()
    extensions = browser.app.extensions
    before = extensions["pretend_processor"]
    extensions["pretend_processor"] = Processor(
        counter.processor.store, counter.processor.mailbox, pages="/demo/stripe/pay"
    )
    yield browser
    extensions["pretend_processor"] = before


def typed(browser: Browser, amount: str = "50.00", currency: str = "USD") -> None:
    browser.open(f"/funds/{FUND}/give", 200)
    browser.fill("Amount", amount)
    browser.fill("Currency", currency)
    browser.fill("Your name", AMINA[0])
    browser.fill("E-mail address", AMINA[1])
    browser.press("Continue")


def the_gift() -> CardGift:
    return session.scalars(select(CardGift)).one()


def told(counter: Counter) -> None:
    """Deliver over our own door, then be the worker."""
    for event in counter.processor.mailbox.told[counter.delivered :]:
        counter.hand_over(event)
    counter.delivered = len(counter.processor.mailbox.told)
    counter.work()


def on_the_page(browser: Browser, counter: Counter) -> None:
    """Go to the processor's page: on our own pages here, wherever its address leads."""
    with counter.processor.store.turn() as turn:
        page = turn.all("checkout.session")[0]
    browser.open(f"/demo/stripe/pay/{page['id']}", 200)


def leave(browser: Browser) -> str:
    """Press the button that leaves for the processor, and return where it leads."""
    gift = the_gift()
    form = next(e for e in browser.page.all("form") if "/pay" in e.get("action", ""))
    token = next(e.get("value", "") for e in form.iter("input"))
    reply = browser.client.post(f"/gifts/{gift.ref}/pay", data={"csrf_token": token})
    assert reply.status_code == 303
    return str(reply.headers["Location"])


def test_somebody_gives_and_sees_only_what_the_records_say(
    donor: Browser, counter: Counter
) -> None:
    donor.open(f"/funds/{FUND}")
    donor.follow("Give to this fund")
    typed(donor)
    assert donor.page.heading == "Check your gift"
    assert "US$ 50.00" in donor.page.text
    policy = donor.response.headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:5000;" in policy
    assert "/pay/cs_test_" in leave(donor)
    on_the_page(donor, counter)
    assert "Pretend card processor" in donor.page.text
    donor.press("Pay with a card that works")
    assert donor.page.heading == "Your gift is not confirmed yet"
    assert "not heard of a payment yet" in donor.page.text
    told(counter)
    ref = the_gift().ref
    assert donor.open(f"/gifts/{ref}").heading == "Thank you for your gift"
    assert AMINA[0] not in donor.page.text
    donor.open(f"/gifts/{ref}?lang=ar-XB")


def test_whoever_has_paid_may_ask_at_once(donor: Browser, counter: Counter) -> None:
    typed(donor)
    leave(donor)
    gift = the_gift()
    counter.pay(gift)
    donor.open(f"/gifts/{gift.ref}")
    donor.press("I have paid: ask the card processor")
    assert donor.page.heading == "Thank you for your gift"


def test_a_declined_card_and_a_change_of_mind_charge_nothing(
    donor: Browser, counter: Counter
) -> None:
    typed(donor)
    leave(donor)
    on_the_page(donor, counter)
    donor.press("Pay with a card that is declined")
    assert "declined" in donor.page.text
    donor.press("Go back without paying")
    assert donor.page.heading == "You have not paid"
    assert the_gift().status is GiftStatus.BEGUN


def test_what_is_paid_later_is_said_to_be_on_its_way(donor: Browser, counter: Counter) -> None:
    typed(donor, "92", "EUR")
    leave(donor)
    on_the_page(donor, counter)
    donor.press("Pay through a bank, which takes days")
    told(counter)
    ref = the_gift().ref
    assert donor.open(f"/gifts/{ref}").heading == "Your gift is on its way"
    donor.open(f"/gifts/{ref}/stopped")
    assert donor.page.heading == "Your gift is on its way"
    donor.open("/demo/stripe/staff", 200)
    donor.press("Let the payment fail")
    told(counter)
    assert donor.open(f"/gifts/{ref}").heading == "Your gift was not paid"


@pytest.mark.usefixtures("counter")
@pytest.mark.parametrize("amount", ["", "abc", "-5", "1.999", "1", "99999999999999999999", "5e3"])
def test_what_is_no_amount_is_said_beside_the_field(donor: Browser, amount: str) -> None:
    typed(donor, amount)
    assert donor.response.status_code == 422
    assert donor.page.heading == "Give to this fund"
    assert session.scalars(select(CardGift)).all() == []


@pytest.mark.usefixtures("counter")
def test_the_form_works_in_both_directions_and_is_light(donor: Browser, count_sql: Count) -> None:
    with count_sql() as count:
        donor.open(f"/funds/{FUND}/give?lang=ar-XB", 200)
    assert count.total <= 10
    donor.open("/funds/none/give", 404)
    donor.open("/gifts/AAAA-AAAA", 404)


def test_switched_off_is_said(donor: Browser, counter: Counter) -> None:
    secret = type(counter.settings.secret_key)
    stripe.configure(counter.settings.model_copy(update={"stripe_secret_key": secret("")}))
    assert "switched off" in donor.open(f"/funds/{FUND}/give", 200).text
    assert "Give to this fund" not in donor.open(f"/funds/{FUND}").text


def test_a_processor_that_is_silent_charges_nothing_and_says_so(
    donor: Browser, counter: Counter
) -> None:
    typed(donor)
    counter.judge.lose = 9
    leave(donor)
    assert "does not answer" in donor.open(f"/gifts/{the_gift().ref}").text


def test_two_people_look_after_a_gift_and_give_it_back(
    donor: Browser, counter: Counter, count_sql: Count
) -> None:
    ref = counter.paid().ref
    officer, finance = counter.officer.email, counter.finance.email
    donor.sign_in(officer, PASSWORD)
    with count_sql() as count:
        donor.open("/card-gifts", 200)
    assert count.total <= 10
    donor.follow(ref)
    assert "US$ 48.25" in donor.page.text
    donor.follow("Ask for a refund")
    donor.fill("Amount to give back", "60")
    donor.fill("Reason", "Given twice.")
    donor.press("Ask for the refund")
    assert "cannot go back" in donor.page.text
    assert "Given twice." in donor.page.text
    donor.fill("Amount to give back", "20")
    donor.press("Ask for the refund")
    assert "Waits for a second person" in donor.page.text
    assert "Confirm the refund" not in donor.page.text
    asked = session.scalars(select(CardRefund.ref)).one()
    donor.open(f"/card-gifts/{ref}/refunds/{asked}/confirm", 404)
    donor.sign_out()
    donor.sign_in(finance, PASSWORD)
    assert "Confirm a refund by card" in donor.open("/home", 200).text
    donor.open(f"/card-gifts/{ref}")
    with count_sql() as count:
        donor.follow("Confirm the refund")
    assert count.total <= 10
    assert "Dora Donors" in donor.page.text
    donor.press("Confirm and send the refund")
    assert "With the card processor" in donor.page.text
    while cards.send_next_refund() is jobs.AGAIN:
        session.flush()
    session.commit()
    with count_sql() as count:
        assert "Refunded in part" in donor.open(f"/card-gifts/{ref}", 200).text
    assert count.total <= 10
    assert session.scalars(select(CardRefund.amount)).all() == [20_00]
    donor.open("/card-gifts?status=expired", 200)
    assert "No gift by card here" in donor.page.text


def test_whoever_asked_withdraws_the_refund_by_a_button(donor: Browser, counter: Counter) -> None:
    gift = counter.paid()
    cards.ask_refund(gift, Money(20_00, "USD"), "Given twice.", by=counter.officer)
    session.commit()
    ref, officer = gift.ref, counter.officer.email
    donor.sign_in(officer, PASSWORD)
    donor.open(f"/card-gifts/{ref}")
    donor.press("Withdraw it")
    assert "Withdrawn" in donor.page.text
    assert session.scalars(select(CardRefund.status)).all() == [RefundStatus.WITHDRAWN]


def test_a_refund_that_failed_is_seen_to_and_asked_for_again(
    donor: Browser, counter: Counter
) -> None:
    gift = counter.paid()
    refund = counter.refund(gift, 50_00)
    counter.work()
    counter.processor.fail_refund(str(refund.refund_id))
    counter.deliver()
    ref, finance = gift.ref, counter.finance.email
    donor.sign_in(finance, PASSWORD)
    assert "A refund by card failed: The card was lost or stolen" in donor.open("/home", 200).text
    donor.open(f"/card-gifts/{ref}")
    assert "Ask for a refund" in donor.page.text
    donor.press("It was seen to")
    assert "A refund by card failed" not in donor.open("/home", 200).text


def test_a_gift_that_ended_unpaid_is_not_said_to_wait_for_its_payment(
    donor: Browser, counter: Counter
) -> None:
    gift = counter.begin()
    ref, name, officer = gift.ref, str(gift.session_id), counter.officer.email
    donor.sign_in(officer, PASSWORD)
    assert "Once the gift is paid" in donor.open(f"/card-gifts/{ref}", 200).text
    counter.processor.expire(name)
    counter.deliver()
    assert "Given up" in donor.open(f"/card-gifts/{ref}", 200).text
    assert "Once the gift is paid" not in donor.page.text
    assert "This gift ended without a payment: nothing was charged." in donor.page.text


def test_nothing_is_offered_of_a_gift_that_a_dispute_has_taken(
    donor: Browser, counter: Counter
) -> None:
    gift = counter.paid(100_00)
    refund = cards.ask_refund(gift, Money(60_00, "USD"), "Given twice.", by=counter.officer)
    session.commit()
    counter.processor.dispute(str(gift.charge_id))
    counter.deliver()
    assert cards.refundable(gift) == Money(0, "USD")
    with pytest.raises(Refused, match=r"US\$.0\.00 is left"):
        cards.confirm_refund(refund, by=counter.finance)
    session.rollback()
    ref, finance, asked = gift.ref, counter.finance.email, refund.ref
    donor.sign_in(finance, PASSWORD)
    donor.open(f"/card-gifts/{ref}", 200)
    assert "Can still be given back US$ 0.00" in donor.page.text
    donor.open(f"/card-gifts/{ref}/refunds/{asked}/confirm", 200)
    assert "US$ 0.00 of the gift can go back now, and no more" in donor.page.text
    assert "Confirm and send the refund" not in donor.page.text
    assert "Ask for a refund" not in donor.page.text


def test_payouts_are_listed_and_one_that_failed_says_what_to_do(
    donor: Browser, counter: Counter, count_sql: Count
) -> None:
    counter.paid()
    payout = paid_out(counter)
    arrive(payout)
    session.commit()
    counter.processor.fail_payout(payout.payout_id)
    counter.deliver()
    name, finance = payout.payout_id, counter.finance.email
    other = make.person(roles=[(Role.FINANCE_OFFICER, "vftc", None)]).email
    session.commit()
    donor.sign_in(finance, PASSWORD)
    donor.open("/home", 200)
    donor.follow("A payout of the card processor failed after arriving: the bank will debit it")
    assert name in donor.page.text
    assert "The bank will debit a payout" in donor.page.text
    with count_sql() as count:
        donor.open("/card-payouts", 200)
    assert count.total <= 10
    donor.sign_out()
    donor.sign_in(other, PASSWORD)
    assert name not in donor.open("/card-payouts", 200).text
    donor.open("/card-payouts?lang=ar-XB", 200)


@pytest.mark.usefixtures("counter")
def test_many_gifts_from_one_network_have_to_wait_and_nothing_typed_is_lost(
    donor: Browser,
) -> None:
    for _number in range(FORMS_FREE + 1):
        typed(donor)
        assert donor.page.heading == "Check your gift"
    typed(donor, "51")
    assert donor.response.status_code == 422
    assert "There were several attempts. Wait 2 seconds, then try again." in donor.page.text
    assert donor.value("Your name") == AMINA[0]
    assert len(session.scalars(select(CardGift)).all()) == FORMS_FREE + 1
    with clock.at(clock.now() + timedelta(seconds=3)):
        donor.press("Continue")
    assert donor.page.heading == "Check your gift"


def test_who_asks_again_and_again_whether_a_gift_arrived_has_to_wait(
    donor: Browser, counter: Counter
) -> None:
    gift = counter.begin()
    session.commit()
    asked = f"/checkout/sessions/{gift.session_id}"
    donor.open(f"/gifts/{gift.ref}", 200)
    for _number in range(FORMS_FREE + 3):
        donor.press("I have paid: ask the card processor")
    assert "There were several attempts." in donor.page.text
    assert sum(asked in heard for heard in counter.judge.heard) == FORMS_FREE + 1


def test_a_gift_of_another_fund_does_not_exist(donor: Browser, counter: Counter) -> None:
    ref = counter.paid().ref
    other = make.person(roles=[(Role.FINANCE_OFFICER, "vftc", None)]).email
    session.commit()
    donor.sign_in(other, PASSWORD)
    donor.open(f"/card-gifts/{ref}", 404)
    donor.open(f"/card-gifts/{ref}/refund", 404)
    assert ref not in donor.open("/card-gifts", 200).text


def test_messages_come_by_our_own_door(donor: Browser, counter: Counter) -> None:
    gift = counter.begin()
    ref = gift.ref
    counter.pay(gift)
    (event,) = counter.processor.mailbox.told
    body = json.dumps(event).encode()
    reply = donor.client.post(
        "/webhooks/stripe",
        data=body,
        headers={"Stripe-Signature": signature(body, counter.settings)},
    )
    assert (reply.status_code, reply.text) == (200, "kept")
    while events.work_on_next() is jobs.AGAIN:
        session.flush()
    session.commit()
    assert donor.open(f"/gifts/{ref}").heading == "Thank you for your gift"
