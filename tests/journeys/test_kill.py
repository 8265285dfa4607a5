"""`kill -9` at any moment loses no saved answer, pays nothing twice, and every message arrives."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, text

from portal.applications import queries
from portal.core import outbox
from portal.core.db import session
from portal.core.outbox import Message, MessageState
from tests.journeys.running import GONE, PATIENCE_SECONDS, Site, Wire, free_port, until
from tests.make.accounts import representative_of
from tests.make.applications import by_ref, call, draft

WRITERS = 4
KILLS = 3
MESSAGES = 24


class Writer(threading.Thread):
    """Somebody who types numbers into an answer, each saved by the page's script."""

    def __init__(self, site: Site, email: str, ref: str) -> None:
        super().__init__(daemon=True)
        self.wire, self.email, self.ref = Wire(site.address), email, ref
        self.path = f"/files/{ref}/draft/need"
        self.typed = self.saved = self.rounds = self.cut_off = 0
        self.done, self.failure = threading.Event(), ""

    def run(self) -> None:
        """Type until told to stop; where the wire breaks, load the page anew and go on."""
        signed_in = False
        while not self.done.is_set():
            waiting = False
            try:
                if not signed_in:
                    self.wire.sign_in(self.email)
                    signed_in = True
                form = self.wire.fields(self.path)
                while not self.done.is_set():
                    self.typed += 1
                    waiting = True
                    status, told = self.wire.autosave(
                        self.path, form | {"q_title": str(self.typed)}
                    )
                    waiting = False
                    assert status == 200, told
                    self.saved = self.typed
                    self.rounds += 1
                    form |= {str(k): str(v) for k, v in told["revisions"].items()}
            except GONE:
                self.cut_off += waiting
                time.sleep(0.05)
            except Exception as broken:
                self.failure = repr(broken)
                raise


def stored(ref: str) -> int:
    """Return the number that the database holds as the answer of an application."""
    session.rollback()
    return int(str(queries.answers(by_ref(ref)).get("title", "0")))


def test_no_answer_that_was_said_to_be_saved_is_lost(site: Site) -> None:
    under = call()
    drafts = [draft(under) for _n in range(WRITERS)]
    writers = [Writer(site, representative_of(d.organisation).email, d.ref) for d in drafts]
    session.commit()
    for kill in range(KILLS):
        with site.served() as web:
            for writer in writers:
                writer.rounds = 0
                if kill == 0:
                    writer.start()
            until(lambda: all(writer.rounds >= 4 or writer.failure for writer in writers))
            time.sleep(random.uniform(0, 0.1))  # noqa: S311 — any moment
            web.kill()
            web.wait()
            for writer in writers:
                assert writer.failure == ""
                assert writer.saved <= stored(writer.ref) <= writer.typed
    for writer in writers:
        writer.done.set()
    for writer in writers:
        writer.join(PATIENCE_SECONDS)
    assert sum(writer.cut_off for writer in writers) > 0, "no kill came while somebody saved"
    assert site.check() == ""


class LetterBox:
    """A mail server that takes its time, so that a kill comes while a message is on its way."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.bodies: dict[str, set[str]] = {}

    def wait_for(self, count: int) -> None:
        """Wait until so many mails are here, the last of them perhaps not yet acknowledged."""
        until(lambda: len(self.received) >= count)

    async def handle_DATA(self, server: Any, peer: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a mail, and say so only a moment later."""
        del server, peer
        mail = message_from_bytes(envelope.content)
        self.received.append(mail["Message-ID"])
        self.bodies.setdefault(mail["Message-ID"], set()).add(str(mail.get_payload()))
        await asyncio.sleep(0.03)
        return "250 OK"


@pytest.fixture
def letter_box() -> Iterator[tuple[LetterBox, int]]:
    """Start a mail server on this machine; give it and its port."""
    box, port = LetterBox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def test_every_message_arrives(site: Site, letter_box: tuple[LetterBox, int]) -> None:
    box, port = letter_box
    site.more = {
        "PORTAL_SMTP_HOST": "127.0.0.1",
        "PORTAL_SMTP_PORT": str(port),
        "PORTAL_SMTP_STARTTLS": "false",
    }
    for number in range(MESSAGES):
        outbox.queue(f"p{number}@example.org", "reset_password", key=f"k{number}", link="/reset/x")
    session.commit()
    for kill in range(KILLS):
        wanted = len(box.received) + 3
        with site.running("work") as worker:
            box.wait_for(wanted)
            worker.kill()
            worker.wait()
        assert unsent() > 0, f"kill {kill} came after all was sent"
        let_time_pass()
    with site.running("work"):
        until(lambda: unsent() == 0)
    ids = Counter(box.received)
    assert {each.split("@")[0].strip("<") for each in ids} == all_ids()
    assert sum(ids.values()) <= MESSAGES + KILLS, "at most the one in flight goes twice"
    assert all(len(bodies) == 1 for bodies in box.bodies.values())
    assert site.check() == ""


def unsent() -> int:
    """Return how many messages are not known to be sent."""
    session.rollback()
    return len(session.scalars(select(Message.id).where(Message.state != MessageState.SENT)).all())


def all_ids() -> set[str]:
    """Return the identifiers of all messages."""
    return {str(each) for each in session.scalars(select(Message.id))}


def let_time_pass() -> None:
    """Let the patience after a failed attempt be over."""
    session.execute(text("UPDATE outbox_message SET next_attempt_at = now()"))
    session.commit()
