"""Messages: written once, sent once, tried again with patience, and never lost or quoted."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message as Received
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.core import clock, outbox
from portal.core.config import Settings
from portal.core.outbox import Message, MessageState

Database = scoped_session[Session]
LINK = "/reset/abc"


class LetterBox:
    """A mail server's memory; it answers DATA with `answer`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a mail, or refuse it, as aiosmtpd asks."""
        del server, session
        if self.answer.startswith("2"):
            self.received.append(message_from_bytes(envelope.content))
        return self.answer


@pytest.fixture
def letter_box(settings: Settings) -> Iterator[LetterBox]:
    """Start a mail server on this machine, and have the outbox use it."""
    box = LetterBox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    changed = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False}
    outbox.configure(settings.model_copy(update=changed))
    yield box
    controller.stop()
    outbox.configure(settings)


def queued(key: str = "reset:1") -> Message:
    return outbox.queue("amina@example.org", "reset_password", key=key, link=LINK)


@pytest.mark.usefixtures("db")
def test_the_same_key_is_the_same_message() -> None:
    assert queued().id == queued().id
    assert queued().id != queued("reset:2").id


@pytest.mark.usefixtures("db")
def test_the_first_line_is_the_subject_and_the_link_an_address(settings: Settings) -> None:
    outbox.configure(settings)
    message = queued()
    assert message.subject == "Choose a new password"
    assert f"{settings.base_url}{LINK}" in message.body
    assert message.subject not in message.body


@pytest.mark.usefixtures("db")
def test_a_message_is_written_in_the_language_of_its_reader() -> None:
    message = outbox.queue("a@example.org", "reset_password", key="x", link=LINK, locale="en-XA")
    assert message.subject.startswith("[")


def test_a_message_leaves_and_is_wiped(db: Database, letter_box: LetterBox) -> None:
    message = queued()
    outbox.deliver_due()
    outbox.deliver_due()
    (mail,) = letter_box.received
    assert mail["Message-ID"].startswith(f"<{message.id}@")
    assert mail["To"] == "amina@example.org"
    db.refresh(message)
    assert (message.state, message.body, message.link) == (MessageState.SENT, "", "")


def test_without_a_mail_server_it_is_kept_for_reading(db: Database, settings: Settings) -> None:
    outbox.configure(settings)
    message = queued()
    outbox.deliver_due()
    db.refresh(message)
    assert message.state is MessageState.KEPT
    assert message.link == LINK


def test_a_busy_server_is_tried_again_with_growing_patience(
    db: Database, letter_box: LetterBox
) -> None:
    letter_box.answer = "451 amina@example.org: try later"
    message = queued()
    waits = []
    for _attempt in range(3):
        with clock.at(message.next_attempt_at):
            outbox.deliver_due()
            waits.append(message.next_attempt_at - clock.now())
    assert waits == sorted(set(waits)), "each wait is longer than the one before"
    assert (message.state, message.last_error) == (MessageState.QUEUED, "SMTP 451")
    letter_box.answer = "250 OK"
    with clock.at(message.next_attempt_at):
        outbox.deliver_due()
    assert message.state is MessageState.SENT
    assert db.get(Message, message.id) is message


@pytest.mark.usefixtures("db")
def test_patience_ends_and_the_check_says_so(letter_box: LetterBox) -> None:
    letter_box.answer = "451 try later"
    message = queued()
    for _attempt in range(len(outbox.PATIENCE) + 1):
        with clock.at(message.next_attempt_at):
            outbox.deliver_due()
    assert message.state is MessageState.FAILED
    (check,) = outbox.checks()
    result = check.run()
    assert result.count == 1
    assert result.violations == [f"message {message.id} is failed (SMTP 451)"]


@pytest.mark.usefixtures("db")
def test_a_message_refused_for_good_is_not_tried_again(letter_box: LetterBox) -> None:
    letter_box.answer = "554 no"
    message = queued()
    outbox.deliver_due()
    assert (message.state, message.last_error) == (MessageState.FAILED, "SMTP 554")


@pytest.mark.usefixtures("db")
def test_nothing_is_sent_in_the_clear_where_encryption_is_wanted(letter_box: LetterBox) -> None:
    outbox.configure(outbox._settings[-1].model_copy(update={"smtp_starttls": True}))
    message = queued()
    outbox.deliver_due()
    assert letter_box.received == []
    assert message.last_error == "SMTPNotSupportedError"


@pytest.mark.usefixtures("db")
def test_a_message_that_nobody_sends_is_found() -> None:
    message = queued()
    (check,) = outbox.checks()
    assert check.run().violations == []
    with clock.at(clock.now() + timedelta(hours=2)):
        assert check.run().violations == [f"message {message.id} is queued (no error)"]


def test_a_crash_between_sending_and_noting_shows_the_same_message_id(
    db: Database, letter_box: LetterBox
) -> None:
    message = queued()
    db.commit()
    taken = outbox._claimed()
    assert taken is message
    db.commit()
    outbox._send(outbox.as_mail(message, outbox._settings[-1]), outbox._settings[-1])
    with clock.at(message.next_attempt_at):
        outbox.deliver_due()
    first, second = letter_box.received
    assert first["Message-ID"] == second["Message-ID"]
    assert db.scalars(select(Message.state)).all() == [MessageState.SENT]
