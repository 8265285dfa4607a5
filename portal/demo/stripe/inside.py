"""The pretend card processor inside one process: the portal calls it, and no server runs.

The story is told so: at the clock of the story, before anybody serves anything.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from pydantic import SecretStr
from stripe import HTTPClient

from portal.core import jobs, stripe
from portal.core.config import PRETEND_PROCESSOR, Settings
from portal.core.stripe import events
from portal.demo.stripe.api import blueprint
from portal.demo.stripe.hooks import Mailbox
from portal.demo.stripe.processor import FILE, KEY, Processor, at


class Inside(HTTPClient):
    """Calls an application in this process, as the library of the processor calls the network."""

    name = "inside"

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._client = app.test_client()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Return what the application answers: body, status and headers."""
        parts = urlsplit(url)
        answer = self._client.open(
            parts.path,
            method=method.upper(),
            query_string=parts.query,
            headers=dict(headers or {}),
            data=post_data,
        )
        return answer.text, answer.status_code, dict(answer.headers)

    def close(self) -> None:
        """Leave nothing open: there is no connection."""


class Inner:
    """The pretend processor of a demonstration, called from inside; in its memory is nothing."""

    def __init__(self, settings: Settings) -> None:
        self._before = settings
        self._settings = settings.model_copy(
            update={
                "stripe_secret_key": SecretStr(KEY),
                "stripe_webhook_secret": SecretStr(secrets.token_urlsafe()),
                "stripe_api_base": settings.base_url + PRETEND_PROCESSOR,
            }
        )
        self._mailbox = Mailbox("", self._settings.stripe_webhook_secret.get_secret_value())
        self._delivered = 0
        self.processor: Processor = at(
            settings.data_dir / FILE,
            self._mailbox,
            pages=settings.base_url + PRETEND_PROCESSOR + "/pay",
        )
        with self.processor.store.turn() as turn:
            turn.clear()
        app = Flask(__name__)
        app.extensions["pretend_processor"] = self.processor
        app.register_blueprint(blueprint)
        self._through = Inside(app)

    @contextmanager
    def called(self) -> Iterator[Processor]:
        """Let the portal call this processor, and hear it out in the end: every message signed."""
        stripe.configure(self._settings, through=self._through)
        try:
            yield self.processor
            self._deliver()
        finally:
            stripe.configure(self._before)

    def _deliver(self) -> None:
        told = self._mailbox.told[self._delivered :]
        self._delivered += len(told)
        for event in told:
            body = json.dumps(event)
            stripe.take(body.encode(), self._mailbox.sign(body))
        while events.work_on_next() is jobs.AGAIN:
            pass
