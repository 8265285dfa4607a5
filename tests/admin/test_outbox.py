"""Messages that left: readable in a demonstration, elsewhere only their state."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.core import outbox
from portal.core.audit import case_events
from portal.core.config import Settings
from portal.core.outbox import Message, MessageState
from portal.core.web import Portal
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]


@pytest.fixture
def production(app: Portal, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the portal think that this is no demonstration."""
    real = settings.model_copy(update={"demo": False})
    monkeypatch.setitem(app.config, "SETTINGS", real)


def message(db: Db, number: int = 1, state: MessageState = MessageState.KEPT) -> UUID:
    made = outbox.queue(
        f"person{number}@example.org",
        "reset_password",
        key=f"test:{number}",
        link=f"/reset/token-{number}",
    )
    made.state = state
    if state is MessageState.FAILED:
        made.attempts, made.last_error = 8, "SMTP 550"
    db.commit()
    return made.id


def test_anybody_reads_messages_in_a_demonstration(db: Db, browser: Browser) -> None:
    message(db)
    page = browser.open("/outbox", status=200)
    assert "Demonstration" in page.text
    assert "person1@example.org" in page.text
    assert "/reset/token-1" in page.html
    assert "Send it again" not in page.text
    assert ("Messages that left", "/outbox") in browser.open("/sign-in").links


def test_messages_are_narrowed_and_paged(db: Db, browser: Browser, count_sql: Count) -> None:
    assert "No message has left yet." in browser.open("/outbox").text
    for number in range(30):
        message(db, number, MessageState.KEPT)
    with count_sql() as count:
        page = browser.open("/outbox")
    assert count.total <= 3
    assert "Page 1 of 2" in page.text
    browser.follow("Next page", status=200)
    assert "Page 2 of 2" in browser.page.text
    browser.fill("Recipient or subject", "person17@")
    page = browser.press("Show")
    assert "person17@example.org" in page.text
    assert "person16@example.org" not in page.text
    assert "No message fits" in browser.open("/outbox?state=failed").text
    assert browser.open("/outbox?state=nonsense&page=99", status=200).text


@pytest.mark.usefixtures("production")
def test_outside_a_demonstration_only_an_administrator_sees_states(
    db: Db, browser: Browser
) -> None:
    message(db)
    email, other = make.administrator().email, make.person().email
    db.commit()
    assert "Sign in" in browser.open("/outbox").heading
    browser.sign_in(other, make.PASSWORD)
    browser.open("/outbox", status=404)
    browser.sign_out()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open("/outbox", status=200)
    assert "person1@example.org" in page.text
    assert "token-1" not in page.html
    assert "password" not in page.text.replace("reset_password", "").casefold()


@pytest.mark.usefixtures("production")
def test_a_message_that_failed_is_sent_again(db: Db, browser: Browser) -> None:
    failed = message(db, 1, MessageState.FAILED)
    email = make.administrator().email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open("/outbox")
    assert "SMTP 550" in page.text
    page = browser.press("Send it again", status=200)
    assert "The message will be sent again." in page.text
    db.expire_all()
    again = db.get_one(Message, failed)
    assert (again.state, again.attempts) == (MessageState.QUEUED, 0)
    token = page.html.split('name="csrf_token" value="')[1].split('"')[0]
    reply = browser.client.post(f"/outbox/{failed}/retry", data={"csrf_token": token})
    assert reply.status_code == 409, "it has not failed any more"
    assert case_events(failed) == []
