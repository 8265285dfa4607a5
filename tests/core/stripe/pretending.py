"""The pretend card processor as a server of its own on this machine, and a judge of all it hears.

Every request that reaches it and every answer and message that leaves it is held against Stripe's
own description.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic import SecretStr
from werkzeug.serving import make_server

from portal.core import stripe
from portal.core.config import Settings
from portal.demo.stripe import Mailbox, Processor, Store, api
from tests.core.stripe import spec

SECRET = "whsec_of_the_tests_only"
PREFIX = "/demo/stripe"

Start = Callable[..., Any]


class Judge:
    """A WSGI layer that hears everything, and can lose an answer on its way."""

    def __init__(self, inside: Any) -> None:
        self.inside = inside
        self.heard: list[str] = []
        self.faults: list[str] = []
        self.lose = 0
        """How many answers to calls that make something are lost, after these were done."""

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Pass a request on, and hold it and its answer against the description."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        method = environ["REQUEST_METHOD"]
        path = environ["PATH_INFO"].removeprefix(PREFIX)
        self.heard.append(f"{method} {path}")
        query = environ.get("QUERY_STRING", "")
        asked = spec.request_faults(method, path, body.decode(), query)
        self.faults += [f"{method} {path}: {fault}" for fault in asked]
        answer = b"".join(self.inside(environ, start))
        if answer[:1] == b"{":
            said = spec.faults(json.loads(answer))
            self.faults += [f"answer to {method} {path}: {fault}" for fault in said]
        if method == "POST" and self.lose:
            self.lose -= 1
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("the answer is lost")
        return [answer]

    def made(self, path: str) -> int:
        """Return how often something was asked to be made at `path`."""
        return self.heard.count(f"POST {path}")


@contextmanager
def serving(folder: Path, address: str = "") -> Iterator[tuple[Processor, Judge, str]]:
    """Run the processor on a free port; yield it, its judge, and its address.

    With an `address` its messages are delivered there over HTTP.
    """
    app = Flask("pretend")
    mailbox = Mailbox(address, SECRET)
    found = Processor(
        Store(folder / "processor.sqlite"), mailbox, pages="https://pay.example.org/pay"
    )
    app.extensions["pretend_processor"] = found
    app.register_blueprint(api)
    judge = Judge(app.wsgi_app)
    server = make_server("127.0.0.1", 0, judge, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found, judge, f"http://127.0.0.1:{server.server_port}{PREFIX}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    told = [fault for event in mailbox.told for fault in event_faults(event)]
    assert judge.faults + told == []


@contextmanager
def connected(
    folder: Path, settings: Settings, **more: Any
) -> Iterator[tuple[Processor, Judge, Settings]]:
    """Run the processor and have the portal's adapter speak to it, with `more` of its settings."""
    with serving(folder) as (processor, judge, address):
        there = {"stripe_api_base": address, "stripe_webhook_secret": SecretStr(SECRET)}
        ours = settings.model_copy(update=there | more)
        stripe.configure(ours)
        try:
            yield processor, judge, ours
        finally:
            stripe.configure(settings)


def event_faults(event: dict[str, Any]) -> list[str]:
    """Return what is wrong with a message, and with the object in it."""
    return spec.faults(event) + spec.faults(event["data"]["object"])


def body_of(event: dict[str, Any]) -> bytes:
    """Return a message as it stands on the wire."""
    return json.dumps(event).encode()
