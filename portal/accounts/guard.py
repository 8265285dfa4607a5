"""The one door between the web and people: who is signed in, and what a view demands.

`signed_in()` is the only reader of Flask-Login's `current_user`, which is a proxy and not a
Person. Views declare their access with `requires(policy)` or `members_only`; loading a row is
checking it: what a person may not see does not exist (404).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from sqlalchemy import select
from werkzeug.exceptions import NotFound, Unauthorized

from portal.accounts import service
from portal.accounts.models import Person, WebSession
from portal.core import clock
from portal.core.db import session
from portal.core.web import SAFE_METHODS, View, set_access, wants_json

FRESH_FOR = timedelta(minutes=15)

Row = TypeVar("Row")


@dataclass(frozen=True)
class SignedIn:
    """What Flask-Login carries about: the session row, under the protocol that it asks for."""

    web_session: WebSession
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return the opaque token that the browser holds."""
        return self.token


def init_guard(app: Flask) -> None:
    """Let Flask-Login find the session row of each request."""
    manager = LoginManager(app)
    manager.session_protection = None

    @manager.user_loader
    def load(token: str) -> SignedIn | None:
        found = service.session_for(token)
        return SignedIn(found, token) if found else None


def web_session() -> WebSession | None:
    """Return the session row of this request, or None for a visitor."""
    user = current_user._get_current_object()  # noqa: SLF001 — the proxy's documented way out
    return user.web_session if isinstance(user, SignedIn) else None


def visitor() -> Person | None:
    """Return whoever is signed in, or None."""
    row = web_session()
    return row.person if row else None


def signed_in() -> Person:
    """Return the person who is signed in. Raises Unauthorized for a visitor."""
    person = visitor()
    if person is None:
        raise Unauthorized
    return person


def is_fresh() -> bool:
    """Say whether the person proved who they are within the last quarter of an hour."""
    row = web_session()
    return row is not None and clock.now() - row.fresh_at <= FRESH_FOR


def ask_to_sign_in() -> ResponseReturnValue:
    """Send a visitor to sign in; what they had typed is kept and offered again after it."""
    if wants_json():
        return {"sign_in": url_for("accounts.sign_in", next=request.referrer and "")}, 401
    if request.method in SAFE_METHODS:
        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
    kept = [item for item in request.form.items(multi=True) if item[0] != "csrf_token"]
    return render_template("accounts/sign_in_again.html", kept=kept, path=request.full_path), 401


def requires(policy: Callable[[Person], bool]) -> Callable[[View], View]:
    """Declare that a view is for people whom `policy` lets in; for others it does not exist."""

    def access() -> ResponseReturnValue | None:
        person = visitor()
        if person is None:
            return ask_to_sign_in()
        if not policy(person):
            raise NotFound
        return None

    return lambda view: set_access(view, access)


def members_only(view: View) -> View:
    """Declare that a view is for anybody who is signed in."""
    return requires(lambda _person: True)(view)


def freshly(policy: Callable[[Person], bool]) -> Callable[[View], View]:
    """Declare as `requires` does, and ask for the password again unless it was just given."""
    plain = requires(policy)

    def declare(view: View) -> View:
        declared = plain(view)
        first: Callable[[], Any] = declared.access  # type: ignore[attr-defined]

        def access() -> ResponseReturnValue | None:
            answer: ResponseReturnValue | None = first()
            return answer if answer is not None or is_fresh() else ask_again()

        return set_access(view, access)

    return declare


def ask_again() -> ResponseReturnValue:
    """Ask somebody who is signed in for the password once more; nothing typed is lost."""
    kept = [item for item in request.form.items(multi=True) if item[0] != "csrf_token"]
    page = render_template(
        "accounts/confirm_identity.html",
        kept=kept,
        path=request.full_path.rstrip("?"),
        method=request.method,
    )
    return page, 401


def get_or_404(model: type[Row], ref: str, may_see: Callable[[Person, Row], bool]) -> Row:
    """Return the row of `model` with the reference `ref` if the person may see it.

    Raises NotFound otherwise: what a person may not see does not exist.
    """
    column: Any = getattr(model, "ref")  # noqa: B009 — any model with a reference
    found: Row | None = session.scalar(select(model).where(column == ref))
    if found is None or not may_see(signed_in(), found):
        raise NotFound
    return found
