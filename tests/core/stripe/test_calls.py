"""Calls that make something: stored first, one key for each purpose, looked for after a day."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.core import clock, stripe
from portal.core.config import Settings
from portal.core.stripe import CallState, client
from portal.core.stripe.calls import ContentConflict
from portal.demo.stripe import Processor
from tests.core.stripe.pretending import Judge

Database = scoped_session[Session]
SESSIONS = "/v1/checkout/sessions"


def asked(amount: int = 5000) -> dict[str, Any]:
    return {
        "mode": "payment",
        "submit_type": "donate",
        "success_url": "https://portal.example.org/gifts/1",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": amount,
                    "product_data": {"name": "Gift"},
                },
            }
        ],
        "metadata": {"gift": "1"},
    }


def sessions(pretend: Processor) -> int:
    with pretend.store.turn() as turn:
        return len(turn.all("checkout.session"))


@pytest.mark.usefixtures("served")
def test_a_call_makes_one_thing_however_often_it_is_sent(db: Database, pretend: Processor) -> None:
    call = stripe.prepare("gift:1", SESSIONS, asked())
    db.commit()
    first = stripe.send(call)
    assert (call.state, call.object_id) == (CallState.ANSWERED, first["id"])
    assert stripe.send(call)["id"] == first["id"]
    assert sessions(pretend) == 1
    assert isinstance(first, dict)
    assert first["metadata"].get("nothing") is None


@pytest.mark.usefixtures("db")
def test_an_answer_that_is_lost_is_found_by_the_same_key(pretend: Processor, judge: Judge) -> None:
    call = stripe.prepare("gift:1", SESSIONS, asked())
    judge.lose = 10
    with pytest.raises(stripe.Unanswered):
        stripe.send(call)
    assert call.state is CallState.READY
    assert judge.made(SESSIONS) == 1 + client.RETRIES
    judge.lose = 0
    made = stripe.send(call)
    assert sessions(pretend) == 1
    assert call.object_id == made["id"]


@pytest.mark.usefixtures("db")
def test_the_library_itself_retries_with_our_key(pretend: Processor, judge: Judge) -> None:
    call = stripe.prepare("gift:1", SESSIONS, asked())
    judge.lose = client.RETRIES
    stripe.send(call)
    assert judge.made(SESSIONS) == 1 + client.RETRIES
    assert sessions(pretend) == 1


@pytest.mark.usefixtures("db")
def test_after_a_day_nothing_is_sent_and_what_was_made_is_found(
    pretend: Processor, judge: Judge
) -> None:
    call = stripe.prepare("gift:1", SESSIONS, asked())
    other = stripe.prepare("gift:2", SESSIONS, asked(7000))
    judge.lose = 1 + client.RETRIES
    with pytest.raises(stripe.Unanswered):
        stripe.send(call)
    sent = judge.made(SESSIONS)
    with clock.at(clock.now() + timedelta(hours=25)):
        made = stripe.send(call)
        with pytest.raises(stripe.Declined, match="never had it"):
            stripe.send(other)
        with pytest.raises(stripe.Declined, match="never had it"):
            stripe.send(other)
    assert judge.made(SESSIONS) == sent
    assert made["metadata"]["portal_call"] == "gift:1"
    assert other.state is CallState.DECLINED
    assert sessions(pretend) == 1


@pytest.mark.usefixtures("db", "served")
def test_the_same_purpose_with_other_content_is_a_mistake() -> None:
    call = stripe.prepare("gift:1", SESSIONS, asked())
    assert stripe.prepare("gift:1", SESSIONS, asked()) is call
    with pytest.raises(ContentConflict):
        stripe.prepare("gift:1", SESSIONS, asked(5001))


@pytest.mark.usefixtures("db", "served")
def test_the_same_key_with_other_parameters_is_refused_there() -> None:
    client.act(SESSIONS, asked(), key="gift:1")
    with pytest.raises(stripe.Declined, match="same parameters"):
        client.act(SESSIONS, asked(5001), key="gift:1")


@pytest.mark.usefixtures("db", "served")
def test_what_is_declined_stays_declined_with_its_reason() -> None:
    call = stripe.prepare("refund:1", "/v1/refunds", {"charge": "ch_none", "amount": 100})
    for _time in range(2):
        with pytest.raises(stripe.Declined, match="No such charge"):
            stripe.send(call)
    assert call.state is CallState.DECLINED


@pytest.mark.usefixtures("served")
def test_nothing_there_and_nobody_there_are_told_apart(settings: Settings) -> None:
    with pytest.raises(stripe.NotFoundThere):
        stripe.read("/v1/charges/ch_none")
    stripe.configure(settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"}))
    with pytest.raises(stripe.Unanswered):
        stripe.read("/v1/charges/ch_none")


def test_a_wrong_key_is_said(served: tuple[Processor, Judge, Settings]) -> None:
    secret = type(served[2].secret_key)
    stripe.configure(served[2].model_copy(update={"stripe_secret_key": secret("sk_test_other")}))
    with pytest.raises(stripe.Declined, match="Invalid API Key"):
        stripe.read("/v1/charges/ch_none")


@pytest.mark.usefixtures("db", "served")
def test_long_lists_are_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    made = {client.act(SESSIONS, asked(), key=f"gift:{n}")["id"] for n in range(5)}
    assert {each["id"] for each in stripe.listed(SESSIONS)} == made


@pytest.mark.usefixtures("db", "served")
def test_the_page_of_a_proxy_is_no_answer(settings: Settings, judge: Judge) -> None:
    """Whether something was made behind it, nobody knows: the call stays open."""
    call = stripe.prepare("gift:1", SESSIONS, asked())
    judge.inside = _proxy
    with pytest.raises(stripe.Unanswered):
        stripe.send(call)
    assert call.state is CallState.READY
    stripe.configure(settings)


def _proxy(environ: dict[str, Any], start: Any) -> list[bytes]:
    del environ
    start("404 Not Found", [("Content-Type", "text/html")])
    return [b"<h1>Not here</h1>"]
