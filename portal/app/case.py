"""The tabs of a case file: each feature says who may open its own.

A feature adds its line here: label, endpoint, its `policy.can_open_tab`. Endpoints take `ref`, the
reference of the application at the head of the file.
"""

from collections.abc import Callable
from dataclasses import dataclass

from babel.support import LazyProxy
from flask import Flask, request, url_for

from portal.accounts import guard
from portal.accounts.models import Person
from portal.admin import policy as admin
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards import policy as awards
from portal.core.i18n import _l
from portal.payments import policy as payments
from portal.reports import policy as reports
from portal.reviews import policy as reviews


@dataclass(frozen=True)
class Tab:
    """One tab: where it leads, and for whom it exists."""

    label: LazyProxy
    endpoint: str
    can_open: Callable[[Person, Application], bool]


TABS: tuple[Tab, ...] = (
    Tab(_l("Overview"), "applications.overview", applications.can_open_tab),
    Tab(_l("Application"), "applications.read", applications.can_open_tab),
    Tab(_l("Review"), "reviews.review_tab", reviews.can_open_tab),
    Tab(_l("Agreement"), "awards.agreement_tab", awards.can_open_tab),
    Tab(_l("Payments"), "payments.payments_tab", payments.can_open_tab),
    Tab(_l("Reports"), "reports.reports_tab", reports.can_open_tab),
    Tab(_l("History"), "admin.history_tab", admin.can_open_tab),
)
"""In the order of the journey."""


def tabs(application: Application) -> list[dict[str, object]]:
    """Return the tabs that the reader may open, as the macro takes them."""
    person = guard.signed_in()
    return [
        {
            "label": tab.label,
            "href": url_for(tab.endpoint, ref=application.ref),
            "current": request.endpoint == tab.endpoint,
        }
        for tab in TABS
        if tab.can_open(person, application)
    ]


def init_case(app: Flask) -> None:
    """Give every page `case_tabs`."""
    app.context_processor(lambda: {"case_tabs": tabs})
