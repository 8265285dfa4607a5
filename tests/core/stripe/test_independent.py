"""Our adapter and our door against an independent processor, over HTTP, with real commits.

It knows no Checkout and no idempotency; what it lacks, the pretend processor shows.
"""

import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import select
from werkzeug.serving import make_server

from portal.app import create_app
from portal.core import jobs, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.stripe import CallState, events
from portal.core.stripe.models import EventState, StripeEvent
from tests.core.stripe import localstripe
from tests.core.stripe.localstripe import LocalStripe

SECRET = "whsec_between_two_processes"
INTENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
DECLINED = "4000000000000341"
SECONDS = 20


@pytest.fixture(scope="module")
def other() -> Iterator[LocalStripe]:
    """Run the independent processor."""
    with localstripe.running() as found:
        yield found


@pytest.fixture
def portal(fresh_database: str, settings: Settings, other: LocalStripe) -> Iterator[str]:
    """Serve a portal on a database of its own, and have the processor tell it everything."""
    ours = settings.model_copy(
        update={
            "database_url": fresh_database,
            "stripe_api_base": other.address,
            "stripe_secret_key": SecretStr(localstripe.KEY),
            "stripe_webhook_secret": SecretStr(SECRET),
        }
    )
    app = create_app(ours)
    engine = session.get_bind()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    door = f"http://127.0.0.1:{server.server_port}/webhooks/stripe"
    other.tells(door, SECRET)
    yield door
    server.shutdown()
    thread.join()
    server.server_close()
    session.remove()
    if isinstance(engine, sa.Engine):
        engine.dispose()
    stripe.configure(settings)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Register a feature that looks at payments, as the processor has them."""
    found: list[str] = []

    def look(event: StripeEvent) -> None:
        there = stripe.read(f"{INTENTS}/{event.object_id}")
        found.append(f"{event.type}: {there['status']} {there['amount']}")

    monkeypatch.setattr(events, "_handlers", {})
    stripe.handles("payment_intent", look)
    return found


def intent(card: str, purpose: str) -> stripe.StripeCall:
    params = {
        "amount": stripe.to_stripe(stripe.from_stripe(5000, "usd")),
        "currency": "usd",
        "payment_method": card,
        "confirm": "true",
        "metadata": {"gift": "7K3M-Q9PX"},
    }
    call = stripe.prepare(purpose, INTENTS, params)
    session.commit()
    return call


def told(count: int) -> list[StripeEvent]:
    """Return what the door kept, once there are so many."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        session.rollback()
        found = list(session.scalars(select(StripeEvent).order_by(StripeEvent.received_at)))
        if len(found) >= count:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{count} messages were expected")


def work() -> None:
    while events.work_on_next() is jobs.AGAIN:
        session.commit()
    session.commit()


@pytest.mark.usefixtures("portal")
def test_a_payment_is_made_told_and_looked_at(other: LocalStripe, seen: list[str]) -> None:
    call = intent("pm_card_visa", "payment:1")
    made = stripe.send(call)
    session.commit()
    assert (call.state, made["status"]) == (CallState.ANSWERED, "succeeded")
    assert other.read(f"{INTENTS}/{made['id']}")["metadata"]["gift"] == "7K3M-Q9PX"
    (event,) = told(1)
    assert (event.type, event.object_id) == ("payment_intent.succeeded", made["id"])
    work()
    assert seen == ["payment_intent.succeeded: succeeded 5000"]
    assert session.scalars(select(StripeEvent.state)).all() == [EventState.DONE]
    assert stripe.send(call)["id"] == made["id"]


@pytest.mark.usefixtures("portal")
def test_a_declined_card_is_said_and_told(other: LocalStripe, seen: list[str]) -> None:
    call = intent(other.card(DECLINED), "payment:2")
    with pytest.raises(stripe.Declined, match="declined"):
        stripe.send(call)
    session.commit()
    assert call.state is CallState.DECLINED
    (event,) = told(1)
    assert event.type == "payment_intent.payment_failed"
    work()
    assert seen == ["payment_intent.payment_failed: requires_payment_method 5000"]


@pytest.mark.usefixtures("portal", "seen")
def test_a_refund_is_made_and_read_back(other: LocalStripe) -> None:
    made = stripe.send(intent("pm_card_visa", "payment:3"))
    call = stripe.prepare("refund:3", REFUNDS, {"payment_intent": made["id"], "amount": 2000})
    session.commit()
    refund = stripe.send(call)
    assert (refund["amount"], refund["status"]) == (2000, "succeeded")
    charge = stripe.read(f"{INTENTS}/{made['id']}")["latest_charge"]
    name = charge["id"] if isinstance(charge, dict) else charge
    assert stripe.read(f"/v1/charges/{name}")["amount_refunded"] == 2000
    assert other.read(f"/v1/charges/{name}")["amount_refunded"] == 2000


@pytest.mark.usefixtures("seen")
def test_another_secret_is_kept_out(other: LocalStripe, portal: str) -> None:
    other.tells(portal, "whsec_of_somebody_else")
    stripe.send(intent("pm_card_visa", "payment:4"))
    session.commit()
    time.sleep(2)
    assert session.scalars(select(StripeEvent)).all() == []
