"""The pages about the bank, as each reader finds them: one row of tabs above all of them."""

from collections.abc import Callable

from babel.support import LazyProxy
from flask import request, url_for

from portal.accounts import guard
from portal.accounts.models import Person
from portal.core.i18n import _l
from portal.payments import policy
from portal.payments.statements import policy as statements

BANK_PAGES: tuple[tuple[str, LazyProxy, Callable[[Person], bool], tuple[str, ...]], ...] = (
    (
        "payments.reconciliation",
        _l("Reconciliation"),
        statements.reads_statements,
        ("payments.account_lines", "payments.statement"),
    ),
    ("payments.suspense", _l("In suspense"), statements.reads_statements, ()),
    ("payments.files", _l("Payment files"), policy.reads_bank, ()),
    ("payments.messages", _l("From the bank"), policy.reads_bank, ("payments.message",)),
    ("payments.fund_accounts", _l("Accounts of the funds"), policy.reads_bank, ()),
)
"""Each page with its name, whom it is for (the rule that guards it), and what belongs under it."""


def bank_menu() -> list[dict[str, object]]:
    """Return the tabs for the reader. No SQL statement."""
    person = guard.signed_in()
    return [
        {
            "label": label,
            "href": url_for(endpoint),
            "current": (request.endpoint or "").startswith((endpoint, *covers)),
        }
        for endpoint, label, may_open, covers in BANK_PAGES
        if may_open(person)
    ]
