"""The card processor's door: what it signed is kept once; of anything else nothing is kept."""

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.accounts.models import Role
from portal.core import clock, jobs, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.stripe import events
from portal.core.stripe.checks import checks
from portal.core.stripe.models import EventState, StripeEvent
from portal.core.workflow import Refused
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.core.stripe.signing import message, signature
from tests.make.accounts import PASSWORD

log = logging.getLogger(__name__)
DOOR = "/webhooks/stripe"


def knock(client: FlaskClient, body: bytes, header: str | None) -> TestResponse:
    headers = {"Stripe-Signature": header} if header is not None else {}
    return client.post(DOOR, data=body, headers=headers, content_type="application/json")


def kept() -> int:
    return session.scalar(select(func.count()).select_from(StripeEvent)) or 0


def work() -> None:
    """Work on everything that is due, as the worker does, inside the test's transaction."""
    while events.work_on_next() is jobs.AGAIN:
        pass


def only() -> StripeEvent:
    return session.scalars(select(StripeEvent)).one()


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Register a feature that notes what it was asked to look at."""
    monkeypatch.setattr(events, "_handlers", {})
    seen: list[str] = []
    stripe.handles("thing", lambda event: seen.append(event.object_id))
    return seen


def test_a_signed_message_is_kept_once_by_its_identifier_alone(
    client: FlaskClient, settings: Settings
) -> None:
    body = message("thing.made", "th_1", secret_words="Amina, amina@example.org")
    for _time in range(2):
        reply = knock(client, body, signature(body, settings))
        assert (reply.status_code, reply.text) == (200, "kept")
    event = only()
    assert (event.event_id, event.type, event.object_id) == ("evt_1", "thing.made", "th_1")
    assert event.state is EventState.WAITING
    assert "Amina" not in str(vars(event))


@pytest.mark.parametrize("wrong", ["none", "other secret", "old", "garbled", "empty", "other body"])
def test_a_bad_signature_keeps_nothing(client: FlaskClient, settings: Settings, wrong: str) -> None:
    body = message("thing.made", "th_1")
    header = {
        "none": None,
        "other secret": signature(body, settings, secret="whsec_other"),
        "old": signature(body, settings, age=301),
        "garbled": "t=now,v1=zz",
        "empty": "",
        "other body": signature(body + b" ", settings),
    }[wrong]
    reply = knock(client, body, header)
    assert reply.status_code == 400
    assert "signature" in reply.text
    assert kept() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"id": "evt_1"}',
        b"not json",
        message("thing.made", "x' OR 1=1"),
        message("thing.made", "y" * 300),
        message("thing.made", "th_1", created="yesterday"),
        message("thing.made", "th_1", data=[]),
        message("thing.made", "th_1", created=10**30),
    ],
)
def test_signed_nonsense_is_refused_with_a_sentence(
    client: FlaskClient, settings: Settings, body: bytes
) -> None:
    reply = knock(client, body, signature(body, settings))
    assert reply.status_code == 400
    assert reply.text.endswith(".")
    assert kept() == 0


def test_a_body_of_one_megabyte_is_refused(client: FlaskClient, settings: Settings) -> None:
    body = message("thing.made", "th_1", padding="x" * 1024 * 1024)
    assert knock(client, body, signature(body, settings)).status_code == 413
    assert kept() == 0


def test_there_is_no_door_without_a_processor(client: FlaskClient, settings: Settings) -> None:
    stripe.configure(
        settings.model_copy(update={"stripe_secret_key": type(settings.secret_key)("")})
    )
    try:
        assert knock(client, b"{}", "t=1,v1=x").status_code == 404
    finally:
        stripe.configure(settings)


def told(client: FlaskClient, settings: Settings, kind: str, event_id: str = "evt_1") -> None:
    body = message(kind, "th_1", event_id=event_id)
    assert knock(client, body, signature(body, settings)).status_code == 200


def test_a_message_is_worked_on_once_by_whoever_knows_its_kind(
    client: FlaskClient, settings: Settings, handled: list[str]
) -> None:
    told(client, settings, "thing.made.twice")
    work()
    work()
    assert handled == ["th_1"]
    assert only().state is EventState.DONE
    told(client, settings, "thing.made.twice")
    work()
    assert handled == ["th_1"]


@pytest.mark.usefixtures("handled")
def test_an_unknown_kind_is_kept_and_ignored(client: FlaskClient, settings: Settings) -> None:
    told(client, settings, "unheard.of")
    work()
    assert only().state is EventState.IGNORED
    assert only().reason


def test_a_message_of_the_other_mode_is_ignored(
    client: FlaskClient, settings: Settings, handled: list[str]
) -> None:
    body = message("thing.made", "th_1", livemode=True)
    knock(client, body, signature(body, settings))
    work()
    assert only().state is EventState.IGNORED
    assert handled == []


def test_what_fails_is_undone_says_why_and_is_tried_with_patience(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})

    def half(event: StripeEvent) -> None:
        session.add(
            StripeEvent(
                event_id="evt_half",
                type="half.done",
                object_id=event.object_id,
                livemode=False,
                created_at=clock.now(),
            )
        )
        session.flush()
        raise Refused("There is no such gift.")

    stripe.handles("thing", half)
    told(client, settings, "thing.made")
    work()
    event = only()
    assert (event.state, event.attempts) == (EventState.WAITING, 1)
    assert event.reason == "There is no such gift."
    assert event.next_attempt_at > clock.now()
    for _try in events.PATIENCE:
        with clock.at(event.next_attempt_at + timedelta(seconds=1)):
            work()
    assert only().state is EventState.FAILED
    assert any(check.run().violations for check in checks())


def test_finance_has_a_failed_message_worked_on_again(
    browser: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})

    def break_down(event: StripeEvent) -> None:
        raise ZeroDivisionError(event.object_id)

    stripe.handles("thing", break_down)
    email = make.person(roles=[Role.TREASURY]).email
    told(browser.client, settings, "thing.made")
    event = only()
    event.state, event.reason, event.attempts = EventState.FAILED, "ZeroDivisionError", 8
    session.commit()
    browser.sign_in(email, PASSWORD)
    page = browser.open("/card-processor")
    assert "ZeroDivisionError" in page.text
    stripe.handles("thing", lambda event: log.debug(event.object_id))
    browser.press("Try again")
    work()
    assert only().state is EventState.DONE


def test_the_page_is_short_of_statements_and_says_what_will_be_there(
    browser: Browser, count_sql: Callable[[], AbstractContextManager[SqlCount]]
) -> None:
    auditor = make.person(roles=[Role.AUDITOR])
    session.commit()
    browser.sign_in(auditor.email, PASSWORD)
    with count_sql() as count:
        assert "No message has come yet" in browser.open("/card-processor").text
    assert count.total <= 10
    browser.open("/card-processor?lang=ar-XB")


def test_two_at_once_are_one(fresh_database: str, settings: Settings) -> None:
    engine = sa.create_engine(fresh_database)
    body = message("thing.made", "th_1")
    header = signature(body, settings)
    stripe.configure(settings)

    def deliver(_number: int) -> None:
        try:
            stripe.take(body, header)
            session.commit()
        finally:
            session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(8)))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM stripe_event")) == 1
        row = connection.execute(sa.text("SELECT * FROM stripe_event")).mappings().one()
        assert "body" not in json.dumps([str(name) for name in row])
    engine.dispose()
