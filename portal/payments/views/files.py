"""Payment files: what left for the bank, what it said, and what nobody has heard of since."""

from collections.abc import Mapping

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
from portal.payments.forms import HandOverForm
from portal.payments.models import FileStatus, OrderStatus, PaymentFile
from portal.payments.rails.bank import drop_folder
from portal.payments.service.sending import MEDIA_TYPE, UNANSWERED, is_handed_over, why_not
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
    person, stopped = guard.signed_in(), why_not(found)
    gone = banking.withdrawn_from(found) if found.status is FileStatus.WITHDRAWN else ()
    told = banking.file_is_told(found)
    return page(
        "payments/file.html",
        Form(),
        file=found,
        orders=[(order, policy.can_view(person, order)) for order in found.orders],
        gone=[(order, stops, policy.can_view(person, order)) for order, stops in gone],
        stopped=_still_to_make(found, stopped),
        told=told and found.status is FileStatus.SENT,
        silent=banking.file_is_silent(found) and not told,
        overdue=banking.file_is_overdue(found),
        acts=_acts(found, is_stopped=bool(stopped)),
        sends_itself=drop_folder() is not None,
    )


def _still_to_make(file: PaymentFile, stopped: Mapping[str, str]) -> dict[str, str]:
    """Return which payments the bank may still make and must not, with the reason."""
    waiting = {order.ref for order in file.orders if order.status is OrderStatus.RELEASED}
    return {ref: why for ref, why in stopped.items() if ref in waiting}


def _acts(file: PaymentFile, *, is_stopped: bool) -> set[str]:
    """Return what the reader may do with a file: `download`, `hand_over`, `again`."""
    if not policy.can_hand_over(guard.signed_in(), file) or file.status is FileStatus.WITHDRAWN:
        return set()
    begun, goes = file.leaving_at is not None, not is_stopped
    offered = {
        "download": goes or file.status not in UNANSWERED,
        "hand_over": is_handed_over(file) and (goes or begun),
        "again": goes and begun and drop_folder() is not None and file.status in UNANSWERED,
    }
    return {act for act, may in offered.items() if may}


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
    form, hands = HandOverForm(), policy.can_hand_over(person, found)
    if done(
        form,
        lambda: service.hand_over(found, by=person, told_to_stop=_told(form)),
        _("Recorded: the file is with the bank, its payments are booked as on their way."),
    ):
        return go(_file_page(message_id))
    if not form.errors and not (hands and is_handed_over(found)):
        return go(_file_page(message_id))
    stopped = why_not(found) if hands else {}
    form.told_to_stop.data = False  # the payments above may be others than those that were told of
    return page("payments/hand_over.html", form, file=found, stopped=stopped)


def _told(form: HandOverForm) -> list[str]:
    """Return which payments somebody says to have stopped: those that their page named."""
    return request.form.getlist("stopped") if form.told_to_stop.data else []


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
