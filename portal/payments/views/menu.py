"""The pages about the bank, as each reader finds them: one row of tabs above all of them."""

from collections.abc import Callable

from babel.support import LazyProxy
from flask import request, url_for

from portal.accounts import guard
from portal.accounts.models import Person
from portal.core.i18n import _l
from portal.payments import policy
from portal.payments.statements import policy as statements

BANK_PAGES: tuple[tuple[str, LazyProxy, Callable[[Person], bool]], ...] = (
    ("payments.reconciliation", _l("Reconciliation"), statements.reads_statements),
    ("payments.suspense", _l("In suspense"), statements.reads_statements),
    ("payments.files", _l("Payment files"), policy.reads_bank),
    ("payments.messages", _l("From the bank"), policy.reads_bank),
    ("payments.fund_accounts", _l("Accounts of the funds"), policy.reads_bank),
)
"""Each page with its name, and whom it is for: the same rule that guards it."""


def bank_menu() -> list[dict[str, object]]:
    """Return the tabs for the reader. No SQL statement."""
    person = guard.signed_in()
    return [
        {"label": label, "href": url_for(endpoint), "current": request.endpoint == endpoint}
        for endpoint, label, may_open in BANK_PAGES
        if may_open(person)
    ]
