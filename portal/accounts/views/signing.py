"""Signing in, out, and once more."""

from flask import Response, make_response, render_template, request, url_for
from flask import session as flask_session
from flask.typing import ResponseReturnValue

from portal.accounts import guard, service
from portal.accounts.forms import IdentityForm, SignInForm
from portal.accounts.views.blueprint import agent, blueprint, network
from portal.core.i18n import PSEUDO, offered
from portal.core.pages import UNPROCESSABLE, go, page, refuse
from portal.core.web import SAFE_METHODS, public, safe_next
from portal.core.workflow import Refused

CLEAR = '"cache", "cookies", "storage"'


def home() -> str:
    """Return where people land who came for nothing in particular."""
    return url_for("home.show")


def _try_sign_in(form: SignInForm) -> bool:
    """Sign in by `form`; on a refusal show its sentence, so that the failed try is counted."""
    try:
        entry = service.sign_in(
            form.email.data, form.password.data, network=network(), agent=agent()
        )
    except Refused as refused:
        refuse(form, refused)
        return False
    guard.begin(entry)
    return True


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Ask who somebody is, and send them where they wanted to go."""
    wanted = safe_next(request.args.get("next")) or home()
    if guard.visitor() and request.method in SAFE_METHODS:
        return go(wanted)
    form = SignInForm()
    if form.validate_on_submit() and _try_sign_in(form):
        return go(wanted)
    return page("accounts/sign_in.html", form, wanted=wanted)


def _carried() -> tuple[list[tuple[str, str]], str, str]:
    """Return what an earlier form held, where it goes, and by which method."""
    kept = list(zip(request.form.getlist("kept_name"), request.form.getlist("kept_value")))  # noqa: B905 — a crafted form may differ
    method = "GET" if request.form.get("method") in SAFE_METHODS else "POST"
    return kept, safe_next(request.form.get("path")) or home(), method


def _go_on(kept: list[tuple[str, str]], path: str, method: str) -> ResponseReturnValue:
    """Offer to finish what was begun; a page that was only looked at is simply opened."""
    if method == "GET":
        return go(path)
    return render_template("accounts/finish.html", kept=kept, path=path)


@blueprint.post("/sign-in/again")
@public
def sign_in_again() -> ResponseReturnValue:
    """Sign in somebody whose session ran out over a form; everything typed comes along."""
    kept, path, method = _carried()
    form = SignInForm()
    if form.validate() and _try_sign_in(form):
        return _go_on(kept, path, method)
    answer = render_template(
        "accounts/sign_in_again.html",
        form=form,
        kept=kept,
        path=path,
        method=method,
        lost_files=False,
    )
    return answer, UNPROCESSABLE


@blueprint.post("/confirm-identity")
@guard.members_only
def confirm_identity() -> ResponseReturnValue:
    """Ask for the password again before something grave; everything typed comes along."""
    kept, path, method = _carried()
    form = IdentityForm()
    web_session = guard.web_session()
    if form.validate() and web_session is not None:
        try:
            entry = service.confirm_identity(
                web_session, form.password.data, network=network(), agent=agent()
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            guard.begin(entry)
            return _go_on(kept, path, method)
    answer = render_template(
        "accounts/confirm_identity.html",
        form=form,
        kept=kept,
        path=path,
        method=method,
        lost_files=False,
    )
    return answer, UNPROCESSABLE


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End the session and leave no trace of it in the browser."""
    web_session = guard.web_session()
    if web_session is not None:
        service.end_session(web_session)
    return farewell()


def farewell() -> Response:
    """Send the browser to the farewell page, emptied of cookies, storage and cached pages."""
    guard.leave()
    answer = make_response(go(url_for("accounts.signed_out")))
    answer.headers["Clear-Site-Data"] = CLEAR
    return answer


@blueprint.get("/signed-out")
@public
def signed_out() -> ResponseReturnValue:
    """Say that the session has ended."""
    return render_template("accounts/signed_out.html")


@blueprint.post("/language")
@public
def language() -> ResponseReturnValue:
    """Change the language of pages, and of messages for whoever is signed in."""
    tag = request.form.get("lang", "")
    if tag in offered() or tag in PSEUDO:
        person = guard.visitor()
        if person is not None:
            person.language = tag
        flask_session["lang"] = tag
    return go(safe_next(request.form.get("next")) or "/")
