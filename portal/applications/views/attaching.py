"""The page of the documents: add, replace, remove; and the download of each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications import queries, service
from portal.applications.forms import UploadForm
from portal.applications.models import Application, Attachment
from portal.applications.queries import Paper
from portal.applications.views.blueprint import blueprint, next_page, own, visible
from portal.core.db import session
from portal.core.files import BadFile
from portal.core.i18n import _, translated
from portal.core.pages import UNPROCESSABLE, go
from portal.core.web import choices, hand_out, tell
from portal.funds.profile import AttachmentRule, Section


def attachments_page(application: Application, found: Section) -> ResponseReturnValue:
    """Show the documents that are asked for, or take one."""
    if request.method == "GET":
        return _show(application, found)
    form = UploadForm()
    key = form.key.data or ""
    try:
        application.fund.attachment(key)
    except KeyError:
        raise NotFound from None
    upload = form.file.data
    if upload is None or not upload.filename:
        return _show(application, found, key, _("Choose a file first.")), UNPROCESSABLE
    try:
        service.attach(
            application,
            key,
            upload.stream,
            upload.filename,
            by=guard.signed_in(),
            replaces=_replaced(application, form.replaces.data),
        )
    except BadFile as bad:
        return _show(application, found, key, bad.sentence), UNPROCESSABLE
    tell(_("“%(name)s” is attached.", name=upload.filename))
    here = url_for("applications.section", ref=application.ref, key=found.key)
    return go(f"{here}#{key}")


def _replaced(application: Application, given: str | None) -> Attachment | None:
    present = {str(each.id): each for each in queries.attachments(application)}
    return present.get(given or "")


def _show(application: Application, found: Section, key: str = "", error: str = "") -> str:
    present = queries.attachments(application)
    kind = application.organisation.kind.value
    asked = [rule for rule in application.fund.attachments if rule.asked_of(kind)]
    return render_template(
        "applications/attachments.html",
        application=application,
        section=found,
        number=application.fund.form.index(found) + 1,
        next_page=next_page,
        blocks=[_block(application, rule, present, key, error) for rule in asked],
        error=error,
    )


def _block(
    application: Application,
    rule: AttachmentRule,
    present: list[Attachment],
    key: str,
    error: str,
) -> dict[str, Any]:
    files = [each for each in present if each.key == rule.key]
    form = UploadForm(formdata=None, prefix="", data={"key": rule.key})
    for field in form:
        field.id = f"{field.id}-{rule.key}"
        field.label.field_id = field.id
    form.file.description = _("Allowed: %(types)s.", types=", ".join(rule.types).upper())
    form.file.errors = [error] if error and key == rule.key else []
    instead = [
        (str(each.id), _("Put it in place of “%(name)s”", name=each.file.name)) for each in files
    ]
    form.replaces.choices = choices([("", _("Add it to the files here")), *instead])
    return {
        "key": rule.key,
        "label": translated(rule.label),
        "hint": translated(rule.hint),
        "required": rule.required,
        "rule": rule.rule,
        "form": form,
        "files": shown_files(application, [_paper(each) for each in files], removable=True),
    }


def _paper(each: Attachment) -> Paper:
    return Paper(each.id, each.key, each.file.name, each.file.size_bytes)


def shown_files(
    application: Application, files: Sequence[Paper], *, removable: bool = False
) -> list[dict[str, Any]]:
    """Return files as the macro lists them."""
    return [_shown(application, each, removable=removable) for each in files]


def _shown(application: Application, paper: Paper, *, removable: bool) -> dict[str, Any]:
    at: dict[str, Any] = {"ref": application.ref, "file_id": paper.id}
    label = translated(application.fund.attachment(paper.key).label)
    return {
        "name": paper.name,
        "href": url_for("applications.download", **at),
        "kind": paper.name.rsplit(".", 1)[-1],
        "size": paper.size,
        "at": None,
        "label": None if removable else label,
        "remove_href": url_for("applications.remove_attachment", **at) if removable else None,
    }


def _of(application: Application, file_id: UUID) -> Attachment:
    found = session.get(Attachment, file_id)
    if found is None or found.application_id != application.id or found.removed_at is not None:
        raise NotFound
    return found


@blueprint.post("/files/<ref>/attachments/<uuid:file_id>/remove")
@guard.members_only
def remove_attachment(ref: str, file_id: UUID) -> ResponseReturnValue:
    """Take a file off the draft."""
    application = own(ref)
    found = _of(application, file_id)
    service.remove_attachment(found, by=guard.signed_in())
    tell(_("“%(name)s” is removed.", name=found.file.name))
    section = next(each for each in application.fund.form if each.kind == "attachments")
    here = url_for("applications.section", ref=ref, key=section.key)
    return go(f"{here}#{found.key}")


@blueprint.get("/files/<ref>/attachments/<uuid:file_id>")
@guard.members_only
def download(ref: str, file_id: UUID) -> ResponseReturnValue:
    """Hand out an attachment: always as a download, never run inside the site."""
    application = visible(ref)
    found = _of(application, file_id)
    return hand_out(found.file)
