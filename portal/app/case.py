"""What every page of a case file shows: its tabs, and what happens next, by whom.

A feature adds its line here: label, endpoint, its `policy.can_open_tab`. Endpoints take `ref`, the
reference of the application at the head of the file. A feature whose acts pass stations adds the
beginning of their names to `STEPS`, with its `queries.next_steps`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from babel.support import LazyProxy
from flask import Flask, request, url_for

from portal.accounts import guard
from portal.accounts.models import Person
from portal.admin import policy as admin
from portal.applications import policy as applications
from portal.applications import queries as application_queries
from portal.applications.models import Application
from portal.awards import policy as awards
from portal.awards import queries as award_queries
from portal.awards.amendments.queries import next_steps as amendment_steps
from portal.core.i18n import _l
from portal.core.todo import Todo, by_urgency
from portal.payments import policy as payments
from portal.payments import steps as payment_steps
from portal.reports import policy as reports
from portal.reports import steps as report_steps
from portal.reviews import policy as reviews
from portal.reviews.queries.todos import next_steps as review_steps


@dataclass(frozen=True)
class Tab:
    """One tab: where it leads, for whom it exists, and which other pages belong under it.

    It is current on its own page and on every page whose endpoint begins with one of `covers`.
    """

    label: LazyProxy
    endpoint: str
    can_open: Callable[[Person, Application], bool]
    covers: tuple[str, ...] = ()


TABS: tuple[Tab, ...] = (
    Tab(_l("Overview"), "applications.overview", applications.can_open_tab),
    Tab(_l("Application"), "applications.read", applications.can_open_tab),
    Tab(_l("Review"), "reviews.review_tab", reviews.can_open_tab, ("reviews.",)),
    Tab(_l("Agreement"), "awards.agreement_tab", awards.can_open_tab, ("awards.",)),
    Tab(_l("Payments"), "payments.payments_tab", payments.can_open_tab, ("payments.",)),
    Tab(_l("Reports"), "reports.reports_tab", reports.can_open_tab, ("reports.",)),
    Tab(_l("History"), "admin.history_tab", admin.can_open_tab, ("admin.",)),
)
"""In the order of the journey."""


def tabs(application: Application) -> list[dict[str, object]]:
    """Return the tabs that the reader may open, as the macro takes them."""
    person = guard.signed_in()
    return [
        {
            "label": tab.label,
            "href": url_for(tab.endpoint, ref=application.ref),
            "current": (request.endpoint or "").startswith((tab.endpoint, *tab.covers)),
        }
        for tab in TABS
        if tab.can_open(person, application)
    ]


StepSource = Callable[[Person, Application], Sequence[Todo]]

STEPS: Mapping[str, StepSource] = {
    "application": application_queries.next_steps,
    "screening": review_steps,
    "review": review_steps,
    "entitlement": review_steps,
    "recommendation": review_steps,
    "decision": review_steps,
    "offer": award_queries.next_steps,
    "agreement": award_queries.next_steps,
    "instalment": payment_steps.next_steps,
    "report": report_steps.next_steps,
    "travel": report_steps.next_steps,
    "award": payment_steps.next_steps,
}
"""Who knows what is to be done at a station: the feature whose act passes it."""


SETTLING = (report_steps.next_steps, payment_steps.next_steps)
"""Who knows what is to be done once a grant has ended, until its file is closed."""


def steps(
    application: Application, present: str | None, *, is_settling: bool = False
) -> list[Todo]:
    """Return what the reader has to do with a file whose present station has this key.

    Only the feature of that station is asked, so that the number of SQL statements stays small;
    a question that is open (a clarification) goes before everything. A grant that
    has ended has no present station; while it `is_settling` its reports and money are asked for.
    """
    person = guard.signed_in()
    found = list(application_queries.next_steps(person, application))
    if is_settling:
        return by_urgency([step for source in SETTLING for step in source(person, application)])
    rule = next((each for each in application.fund.stations if each.key == present), None)
    if found or rule is None:
        return found
    sources = {STEPS[act.partition(".")[0]]: None for act in rule.completed_by}
    found = amendment_steps(person, application)
    return by_urgency(found + [step for source in sources for step in source(person, application)])


def init_case(app: Flask) -> None:
    """Give every page `case_tabs` and `case_steps`."""
    app.context_processor(lambda: {"case_tabs": tabs, "case_steps": steps})
