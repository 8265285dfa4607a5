"""What came from the bank, and the upload by which a person brings it in."""

from io import BytesIO
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications.queries import names
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.pages import done, go, page, refuse
from portal.core.paging import pager
from portal.core.web import tell
from portal.core.workflow import Refused
from portal.payments import banking, policy
from portal.payments.forms import MessageForm, SeenForm
from portal.payments.models import BankMessage, MessageKind
from portal.payments.service.bank_messages import Received, receive_file, see_to
from portal.payments.views.blueprint import blueprint


@blueprint.route("/bank/messages", methods=["GET", "POST"])
@guard.requires(policy.reads_bank)
def messages() -> ResponseReturnValue:
    """List what the bank sent; take in a file of it, whatever its kind."""
    form = MessageForm()
    person = guard.signed_in()
    if form.validate_on_submit():
        try:
            received = receive_file(BytesIO(form.file.data.read()), by=person)
        except Refused as refused:
            session.rollback()
            refuse(form, refused)
        else:
            _say(received)
            return go(url_for("payments.messages"))
    found = banking.messages(person, request.args.get("page", 1, type=int))
    return page(
        "payments/messages.html",
        form,
        rows=found.rows,
        may_bring=policy.handles_bank(person),
        pager=pager(found, lambda number: url_for("payments.messages", page=number)),
    )


@blueprint.route("/bank/messages/<uuid:message_id>", methods=["GET", "POST"])
@guard.requires(policy.reads_bank)
def message(message_id: UUID) -> ResponseReturnValue:
    """Show what a message left for a person, and record how it was seen to."""
    found = guard.get_or_404(BankMessage, message_id, policy.can_see_message)
    person = guard.signed_in()
    form = SeenForm()
    if done(
        form,
        lambda: see_to(found, form.note.data, by=person),
        _("Recorded: nothing of this message waits any more."),
    ):
        return go(url_for("payments.message", message_id=message_id))
    return page(
        "payments/message.html",
        form,
        message=found,
        people=names([found.received_by_id, found.seen_by_id]),
        may_see_to=found.waits and policy.can_see_to(person, found),
    )


def _say(received: Received) -> None:
    """Tell what became of a file, and each thing in it that a person has to look at."""
    if received.again:
        tell(_("This file was taken in before: nothing changed."), "neutral")
        return
    if received.kind is MessageKind.STATEMENT:
        tell(ngettext("%(num)s line taken in.", "%(num)s lines taken in.", received.told))
    else:
        tell(ngettext("%(num)s answer taken in.", "%(num)s answers taken in.", received.told))
    for sentence in received.left:
        tell(sentence, "wait")
