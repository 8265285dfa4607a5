"""What every page has: static files by digest, headers, loud templates, quiet logs."""

import logging
import re

import pytest
from flask.testing import FlaskClient
from jinja2 import Environment, UndefinedError

from portal.app.logs import QuietFormatter
from portal.app.pages import Loud


def test_static_files_are_kept_for_a_year_by_their_digest(client: FlaskClient) -> None:
    address = re.search(
        r'href="(/static/css/portal.css\?v=[0-9a-f]{12})"', client.get("/sign-in").text
    )
    assert address is not None
    with client.get(address[1]) as kept:
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with client.get("/static/css/portal.css") as plain:
        assert plain.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/sign-in", "/no-such-page", "/home", "/static/css/portal.css"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as reply:
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        if not path.startswith("/static"):
            assert reply.headers["Cache-Control"] == "no-store"


def test_a_first_view_is_light(client: FlaskClient) -> None:
    page = client.get("/register", headers={"Accept-Encoding": "gzip"})
    sizes = [len(page.data)]
    text = client.get("/register").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', text):
        with client.get(address, headers={"Accept-Encoding": "gzip"}) as file:
            sizes.append(len(file.data))
    assert sum(sizes) <= 30 * 1024


@pytest.mark.parametrize("source", ["{{ typo }}", "{% for x in typo %}{% endfor %}"])
def test_a_name_that_nobody_gave_is_not_printed_as_nothing(source: str) -> None:
    template = Environment(undefined=Loud, autoescape=True).from_string(source)
    with pytest.raises(UndefinedError):
        template.render()


def test_a_name_may_be_asked_about() -> None:
    source = "{% if typo %}yes{% else %}no{% endif %}{{ typo|default('.') }}"
    assert Environment(undefined=Loud, autoescape=True).from_string(source).render() == "no."


def test_a_log_tells_the_place_of_an_error_and_nothing_that_was_typed() -> None:
    with pytest.raises(RuntimeError) as caught:
        _break_on("canary@example.org")
    info = (caught.type, caught.value, caught.tb)
    message = "unexpected error %s"
    record = logging.LogRecord("portal", logging.ERROR, __file__, 1, message, ("1a2b",), info)
    written = QuietFormatter().format(record)
    assert "unexpected error 1a2b" in written
    assert "RuntimeError" in written
    assert "because of ValueError" in written
    assert "test_pages.py" in written
    assert "canary" not in written


def _break_on(typed: str) -> None:
    """Fail as the database does, quoting what was typed."""
    try:
        int(typed)
    except ValueError as error:
        raise RuntimeError(f"Key (email)=({typed})") from error
