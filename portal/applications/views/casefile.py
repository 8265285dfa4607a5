"""The case file: its overview, the application as submitted, and the guard of people at risk."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications import policy, queries, reading, service
from portal.applications.forms import LowerForm
from portal.applications.models import (
    Application,
    ApplicationAction,
    Submission,
)
from portal.applications.views.attaching import shown_files
from portal.applications.views.blueprint import blueprint, visible
from portal.applications.views.documents import as_pdf
from portal.applications.workflow import WORKFLOW
from portal.core.crypto import Unreadable
from portal.core.i18n import _
from portal.core.pages import go, page
from portal.core.web import Form, tell

PAGES = {
    ApplicationAction.REOPEN: "applications.reopen",
    ApplicationAction.WITHDRAW: "applications.withdraw",
    ApplicationAction.ASK: "applications.ask",
}
"""Acts that are open beside the next step, which `case_steps` names, and where they are taken."""


@dataclass(frozen=True)
class Act:
    """Something the reader may do with the file: a page, or the reason why it has to wait."""

    label: str
    href: str
    refusal: str | None
    kind: str


def acts(person: Person, application: Application) -> list[Act]:
    """Return what the person may do with the file beside the next step."""
    found = []
    for offer in WORKFLOW.offers(person, application):
        action = ApplicationAction(offer.action)
        if action in PAGES:
            href = url_for(PAGES[action], ref=application.ref)
            found.append(Act(str(offer.label), href, offer.refusal, "secondary"))
    return found


@blueprint.get("/files/<ref>")
@guard.members_only
def overview(ref: str) -> ResponseReturnValue:
    """Show where the file is, who acts next and by when."""
    application = visible(ref)
    person = guard.signed_in()
    return render_template(
        "applications/overview.html",
        application=application,
        acts=acts(person, application),
        clarifications=queries.clarifications(application),
        own=policy.is_member(person, application),
        may_lower=application.sensitive and policy.can_lower_sensitivity(person, application),
        may_raise=not application.sensitive and policy.can_raise_sensitivity(person, application),
    )


@blueprint.get("/files/<ref>/application")
@guard.members_only
def read(ref: str) -> ResponseReturnValue:
    """Show the whole application; sealed answers stay closed to staff until they ask."""
    application = visible(ref)
    member = policy.is_member(guard.signed_in(), application)
    return _read(application, with_sealed=member)


@blueprint.post("/files/<ref>/application")
@guard.members_only
def read_sealed(ref: str) -> ResponseReturnValue:
    """Show the sealed answers too. Reading them is an act of record."""
    application = visible(ref)
    service.read_sealed_answers(application, by=guard.signed_in())
    return _read(application, with_sealed=True)


def _read(application: Application, *, with_sealed: bool) -> ResponseReturnValue:
    person = guard.signed_in()
    return render_template(
        "applications/read.html",
        may_open=not with_sealed and policy.can_open_sealed(person, application),
        with_sealed=with_sealed,
        **_whole(application, with_sealed=with_sealed),
    )


def _whole(application: Application, *, with_sealed: bool) -> dict[str, Any]:
    """Return everything that stands in an application, as templates show it.

    What was submitted is read from its frozen body, in one SQL statement.
    """
    submission = queries.last_submission(application)
    inside = _inside(application, submission)
    return {
        "application": application,
        "parts": reading.parts(application.fund, inside.answers, with_sealed=with_sealed),
        "sums": reading.sums(application, inside),
        "files": shown_files(application, inside.files),
        "clarifications": queries.clarifications(application) if submission else [],
        "submission": submission,
    }


def _inside(application: Application, submission: Submission | None) -> queries.Contents:
    if submission is None or application.submitted_at is None:
        return queries.contents(application)
    try:
        return queries.frozen_contents(submission)
    except Unreadable:
        return queries.contents(application)


@blueprint.get("/files/<ref>/dossier.pdf")
@guard.members_only
def dossier(ref: str) -> ResponseReturnValue:
    """Hand out the whole application as a document; sealed answers only to the applicant."""
    application = visible(ref)
    member = policy.is_member(guard.signed_in(), application)
    html = render_template(
        "applications/dossier_pdf.html",
        reference=application.ref,
        dated=application.submitted_at,
        **_whole(application, with_sealed=member),
    )
    return as_pdf(html, f"application-{application.ref}.pdf")


@blueprint.route("/files/<ref>/sensitivity", methods=["GET", "POST"])
@guard.members_only
def sensitivity(ref: str) -> ResponseReturnValue:
    """Take the sensitive flag off, with a reason: programme officers and approving authority."""
    application = visible(ref)
    if not policy.can_lower_sensitivity(guard.signed_in(), application):
        raise NotFound
    form = LowerForm()
    if form.validate_on_submit():
        service.lower_sensitivity(application, form.reason.data, by=guard.signed_in())
        tell(_("The application is no longer marked as sensitive."))
        return go(url_for("applications.overview", ref=ref))
    return page("applications/sensitivity.html", form, application=application)


@blueprint.route("/files/<ref>/sensitive", methods=["GET", "POST"])
@guard.members_only
def mark_sensitive(ref: str) -> ResponseReturnValue:
    """Mark the application as sensitive: whoever acts on it and sees a risk may."""
    application = visible(ref)
    if not policy.can_raise_sensitivity(guard.signed_in(), application):
        raise NotFound
    form = Form()
    if form.validate_on_submit():
        service.raise_sensitivity(application, by=guard.signed_in())
        tell(_("The application is marked as sensitive."))
        return go(url_for("applications.overview", ref=ref))
    return page("applications/mark_sensitive.html", form, application=application)
