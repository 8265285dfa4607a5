"""A reader of the account pages without JavaScript, closer to the wire than `tests.browser`."""

import re
from collections.abc import Mapping

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.make.accounts import PASSWORD
from tests.page import Page

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visitor:
    """Somebody at a browser without JavaScript: keeps cookies, sends tokens, checks each page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, path: str) -> TestResponse:
        """Open a page, following redirects."""
        return self._checked(self.client.get(path, follow_redirects=True))

    def send(self, path: str, /, **fields: str | list[str]) -> TestResponse:
        """Send a form to `path` with a token of this browser, and follow where it leads."""
        return self._checked(self.post(path, fields, follow=True))

    def post(
        self, path: str, fields: Mapping[str, str | list[str]], *, follow: bool = False
    ) -> TestResponse:
        """Send a form to `path` with a token of this browser."""
        token = TOKEN.search(self.client.get("/signed-out").text) or TOKEN.search(
            self.client.get("/register").text
        )
        token = token or TOKEN.search(self.client.get("/account").text)
        assert token is not None
        data: dict[str, str | list[str]] = {"csrf_token": token[1], **fields}
        return self.client.post(path, data=data, follow_redirects=follow)

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Sign in by the page."""
        return self.send("/sign-in", email=email, password=password)

    def _checked(self, reply: TestResponse) -> TestResponse:
        assert reply.status_code < 500
        if reply.mimetype == "text/html" and reply.data:
            faults = Page(reply.text, reply.request.path, reply.status_code).faults()
            assert faults == []
        return reply
