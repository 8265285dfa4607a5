"""The web application class: transactions, default deny, headers and error pages.

Returning commits, raising rolls back, and a GET never commits. An endpoint that declares no
access does not answer: see `set_access`.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Flask, Response, current_app, flash, g, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import Forbidden, HTTPException, NotFound
from werkzeug.wrappers import Response as BaseResponse
from wtforms import FormField
from wtforms.fields import SelectChoice

from portal.core import jobs
from portal.core.db import session
from portal.core.files import StoredFile, read_stored
from portal.core.i18n import PSEUDO, _, language
from portal.core.workflow import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_LIMIT_BYTES = 2 * 1024 * 1024

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

View = TypeVar("View", bound=Callable[..., Any])
Access = Callable[[], ResponseReturnValue | None]

log = logging.getLogger(__name__)
csrf = CSRFProtect()


def _settle(errors: Any) -> Any:
    """Return a form's errors with each lazy text spoken, so that templates meet plain strings."""
    if isinstance(errors, dict):
        return {name: _settle(part) for name, part in errors.items()}
    if isinstance(errors, list | tuple):
        return [_settle(part) for part in errors]
    return str(errors)


class Form(FlaskForm):
    """Base of every form: CSRF-protected, its standard messages in the reader's language."""

    def validate(self, *arguments: Any, **named: Any) -> bool:
        """Validate as WTForms does; the sentences are in the reader's language after it."""
        valid = bool(super().validate(*arguments, **named))
        for field in self:
            if field.errors and not isinstance(field, FormField):
                field.errors = _settle(field.errors)
        return valid

    class Meta(FlaskForm.Meta):
        """WTForms' own catalogues carry the standard messages."""

        @property
        def locales(self) -> list[str]:
            """Return the reader's language; the made-up ones have no catalogue of their own."""
            return [PSEUDO.get(language(), language())]

        def get_translations(self, form: Any) -> Any:
            """Use WTForms' catalogue; Flask-WTF would look for an extension that is not here."""
            return super(FlaskForm.Meta, self).get_translations(form)


