"""The blueprint of applications, and what its views share."""

from typing import Any
from uuid import UUID

from flask import Blueprint, g, url_for

from portal.accounts import guard
from portal.applications import journey, policy, queries
from portal.applications.models import Application, ApplicationStatus
from portal.funds.profile import Section

blueprint = Blueprint("applications", __name__)

CONFLICT = 409


def visible(ref: str) -> Application:
    """Return an application that exists for the reader. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_view)


def own(ref: str) -> Application:
    """Return an application of the reader's own organisation. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.is_member)


def next_page(application: Application, found: Section) -> str:
    """Return the address of the section after `found`, or of the check at the end."""
    following = _following(application, found)
    if following is None:
        return url_for("applications.check", ref=application.ref)
    return url_for("applications.section", ref=application.ref, key=following.key)


def _following(application: Application, found: Section) -> Section | None:
    form = application.fund.form
    place = form.index(found) + 1
    return form[place] if place < len(form) else None


@blueprint.app_context_processor
def frame() -> dict[str, Any]:
    """Give every page of a case file its line of stations."""
    return {"case_line": _case_line}


def _case_line(application: Application) -> Any:
    """Return the stations of a file, read once for each request."""
    known: dict[UUID, Any] = g.setdefault("case_lines", {})
    if application.id not in known:
        known[application.id] = _read_line(application)
    return known[application.id]


def _read_line(application: Application) -> Any:
    until = None
    if application.status is ApplicationStatus.CLARIFICATION:
        question = queries.open_clarification(application)
        until = question.due_on if question else None
    return journey.line(application, asked_until=until)
