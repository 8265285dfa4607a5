"""An independent card processor from the package index, in a process of its own.

Its own command listens to the whole network and keeps a file; so its application is started here,
on this machine only, and keeps nothing.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

RUNNER = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
KEY = "sk_test_of_the_tests"
SECONDS = 30


class LocalStripe:
    """The processor at `address`."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def tells(self, address: str, secret: str) -> None:
        """Have its messages delivered to `address`, signed with `secret`."""
        reply = requests.post(
            f"{self.address}/_config/webhooks/portal",
            json={"url": address, "secret": secret},
            timeout=SECONDS,
        )
        assert reply.ok, reply.text

    def card(self, number: str) -> str:
        """Return a card of this number, entered as on the processor's own page."""
        card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        form = {"type": "card", **{f"card[{name}]": value for name, value in card.items()}}
        reply = requests.post(
            f"{self.address}/v1/payment_methods", data=form, auth=(KEY, ""), timeout=SECONDS
        )
        return str(reply.json()["id"])

    def read(self, path: str) -> dict[str, Any]:
        """Return an object as the processor has it, asked without our adapter."""
        reply = requests.get(self.address + path, auth=(KEY, ""), timeout=SECONDS)
        found: dict[str, Any] = reply.json()
        return found


@contextmanager
def running() -> Iterator[LocalStripe]:
    """Run it on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", RUNNER, str(port)])
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield LocalStripe(port)
    finally:
        process.terminate()
        process.wait()
