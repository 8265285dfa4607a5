"""Payment files: what left for the bank, what it said, and what nobody has heard of since."""

from flask import make_response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.core.db import session
from portal.core.i18n import _
from portal.core.pages import done, go, page
from portal.core.paging import pager
from portal.core.web import Form, attachment, tell
from portal.core.workflow import Refused
from portal.payments import banking, policy, service
from portal.payments.models import FileStatus, PaymentFile
from portal.payments.rails.bank import drop_folder
from portal.payments.service.sending import MEDIA_TYPE
from portal.payments.views.blueprint import blueprint


def visible_file(message_id: str) -> PaymentFile:
    """Return a payment file that exists for the reader. Raises NotFound."""
    found = banking.file_named(message_id)
    if found is None or not policy.can_see_file(guard.signed_in(), found):
        raise NotFound
    return found


def _file_page(message_id: str) -> str:
    return url_for("payments.file", message_id=message_id)


@blueprint.get("/bank/files")
@guard.requires(policy.reads_bank)
def files() -> ResponseReturnValue:
    """List the payment files: those that have not left, then the newest."""
    found = banking.files(guard.signed_in(), request.args.get("page", 1, type=int))
    return page(
        "payments/files.html",
        Form(),
        rows=found.rows,
        pager=pager(found, lambda number: url_for("payments.files", page=number)),
    )


@blueprint.get("/bank/files/<message_id>")
@guard.requires(policy.reads_bank)
def file(message_id: str) -> ResponseReturnValue:
    """Show a payment file: its payments, and what the bank said of each."""
    found = visible_file(message_id)
    hands = policy.can_hand_over(guard.signed_in(), found)
    return page(
        "payments/file.html",
        Form(),
        file=found,
        orders=[(order, policy.can_view(guard.signed_in(), order)) for order in found.orders],
        silent=banking.file_is_silent(found),
        overdue=banking.file_is_overdue(found),
        hands=hands,
        may_send_again=hands
        and drop_folder() is not None
        and found.leaving_at is not None
        and found.status in {FileStatus.KEPT, FileStatus.SENT},
    )


@blueprint.post("/bank/files/<message_id>/download")
@guard.freshly(policy.reads_bank)
def download_file(message_id: str) -> ResponseReturnValue:
    """Hand the file to treasury. It names accounts, so that is an act of record."""
    found = visible_file(message_id)
    answer = make_response(service.read_file(found, by=guard.signed_in()))
    answer.headers["Content-Type"] = MEDIA_TYPE
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.message_id}.xml"'
    return attachment(answer)


@blueprint.route("/bank/files/<message_id>/handed-over", methods=["GET", "POST"])
@guard.freshly(policy.reads_bank)
def hand_over(message_id: str) -> ResponseReturnValue:
    """Ask, then record that treasury took the file to the bank."""
    found = visible_file(message_id)
    person = guard.signed_in()
    form = Form()
    if done(
        form,
        lambda: service.hand_over(found, by=person),
        _("Recorded: the file is with the bank, its payments are booked as on their way."),
    ):
        return go(_file_page(message_id))
    if not form.errors and (
        found.status is not FileStatus.KEPT or not policy.can_hand_over(person, found)
    ):
        return go(_file_page(message_id))
    return page("payments/hand_over.html", form, file=found)


@blueprint.post("/bank/files/<message_id>/again")
@guard.freshly(policy.reads_bank)
def send_again(message_id: str) -> ResponseReturnValue:
    """Put the same bytes where the bank takes them once more."""
    found = visible_file(message_id)
    try:
        service.send_again(found, by=guard.signed_in())
    except Refused as refused:
        session.rollback()
        tell(refused.sentence, "stop")
    else:
        tell(_("The same file was put where the bank takes it; what the bank has, it refuses."))
    return go(_file_page(message_id))
