"""The pages of applications: start, draft, send; the case file; lists and downloads."""

from portal.applications.views import (
    calling_off,
    casefile,
    clarifying,
    documents,
    drafting,
    listing,
    sending,
    starting,
)
from portal.applications.views.blueprint import blueprint

__all__ = [
    "blueprint",
    "calling_off",
    "casefile",
    "clarifying",
    "documents",
    "drafting",
    "listing",
    "sending",
    "starting",
]
