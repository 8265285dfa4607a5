"""What the pages of a gift say once it went back: to the donor, and to those who answer for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from portal.contributions.models.cards import CardGift
from portal.core.db import session
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.contributions.cards.conftest import Counter
from tests.make.accounts import PASSWORD

Count = Callable[[], AbstractContextManager[SqlCount]]
ANSWER = "A donor’s bank disputes a gift: answer it at the card processor"
SEEN_TO = "A donor’s bank disputes a gift: see at the card processor whether it is answered"
NEXT = "Next: finance answers at the card processor by"
DUE = datetime(2027, 3, 4, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def gift(counter: Counter) -> CardGift:
    return counter.paid()


def the_gift() -> CardGift:
    """Return it anew: a request ends the session that it was in."""
    return session.scalars(select(CardGift)).one()


def disputed(counter: Counter) -> str:
    made = counter.processor.dispute(str(the_gift().charge_id))
    counter.deliver()
    return str(made["id"])


def test_finance_is_asked_to_answer_a_dispute_and_told_how(
    counter: Counter, gift: CardGift, browser: Browser, count_sql: Count
) -> None:
    ref, finance, officer = gift.ref, counter.finance.email, counter.officer.email
    browser.sign_in(finance, PASSWORD)
    with count_sql() as before:
        browser.open("/home", 200)
    assert ANSWER not in browser.page.text
    name = disputed(counter)
    with count_sql() as after:
        browser.open("/home", 200)
    assert after.total == before.total
    browser.follow(ANSWER)
    assert browser.page.path == f"/card-gifts/{ref}"
    assert NEXT in browser.page.text
    browser.follow("ACT-")
    assert NEXT in browser.page.text
    browser.sign_out()
    browser.sign_in(officer, PASSWORD)
    assert ANSWER not in browser.open("/home", 200).text
    counter.processor.end_dispute(name, won=False)
    counter.deliver()
    assert NEXT not in browser.open(f"/card-gifts/{ref}", 200).text
    browser.sign_out()
    browser.sign_in(finance, PASSWORD)
    assert ANSWER not in browser.open("/home", 200).text


def test_a_dispute_is_due_as_the_processor_says_until_it_has_the_answer(
    counter: Counter, gift: CardGift, browser: Browser
) -> None:
    ref, finance, name = gift.ref, counter.finance.email, disputed(counter)
    with counter.processor.store.turn() as turn:
        made = turn.get("dispute", name)
        made["evidence_details"]["due_by"] = int(DUE.timestamp())
        turn.put(made)
    counter.processor.tell("charge.dispute.updated", made)
    counter.deliver(times=2)
    browser.sign_in(finance, PASSWORD)
    assert f"{ANSWER} {ref}" in browser.open("/home", 200).text
    assert "by 4 Mar 2027" in browser.page.text
    assert "Without a date" not in browser.page.text
    browser.open(f"/card-gifts/{ref}", 200)
    assert f"{NEXT} 4 March 2027, 23:59 UTC" in browser.page.text
    counter.processor.answer_dispute(name)
    counter.deliver(times=2)
    assert SEEN_TO in browser.open("/home", 200).text
    assert "4 Mar 2027" not in browser.page.text
    assert NEXT not in browser.open(f"/card-gifts/{ref}", 200).text
    assert "Next: finance sees at the card processor" in browser.page.text


def test_by_when_to_answer_stands_once_a_dispute_has_ended(
    counter: Counter, gift: CardGift
) -> None:
    name = disputed(counter)
    change = text("UPDATE contribution_dispute SET answer_by = answer_by + interval '1 day'")
    session.execute(change)
    counter.processor.end_dispute(name, won=False)
    counter.deliver()
    assert gift.contribution is not None
    assert gift.contribution.disputes[0].answer_by is not None
    for again in (change, text("UPDATE contribution_dispute SET disputed_on = disputed_on - 1")):
        with pytest.raises(IntegrityError, match="a dispute ends once"), session.begin_nested():
            session.execute(again)


def test_the_donor_reads_what_became_of_a_gift_that_its_bank_took_back(
    counter: Counter, gift: CardGift, browser: Browser
) -> None:
    path = f"/gifts/{gift.ref}"
    assert browser.open(path, 200).heading == "Thank you for your gift"
    name = disputed(counter)
    assert browser.open(path, 200).heading == "Your bank took your gift back"
    assert "now decides who keeps the money" in browser.page.text
    counter.processor.end_dispute(name, won=False)
    counter.deliver()
    assert browser.open(path, 200).heading == "Your bank took your gift back"
    assert "decided that the money goes back to you" in browser.page.text
    assert "We have received" not in browser.page.text


@pytest.mark.parametrize(
    ("minor", "heading"),
    [(20_00, "A part of your gift was given back"), (50_00, "Your gift was given back")],
)
def test_the_donor_reads_what_was_given_back(
    counter: Counter, gift: CardGift, browser: Browser, minor: int, heading: str
) -> None:
    path = f"/gifts/{gift.ref}"
    counter.refund(gift, minor)
    counter.deliver()
    assert browser.open(path, 200).heading == heading
    assert ("US$ 30.00" in browser.page.text) is (minor == 20_00)
    assert "We have received" not in browser.page.text


def test_the_state_of_a_gift_is_said_once(
    counter: Counter, gift: CardGift, browser: Browser
) -> None:
    ref, finance = gift.ref, counter.finance.email
    session.commit()
    browser.sign_in(finance, PASSWORD)
    for path in ("/card-gifts", f"/card-gifts/{ref}"):
        browser.open(path, 200)
        assert browser.page.html.count('class="status" data-tone="good">Received<') == 1, path
