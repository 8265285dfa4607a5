"""The one door between the web and people: who is signed in, and what a view demands.

`signed_in()` is the only reader of Flask-Login's `current_user`, which is a proxy and not a
Person. Views declare their access with `requires(policy)` or `members_only`; loading a row is
checking it: what a person may not see does not exist (404).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, g, redirect, render_template, request, url_for
from flask import session as flask_session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy import select
from werkzeug.exceptions import NotFound, Unauthorized

from portal.accounts import service
from portal.accounts.forms import IdentityForm, SignInForm
from portal.accounts.models import Person, WebSession
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.web import SAFE_METHODS, Form, View, set_access, wants_json

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

    def load(token: str) -> SignedIn | None:
        found = service.session_for(token)
        if found is None:
            return None
        service.refresh(found)
        return SignedIn(found, token)

    manager.user_loader(load)


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
        return {"refused": _("You were signed out. Sign in again; your text is kept.")}, 401
    path = request.full_path.rstrip("?")
    if request.method in SAFE_METHODS:
        return redirect(url_for("accounts.sign_in", next=path))
    return ask_for_password("accounts/sign_in_again.html", SignInForm(formdata=None), path)


def typed() -> list[tuple[str, str]]:
    """Return what was typed into the form of this request, passwords left out."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and "password" not in name
    ]


def ask_for_password(template: str, form: Form, path: str) -> ResponseReturnValue:
    """Show a page that asks for a password and carries along what was typed."""
    page = render_template(
        template,
        form=form,
        kept=typed(),
        path=path,
        method="GET" if request.method in SAFE_METHODS else "POST",
        lost_files=bool(request.files),
    )
    return page, 401


def _admit(policy: Callable[[Person], bool]) -> ResponseReturnValue | None:
    """Return None for whom `policy` lets in; ask visitors to sign in. Raises NotFound."""
    person = visitor()
    if person is None:
        return ask_to_sign_in()
    if not policy(person):
        raise NotFound
    return None


def requires(policy: Callable[[Person], bool]) -> Callable[[View], View]:
    """Declare that a view is for people whom `policy` lets in; for others it does not exist."""
    return lambda view: set_access(view, lambda: _admit(policy))


def anybody(person: Person) -> bool:
    """Let in whoever is signed in."""
    del person
    return True


def members_only(view: View) -> View:
    """Declare that a view is for anybody who is signed in."""
    return requires(anybody)(view)


def freshly(policy: Callable[[Person], bool]) -> Callable[[View], View]:
    """Declare as `requires` does, and ask for the password again unless it was just given."""

    def access() -> ResponseReturnValue | None:
        answer = _admit(policy)
        return answer if answer is not None or is_fresh() else ask_again()

    return lambda view: set_access(view, access)


def ask_again() -> ResponseReturnValue:
    """Ask somebody who is signed in for the password once more; nothing typed is lost."""
    if wants_json():
        return {"refused": _("Confirm that it is you: send the page by its button.")}, 401
    path = request.full_path.rstrip("?")
    return ask_for_password("accounts/confirm_identity.html", IdentityForm(formdata=None), path)


def begin(entry: service.Entry) -> None:
    """Hand the token of a new session to the browser, and nothing of what it held before.

    A session that the browser still had ends: nobody could sign it out any more.
    """
    before = web_session()
    if before is not None and before is not entry.web_session:
        service.end_session(before)
    _forget_session()
    flask_session["lang"] = entry.web_session.person.language
    login_user(SignedIn(entry.web_session, entry.token))


def leave() -> None:
    """Take the token from the browser."""
    logout_user()
    _forget_session()


def _forget_session() -> None:
    """Empty the cookie, and with it the CSRF token that this request may have read from it."""
    flask_session.clear()
    g.pop("csrf_token", None)


def get_or_404(model: type[Row], ref: str | UUID, may_see: Callable[[Person, Row], bool]) -> Row:
    """Return the row of `model` with the reference (or, where it has none, the id) `ref`.

    Raises NotFound if there is none or the person may not see it: to them it does not exist.
    """
    column: Any = getattr(model, "id" if isinstance(ref, UUID) else "ref")
    found: Row | None = session.scalar(select(model).where(column == ref))
    if found is None or not may_see(signed_in(), found):
        raise NotFound
    return found
