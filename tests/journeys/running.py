"""The portal as real processes, which can be killed, and a plain HTTP client to talk to them."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from portal.core.config import ROOT
from tests.make.accounts import PASSWORD
from tests.page import Page

PATIENCE_SECONDS = 60
Process = subprocess.Popen[bytes]
GONE = (OSError, HTTPException)
"""What a client meets while the server is dead or dies: URLError is an OSError."""


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def until(what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until `what()` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@dataclass
class Site:
    """A portal on a database and a data folder; `more` are further settings."""

    database: str
    data: Path
    port: int
    more: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return what its processes find around them."""
        return {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.database,
            "PORTAL_DEMO": "true",
            "PORTAL_BASE_URL": self.address,
            **self.more,
        }

    @property
    def address(self) -> str:
        """Where the web server answers."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> list[str]:
        """Return a `portal` command on this site."""
        return [sys.executable, "-m", "portal.cli", *arguments, "--data", str(self.data)]

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Process]:
        """Run a command that does not end by itself; it is dead after the block."""
        process = subprocess.Popen(
            self.command(*arguments), cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def served(self) -> Iterator[Process]:
        """Run the web server, and wait until it answers."""
        with self.running("serve", "--port", str(self.port)) as process:
            until = time.monotonic() + PATIENCE_SECONDS
            while not _answers(self.address):
                assert process.poll() is None, "the web server ended by itself"
                assert time.monotonic() < until, "the web server does not answer"
                time.sleep(0.05)
            yield process

    def check(self) -> str:
        """Return what `portal check` finds wrong: nothing, or all that it printed."""
        done = subprocess.run(
            self.command("check"),
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/privacy", timeout=5):  # noqa: S310 — our own
            return True
    except GONE:
        return False


class Wire:
    """Somebody signed in at the other end of a wire that may break: then GONE is raised."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def send(
        self, path: str, fields: list[tuple[str, str]] | None = None, *, script: bool = False
    ) -> tuple[int, str]:
        """Return status and text of a GET, or of a POST of `fields`."""
        data = urlencode(fields).encode() if fields is not None else None
        asked = urllib.request.Request(  # noqa: S310 — our own server
            self.address + path, data=data, headers={"X-Autosave": "1"} if script else {}
        )
        try:
            with self.opener.open(asked, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def fields(self, path: str) -> dict[str, str]:
        """Return what the largest form of the page at `path` would send, typed text included."""
        status, html = self.send(path)
        assert status == 200, f"{path} answered {status}"
        page = Page(html, path, status)
        forms = [
            {
                control.get("name", ""): control.get("value") or control.text or ""
                for control in form.iter()
                if control.tag in {"input", "textarea"}
                and control.get("name")
                and control.get("type") not in {"radio", "checkbox", "file"}
            }
            for form in page.all("form")
            if form.get("method", "get").lower() == "post"
        ]
        return max(forms, key=len)

    def sign_in(self, email: str) -> None:
        """Sign in with the password that all made-up people have."""
        form = self.fields("/sign-in") | {"email": email, "password": PASSWORD}
        status, html = self.send("/sign-in", list(form.items()))
        assert status == 200, html
        assert "Sign out" in html, html

    def autosave(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Send a form as the page's script does while somebody types."""
        status, text = self.send(path, list(form.items()), script=True)
        return status, json.loads(text)
