"""The blueprint of reviews, and what its views share."""

from typing import Any

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications.models import Application
from portal.core.web import Form
from portal.reviews import policy

blueprint = Blueprint("reviews", __name__)

UNPROCESSABLE = 422


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def go(location: str) -> ResponseReturnValue:
    """Send the browser on with a GET."""
    return redirect(location, code=303)


def screened(ref: str) -> Application:
    """Return an application that the reader screens. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_screen)
