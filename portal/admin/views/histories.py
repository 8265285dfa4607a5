"""The history of a case file, and why a grant was made."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.admin import history, policy, service, why
from portal.admin.views.blueprint import blueprint
from portal.applications.models import Application, ApplicationStatus
from portal.applications.views.documents import as_pdf
from portal.core import clock
from portal.core.i18n import _

OUTCOMES = {
    ApplicationStatus.APPROVED: True,
    ApplicationStatus.REFUSED: False,
    ApplicationStatus.INADMISSIBLE: False,
}
"""Whether a decided application was granted."""


@blueprint.get("/files/<ref>/history")
@guard.members_only
def history_tab(ref: str) -> ResponseReturnValue:
    """Show what happened in a file, the latest first, as far as the reader may know it."""
    application = guard.get_or_404(Application, ref, policy.can_open_tab)
    reader = guard.signed_in()
    asks = policy.can_ask_why(reader, application)
    lens = policy.lens(reader, application)
    return render_template(
        "admin/history.html",
        application=application,
        events=history.timeline(application, lens),
        reduced=not lens.names,
        question=_question(OUTCOMES.get(application.status)),
        why_href=url_for("admin.why_granted", ref=ref) if asks else None,
    )


@blueprint.get("/files/<ref>/why")
@guard.requires(policy.asks_why)
def why_granted(ref: str) -> ResponseReturnValue:
    """Show everything that led to a grant, with the proof."""
    return _why(_whose(ref))


@blueprint.post("/files/<ref>/why")
@guard.requires(policy.asks_why)
def recusal_reasons(ref: str) -> ResponseReturnValue:
    """Show the same with the reasons of recusals. Reading them is an act of record."""
    application = _whose(ref)
    return _why(application, service.read_recusal_reasons(application, by=guard.signed_in()))


@blueprint.get("/files/<ref>/why.pdf")
@guard.requires(policy.asks_why)
def why_pdf(ref: str) -> ResponseReturnValue:
    """Hand out the page as a document."""
    application = _whose(ref)
    found = why.reasons(application, guard.signed_in())
    html = render_template(
        "pdf/why.html",
        application=application,
        why=found,
        heading=_heading(found),
        reference=application.ref,
        dated=clock.now(),
        may_open=False,
    )
    return as_pdf(html, f"why-{application.ref}.pdf")


def _whose(ref: str) -> Application:
    """Return the application of the page. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_ask_why)


def _why(application: Application, opened: dict[str, str] | None = None) -> ResponseReturnValue:
    reader = guard.signed_in()
    found = why.reasons(application, reader, opened)
    sealed = opened is None and bool(found.recusals)
    return render_template(
        "admin/why.html",
        application=application,
        why=found,
        heading=_heading(found),
        may_open=sealed and policy.can_read_recusal_reasons(reader, application),
    )


def _heading(found: why.Reasons) -> str:
    return _question(found.granted)


def _question(granted: bool | None) -> str:  # noqa: FBT001 — None: not decided
    if granted is None:
        return _("What speaks for this grant so far?")
    return _("Why was this grant made?") if granted else _("Why was this grant not made?")