def choices(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Return (value, label) pairs as WTForms takes them; labels may be lazy texts."""
    return [SelectChoice(value, label) for value, label in pairs]


def set_access(view: View, access: Access) -> View:
    """Declare who may call `view`: `access` returns None to go on, or the answer to give instead.

    It may also raise an HTTP error, such as NotFound.
    """
    view.access = access  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Declare that anybody may call `view`."""
    return set_access(view, lambda: None)


class Portal(Flask):
    """A Flask application that ends the database transaction of each request itself."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view; commit when an unsafe method returns, roll back everything else.

        It stands here rather than in a teardown so that a conflict found while committing
        still reaches the error handlers.
        """
        try:
            answer = super().dispatch_request()
            if request.method in SAFE_METHODS:
                session.rollback()
            else:
                session.commit()
                jobs.wake()
        except BaseException:
            session.rollback()
            raise
        return answer


def safe_next(path: str | None) -> str | None:
    """Return `path` re-built as a path of this site, or None if it points elsewhere."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return None
    if any(character < " " for character in path):
        return None
    parts = urlsplit(path)
    if parts.scheme or parts.netloc:
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _deny_undeclared() -> ResponseReturnValue | None:
    """Ask the endpoint's access rule; an endpoint without one does not exist."""
    if request.endpoint is None or request.routing_exception is not None:
        return None
    view = current_app.view_functions[request.endpoint]
    access: Access | None = getattr(view, "access", None)
    if access is None:
        raise NotFound
    return access()


def _refuse_cross_site() -> None:
    """Refuse unsafe requests that a browser says come from another site."""
    origin = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method not in SAFE_METHODS and origin not in {"same-origin", "none"}:
        raise Forbidden


def _drop_nul() -> None:
    """Take NUL out of what was typed: nobody sees it, and no database keeps it in a text."""
    if any("\x00" in part for pair in request.form.items(multi=True) for part in pair):
        request.form = ImmutableMultiDict(
            (name.replace("\x00", ""), value.replace("\x00", ""))
            for name, value in request.form.items(multi=True)
        )


def _add_headers(response: Response) -> Response:
    """Set the security headers. Nothing of `g` may be used: this also runs on early errors."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    if current_app.config.get("HSTS"):
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return response


def _page(status: int, template: str, **context: Any) -> tuple[str, int]:
    return render_template(f"errors/{template}.html", **context), status


def wants_json() -> bool:
    """Say whether the page's own script asks, which reads JSON rather than pages."""
    return request.headers.get("X-Autosave") == "1"


def _refused(error: Refused) -> ResponseReturnValue:
    if wants_json():
        return {"refused": error.sentence}, 409
    return _page(409, "refused", sentence=error.sentence, rule=error.rule, kept=_kept())


def _kept() -> list[tuple[str, str]]:
    """Return what was typed into the form of this request, to be given back on an error page."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if value.strip() and "password" not in name and name != "csrf_token"
    ]


def _out_of_bounds(error: DataError) -> ResponseReturnValue:
    """Answer a number or a text that no row can hold: nothing stands at such an address."""
    log.info("value out of bounds: %s", type(error.orig).__name__)
    if request.method in SAFE_METHODS:
        return _http_error(NotFound())
    sentence = _("A number or a text in this form is too long to be kept. Shorten it.")
    return _refused(Refused(sentence))


def _conflict(error: Exception) -> ResponseReturnValue:
    log.info("conflicting change: %s", type(error).__name__)
    sentence = _(
        "Somebody else changed this at the same moment, so your change was not made. "
        "Go back, reload the page and look at what is there now."
    )
    return _refused(Refused(sentence))


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    log.info("stale form: %s", error.description)
    if wants_json():
        return {"refused": _("The page is too old. Reload it; your text is kept.")}, 400
    return _page(400, "stale", kept=_kept())


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:  # noqa: PLR2004 — a redirect that Werkzeug raises
        return error.get_response()
    if wants_json():
        return {"refused": error.description}, code
    known = {400, 403, 404, 405, 413, 429, 503}
    return _page(code, str(code) if code in known else "500")


def _crash(error: Exception) -> ResponseReturnValue:
    reference = uuid4().hex[:8]
    log.error("unexpected error %s", reference, exc_info=error)
    return _page(500, "500", reference=reference)


def _end_session(error: BaseException | None = None) -> None:
    del error
    session.remove()


def init_web(app: Portal, upload_limit: int) -> None:
    """Give `app` its guards, headers, CSRF protection, compression and error pages.

    `upload_limit` is how many bytes one file may have.
    """
    app.config.update(
        # A file somewhat too large is refused in its form, where what was typed beside it is kept.
        MAX_CONTENT_LENGTH=2 * upload_limit + FORM_LIMIT_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT_BYTES,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/json",
            "image/svg+xml",
        ],
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_MIN_SIZE=500,
    )
    csrf.init_app(app)
    Compress(app)
    app.before_request(_refuse_cross_site)
    app.before_request(_drop_nul)
    app.before_request(_deny_undeclared)
    app.after_request(_add_headers)
    app.teardown_request(_end_session)
    app.view_functions["static"] = public(app.view_functions["static"])
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StaleDataError, _conflict)
    app.register_error_handler(IntegrityError, _conflict)
    app.register_error_handler(DataError, _out_of_bounds)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)


def attachment(content: BaseResponse) -> BaseResponse:
    """Mark a download: never shown inside the site, never run."""
    content.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return content


def hand_out(file: StoredFile) -> BaseResponse:
    """Answer with a stored file, as a download. Raises Refused where it cannot be read."""
    content = BytesIO(read_stored(file))
    return attachment(
        send_file(content, mimetype=file.media_type, as_attachment=True, download_name=file.name)
    )


def tell(sentence: str, tone: str = "good") -> None:
    """Show `sentence` once, at the top of the next page."""
    flash(sentence, tone)


def once_token() -> str:
    """Return an unguessable token for links that work once (256 bits, URL-safe)."""
    return secrets.token_urlsafe(32)


def remember(name: str, make: Callable[[], Any]) -> Any:
    """Return `g.<name>`, made on first use, for the length of the request."""
    if not hasattr(g, name):
        setattr(g, name, make())
    return getattr(g, name)
