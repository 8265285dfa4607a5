"""The blueprint of administration, and what its views share."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.core.web import Form

blueprint = Blueprint("admin", __name__)

UNPROCESSABLE = 422
TEXT_LIMIT = 100


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def go(endpoint: str, **values: Any) -> ResponseReturnValue:
    """Send the browser on with a GET."""
    return redirect(url_for(endpoint, **values), code=303)


def asked(name: str) -> str:
    """Return what the address asks for under `name`, within bounds."""
    return request.args.get(name, "")[:TEXT_LIMIT].replace("\x00", "").strip()
