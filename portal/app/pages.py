"""What every page finds in its context: the reader, the navigation, formats, static files."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Never
from zoneinfo import ZoneInfo

from flask import Flask, Response, has_request_context, request, url_for
from flask import session as flask_session
from jinja2 import Undefined
from markupsafe import Markup, escape
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts import guard
from portal.accounts.models import Person
from portal.app.nav import navigation
from portal.core import formats
from portal.core.config import ROOT, Settings
from portal.core.i18n import PSEUDO, _, locale, offered, translated
from portal.core.money import format_money
from portal.core.web import remember
from portal.funds import countries

STATIC = ROOT / "static"
FOR_A_YEAR = 365 * 24 * 60 * 60
DIGEST_LENGTH = 12
COMPRESSIBLE = frozenset({"text/css", "text/javascript", "image/svg+xml"})
"""Read whole, because only what is read whole is sent compressed."""

REFERENCE = re.compile(r"\b(?:[0-9A-Z]{4}-[0-9A-Z]{4}|[A-Z]{2,6}(?:-[A-Z])?-\d{4}-\d{4})\b")
"""A reference of ours, or the number of a receipt, in a sentence."""


class Loud(Undefined):
    """A name that a template may ask about, but neither print nor walk through."""

    def __str__(self) -> str:
        """Raise UndefinedError: an empty text would hide the mistake."""
        raise self._undefined_exception(self._undefined_message)

    def __iter__(self) -> Never:
        """Raise UndefinedError: so would an empty list."""
        raise self._undefined_exception(self._undefined_message)


def init_pages(app: Flask, settings: Settings) -> None:
    """Give the templates of `app` their filters and what the page frame asks for."""
    if settings.demo or settings.testing:
        app.jinja_env.undefined = Loud
    zone = ZoneInfo(settings.time_zone)

    def readers_zone() -> Any:
        person = _reader() if has_request_context() else None
        return person.time_zone if person else zone

    app.jinja_env.filters.update(
        unbroken=unbroken,
        translated=lambda text: translated(str(text)),
        format_money=format_money,
        format_day=lambda day, width="long": formats.format_day(day, width, readers_zone()),
        format_moment=lambda at, where=None: formats.format_moment(at, where or readers_zone()),
        format_number=formats.format_number,
        format_size=formats.format_size,
        country_name=lambda iso3: countries.display_name(iso3, locale()) if iso3 else "",
    )
    app.before_request(_keep_language)
    app.url_defaults(_with_digest)
    app.after_request(_let_static_be_kept)
    app.context_processor(lambda: _frame(settings))


def unbroken(text: str) -> Markup:
    """Return a text in which no line breaks inside a reference of ours: it is copied whole."""
    return Markup(REFERENCE.sub(r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704 — escaped


def _reader() -> Person | None:
    """Return whoever reads, looked up once for each page."""
    person: Person | None = remember("reader", guard.visitor)
    return person


def _frame(settings: Settings) -> dict[str, Any]:
    """Return what `base.html` asks for; for nobody where even the database does not answer."""
    try:
        return _frame_for(_reader(), settings)
    except SQLAlchemyError:
        return _frame_for(None, settings)


def _frame_for(person: Person | None, settings: Settings) -> dict[str, Any]:
    """Return what `base.html` asks for when `person` reads."""
    return {
        "demo": settings.demo,
        "account": _account(person),
        "nav": navigation(person),
        "footer_links": [
            {"label": _("How to apply"), "href": url_for("publication.how_to_apply")},
            {"label": _("Privacy"), "href": url_for("publication.privacy")},
            {"label": _("Accessibility"), "href": url_for("publication.accessibility")},
            *_for_demonstrations(settings),
        ],
        "home_url": url_for("home.show") if person else "/",
        "account_url": url_for("accounts.profile"),
        "sign_in_url": url_for("accounts.sign_in"),
        "sign_out_url": url_for("accounts.sign_out"),
        "quick_exit_url": None if person and person.is_staff else settings.quick_exit_url,
    }


def _for_demonstrations(settings: Settings) -> list[dict[str, str]]:
    """Return the way to the messages that left, which only a demonstration shows to anybody."""
    if not settings.demo:
        return []
    return [{"label": _("Messages that left"), "href": url_for("admin.outbox")}]


def _account(person: Person | None) -> dict[str, str] | None:
    """Return the name at the top of the page, with the organisation where there is just one."""
    if person is None:
        return None
    names = [member.organisation.name for member in person.memberships if member.is_active]
    return {"name": person.name, "org": names[0] if len(names) == 1 else ""}


def _keep_language() -> None:
    """Remember the language that a link of the page frame chose."""
    asked = request.args.get("lang")
    if asked in offered() or asked in PSEUDO:
        flask_session["lang"] = asked


@lru_cache(maxsize=256)
def _digest(path: Path, changed_ns: int) -> str:
    """Return a short digest of a static file; read again when it has changed."""
    del changed_ns
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_LENGTH]


def _with_digest(endpoint: str, values: dict[str, Any]) -> None:
    """Add the digest of its content to the address of each static file."""
    if endpoint != "static" or "v" in values:
        return
    path = STATIC / str(values.get("filename"))
    if path.is_file():
        values["v"] = _digest(path, path.stat().st_mtime_ns)


def _let_static_be_kept(response: Response) -> Response:
    """Let browsers keep a static file that was asked for by its digest; it never changes."""
    if request.endpoint == "static" and response.status_code in {200, 304}:
        if request.args.get("v"):
            response.headers["Cache-Control"] = f"public, max-age={FOR_A_YEAR}, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        if response.mimetype in COMPRESSIBLE:
            response.direct_passthrough = False
            response.make_sequence()
    return response
