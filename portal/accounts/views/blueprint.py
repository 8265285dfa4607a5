"""The blueprint of accounts, and what its views share."""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts import rules
from portal.core.web import Form

blueprint = Blueprint("accounts", __name__)

UNPROCESSABLE = 422
GONE = 410


def network() -> str:
    """Return the network that the request came from, for the throttle."""
    return rules.network_of(request.remote_addr)


def agent() -> str:
    """Return what the browser calls itself, for the list of one's own sessions."""
    return request.headers.get("User-Agent", "")


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def spent_link() -> ResponseReturnValue:
    """Say that a link does not open anything any more, and how to get another."""
    return render_template("accounts/spent_link.html"), GONE


def go(location: str) -> ResponseReturnValue:
    """Send the browser on with a GET."""
    return redirect(location, code=303)
