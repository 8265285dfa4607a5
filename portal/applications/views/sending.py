"""Sending: check your answers, submit, the receipt; taking back and withdrawing."""

from itertools import groupby

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications import policy, queries, reading, service
from portal.applications.models import Application, ApplicationAction, ApplicationStatus
from portal.applications.rules import Missing
from portal.applications.views.attaching import shown_files
from portal.applications.views.blueprint import blueprint, own
from portal.applications.views.documents import as_pdf
from portal.applications.workflow import WORKFLOW
from portal.core.i18n import _, translated
from portal.core.pages import go, page
from portal.core.web import Form, tell
from portal.core.workflow import Refused


@blueprint.get("/files/<ref>/check")
@guard.members_only
def check(ref: str) -> ResponseReturnValue:
    """Show every answer before it is submitted, and what is still open."""
    application = own(ref)
    person = guard.signed_in()
    if not policy.can_edit(person, application):
        return go(url_for("applications.overview", ref=ref))
    inside = queries.contents(application)
    points = service.missing(application, inside)
    return render_template(
        "applications/check.html",
        application=application,
        parts=reading.parts(application.fund, inside.answers, with_sealed=True),
        sums=reading.sums(application, inside),
        files=shown_files(application, inside.files),
        points=_by_section(application, points),
        count=len(points),
        signs=policy.is_representative(person, application),
        signers=queries.representative_names(application.organisation_id),
    )


def _by_section(
    application: Application, points: list[Missing]
) -> list[tuple[str, str, list[Missing]]]:
    """Return (title, address, points) for each section that has something open."""
    titles = {section.key: translated(section.title) for section in application.fund.form}
    order = [section.key for section in application.fund.form] + [""]
    found = sorted(points, key=lambda point: order.index(point.section))
    return [
        (
            titles.get(key, _("Who may apply")),
            url_for("applications.section", ref=application.ref, key=key, mend="all")
            if key
            else "",
            list(group),
        )
        for key, group in groupby(found, key=lambda point: point.section)
    ]


@blueprint.post("/files/<ref>/submit")
@guard.members_only
def submit(ref: str) -> ResponseReturnValue:
    """Submit. A second click finds the first one's receipt."""
    application = own(ref)
    service.submit(application, by=guard.signed_in())
    return go(url_for("applications.receipt", ref=ref))


@blueprint.get("/files/<ref>/receipt")
@guard.members_only
def receipt(ref: str) -> ResponseReturnValue:
    """Show the receipt: reference, time, and the digest of exactly what was submitted."""
    application = own(ref)
    found = queries.submissions(application)
    if not found:
        raise NotFound
    return render_template(
        "applications/receipt.html",
        application=application,
        submission=found[-1],
        earlier=found[:-1],
        sender=queries.names([found[-1].by_id]).get(found[-1].by_id, ""),
    )


@blueprint.get("/files/<ref>/receipt.pdf")
@guard.members_only
def receipt_pdf(ref: str) -> ResponseReturnValue:
    """Hand out the receipt as a document."""
    application = own(ref)
    found = queries.last_submission(application)
    if found is None:
        raise NotFound
    html = render_template(
        "applications/receipt_pdf.html",
        application=application,
        submission=found,
        sender=queries.names([found.by_id]).get(found.by_id, ""),
        reference=application.ref,
        dated=found.at,
    )
    return as_pdf(html, f"receipt-{application.ref}.pdf")


@blueprint.get("/files/<ref>/submitted.json")
@guard.members_only
def submitted_json(ref: str) -> ResponseReturnValue:
    """Hand the applicant the canonical JSON whose digest the receipt names.

    `number` asks for an earlier submission; without it, the last.
    """
    application = own(ref)
    number = request.args.get("number", type=int)
    there = {each.number: each for each in queries.submissions(application)}
    found = there.get(number or max(there, default=0))
    if found is None:
        raise NotFound
    return (
        queries.submitted_body(found),
        200,
        {
            "Content-Type": "application/json",
            "Content-Disposition": f'attachment; filename="application-{application.ref}.json"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


@blueprint.route("/files/<ref>/reopen", methods=["GET", "POST"])
@guard.members_only
def reopen(ref: str) -> ResponseReturnValue:
    """Ask, then take the application back to change it."""
    application = own(ref)
    form = Form()
    if form.validate_on_submit():
        if application.status is not ApplicationStatus.DRAFT:
            service.reopen(application, by=guard.signed_in())
            tell(_("You have it back as a draft. Submit it again before the deadline."), "wait")
        return go(url_for("applications.tasks", ref=ref))
    _demand(application, ApplicationAction.REOPEN)
    return page("applications/reopen.html", form, application=application)


@blueprint.route("/files/<ref>/withdraw", methods=["GET", "POST"])
@guard.members_only
def withdraw(ref: str) -> ResponseReturnValue:
    """Ask, then withdraw the application for good."""
    application = own(ref)
    form = Form()
    if form.validate_on_submit():
        service.withdraw(application, by=guard.signed_in())
        tell(_("The application is withdrawn."), "neutral")
        return go(url_for("applications.overview", ref=ref))
    _demand(application, ApplicationAction.WITHDRAW)
    return page("applications/withdraw.html", form, application=application)


def _demand(application: Application, action: ApplicationAction) -> None:
    """Raise Refused with its sentence unless the reader may take `action` now."""
    if application.status is ApplicationStatus.WITHDRAWN:
        raise Refused(_("This application has been withdrawn."))
    WORKFLOW.check(application, action, guard.signed_in())
