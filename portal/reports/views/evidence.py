"""Photographs, receipts and documents of a report: added, removed, fetched."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.core.files import BadFile
from portal.core.i18n import _
from portal.core.web import hand_out, tell
from portal.core.workflow import Refused
from portal.reports import policy, queries, rules, service
from portal.reports.forms import EvidenceForm
from portal.reports.models import Evidence, EvidenceKind, Report
from portal.reports.views.blueprint import blueprint, go, own, page, visible
from portal.reports.views.content import shown_files


@blueprint.route("/files/<ref>/reports/<key>/evidence", methods=["GET", "POST"])
@guard.members_only
def evidence(ref: str, key: str) -> ResponseReturnValue:
    """Add photographs, receipts and documents."""
    report = own(ref, key)
    if request.method == "GET" and not policy.can_edit(guard.signed_in(), report):
        return go("reports.read", report)
    form = EvidenceForm()
    if form.validate_on_submit() and _add(report, form):
        tell(_("“%(name)s” is with the report.", name=form.file.data.filename))
        for sentence in rules.warnings([form.caption.data or ""]):
            tell(sentence, "wait")
        return go("reports.evidence", report)
    files = shown_files(report, queries.evidence(report), removable=True)
    return page("reports/evidence.html", form, report, files=files)


def _add(report: Report, form: EvidenceForm) -> bool:
    upload = form.file.data
    if upload is None or not getattr(upload, "filename", ""):
        form.file.errors = [_("Choose a file first.")]
        return False
    try:
        service.add_evidence(
            report,
            EvidenceKind(form.kind.data),
            upload.stream,
            upload.filename,
            form.caption.data or "",
            by=guard.signed_in(),
        )
    except BadFile as bad:
        form.file.errors = [bad.sentence]
        return False
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return False
    return True


def _found(report: Report, file: UUID) -> Evidence:
    """Return a file of this very report. Raises NotFound."""
    for each in queries.evidence(report):
        if each.id == file:
            return each
    raise NotFound


@blueprint.post("/files/<ref>/reports/<key>/evidence/<uuid:file>/remove")
@guard.members_only
def remove(ref: str, key: str, file: UUID) -> ResponseReturnValue:
    """Take a file out of the report."""
    report = own(ref, key)
    service.remove_evidence(_found(report, file), by=guard.signed_in())
    tell(_("The file was taken out."))
    return go("reports.evidence", report)


@blueprint.get("/files/<ref>/reports/<key>/evidence/<uuid:file>")
@guard.members_only
def download(ref: str, key: str, file: UUID) -> ResponseReturnValue:
    """Hand out a file, as a download that never runs."""
    report = visible(ref, key)
    if not policy.can_read(guard.signed_in(), report):
        raise NotFound
    return hand_out(_found(report, file).file)
