"""The page of personas: whom a visitor of the demonstration can be, and the way in.

The blueprint is registered in demo mode only, and asks again before each request: outside a
demonstration these pages do not exist.
"""

from flask import Blueprint, current_app, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard, service
from portal.accounts.views.blueprint import agent, network
from portal.core.pages import go
from portal.core.web import public
from portal.core.workflow import Refused
from portal.demo import personas

blueprint = Blueprint("demo", __name__)


@blueprint.before_request
def demand_demonstration() -> None:
    """Raise NotFound outside of a demonstration, whoever registered these pages."""
    if not current_app.config["SETTINGS"].demo:
        raise NotFound


@blueprint.get("/demo")
@public
def show() -> ResponseReturnValue:
    """Show everybody whom one can be, and what each can do now."""
    return render_template("demo/show.html", casts=personas.casts(), password=personas.PASSWORD)


@blueprint.post("/demo/sign-in/<key>")
@public
def sign_in(key: str) -> ResponseReturnValue:
    """Sign in as somebody of the story, by the same door as everybody."""
    try:
        wanted = personas.persona(key)
    except KeyError:
        raise NotFound from None
    try:
        entry = service.sign_in(wanted.email, personas.PASSWORD, network=network(), agent=agent())
    except Refused as refused:
        flash(refused.sentence, "stop")
        return go(url_for("demo.show"))
    before = guard.web_session()
    if before is not None:
        service.end_session(before)
    guard.begin(entry)
    return go(url_for("home.show"))
