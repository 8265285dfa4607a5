"""The blueprint of payments, and what its views share."""

from flask import Blueprint, url_for
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core.money import usd
from portal.payments import policy, queries, reasons, ways
from portal.payments.models import PaymentOrder
from portal.payments.views.menu import bank_menu

blueprint = Blueprint("payments", __name__)
blueprint.add_app_template_filter(usd, "as_usd")
blueprint.add_app_template_filter(reasons.in_words, "bank_words")
blueprint.add_app_template_filter(reasons.answer_in_words, "bank_answer")
blueprint.add_app_template_filter(ways.in_words, "way_of_payment")
blueprint.add_app_template_global(bank_menu, "bank_menu")


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
