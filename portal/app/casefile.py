"""The tabs of a case file: the same for every file, each shown to whom its own rule lets in.

A feature that has a page in the case file adds its line to `TABS`, in the order of the journey.
"""

from collections.abc import Callable
from dataclasses import dataclass

from babel.support import LazyProxy
from flask import Flask, request, url_for

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.core.i18n import _l

MayOpen = Callable[[Person, Application], bool]


@dataclass(frozen=True)
class Tab:
    """One page of the case file."""

    label: LazyProxy
    endpoint: str
    may_open: MayOpen


TABS: tuple[Tab, ...] = (
    Tab(_l("Overview"), "applications.overview", applications.can_view),
    Tab(_l("Application"), "applications.read", applications.can_view),
)


def case_tabs(application: Application) -> list[dict[str, object]]:
    """Return the tabs of the file that the reader may open, as the macro `tabs` takes them."""
    person = guard.signed_in()
    return [
        {
            "label": tab.label,
            "href": url_for(tab.endpoint, ref=application.ref),
            "current": request.endpoint == tab.endpoint,
        }
        for tab in TABS
        if tab.may_open(person, application)
    ]


def init_casefile(app: Flask) -> None:
    """Let the templates of `app` ask for the tabs of a case file."""
    app.context_processor(lambda: {"case_tabs": case_tabs})
