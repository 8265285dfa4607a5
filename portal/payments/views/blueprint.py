"""The blueprint of payments, and what its views share."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.forms import refuse
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core.db import session
from portal.core.money import usd
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.payments import policy, queries, reasons
from portal.payments.models import PaymentOrder
from portal.payments.views.menu import bank_menu

blueprint = Blueprint("payments", __name__)
blueprint.add_app_template_filter(usd, "as_usd")
blueprint.add_app_template_filter(reasons.in_words, "bank_words")
blueprint.add_app_template_filter(reasons.answer_in_words, "bank_answer")
blueprint.add_app_template_global(bank_menu, "bank_menu")

UNPROCESSABLE = 422


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def go(location: str) -> ResponseReturnValue:
    """Send the browser on with a GET."""
    return redirect(location, code=303)


def done(form: Form, act: Callable[[], object], sentence: str, tone: str = "good") -> bool:
    """Do what a sound form asks for, and say so; a refusal is shown in it, and nothing is kept."""
    if not form.validate_on_submit():
        return False
    try:
        act()
    except Refused as refused:
        session.rollback()
        refuse(form, refused)
        return False
    tell(sentence, tone)
    return True


def case(ref: str) -> tuple[Application, Award]:
    """Return a case file whose payments the reader sees, with its award. Raises NotFound."""
    application = guard.get_or_404(Application, ref, policy.can_open_tab)
    award = queries.award_of(application)
    if award is None:
        raise NotFound
    return application, award


def visible_order(ref: str) -> PaymentOrder:
    """Return an order that exists for the reader. Raises NotFound."""
    found = queries.order_by_ref(ref)
    if found is None or not policy.can_view(guard.signed_in(), found):
        raise NotFound
    return found


def tab(ref: str) -> str:
    """Return the address of the payments of a case file."""
    return url_for("payments.payments_tab", ref=ref)


def order_page(ref: str) -> str:
    """Return the address of an order."""
    return url_for("payments.order", ref=ref)
