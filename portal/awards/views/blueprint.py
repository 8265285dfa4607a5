"""The blueprint of awards, and what its views share."""

from collections.abc import Callable

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.models import Application
from portal.awards import policy, queries
from portal.awards.models import Award
from portal.core.web import Form
from portal.core.workflow import Refused

blueprint = Blueprint("awards", __name__)

PDF = "application/pdf"


def visible(ref: str) -> Application:
    """Return a file whose agreement tab the reader may open. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_open_tab)


def found(ref: str) -> Award:
    """Return the award of a file. Raises NotFound before the offer."""
    award = queries.award_of(visible(ref))
    if award is None:
        raise NotFound
    return award


def back(application: Application) -> ResponseReturnValue:
    """Send the browser to the agreement tab with a GET."""
    return redirect(url_for("awards.agreement_tab", ref=application.ref), code=303)


def attempt(form: Form, act: Callable[[], object]) -> bool:
    """Do `act`; a refusal is shown at the top of the form, with all that was typed."""
    try:
        act()
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return False
    return True
