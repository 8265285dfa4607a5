"""What comes from the bank, whichever way it came: by upload, by command or from its folder.

A file is taken in whole, once, and kept as it came, sealed. Answers that name none of our files
are refused; what they say of a payment that does not fit it is left for a person, with the reason.
"""

import base64
from collections.abc import Callable
from typing import BinaryIO

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import audit, crypto, files
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.payments import iso20022, policy
from portal.payments.iso20022 import Notification, ReturnMessage, StatusReport
from portal.payments.models import BankMessage, MessageKind
from portal.payments.service.bank_messages.notification import take_notification
from portal.payments.service.bank_messages.placing import (
    Received,
)
from portal.payments.service.bank_messages.returns import take_returns
from portal.payments.service.bank_messages.statement import bring_statement
from portal.payments.service.bank_messages.status_report import take_report
from portal.payments.service.sending import MEDIA_TYPE

MOST_SENTENCES, MOST_WORDS = 100, 500
"""How many sentences are kept of what was left for a person, and how many characters of each."""

MOST_BYTES = 20 * 1024 * 1024
"""The largest answer that is read into memory; statements are read as they stream."""


def receive_file(stream: BinaryIO, *, by: Person | None) -> Received:
    """Take in a message of the bank: an answer, a notification, a statement, or returns.

    `stream` can be rewound; `by` is None where a command or the worker does it. Raises Refused
    with one sentence, and keeps nothing, for whatever cannot be read or is not about us, and for
    somebody who signed a payment that it tells of (`refuse_signatory`).
    """
    if by is not None and not policy.handles_bank(by):
        raise Refused(_("What the bank says is brought in by treasury or finance."))
    message = iso20022.read(stream)
    stream.seek(0)
    if isinstance(message, iso20022.Statement):
        imported = bring_statement(stream, by=by)
        return Received(
            MessageKind.STATEMENT,
            message.message_id,
            told=sum(each.lines for each in imported),
            again=all(each.again for each in imported),
            imported=imported,
        )
    return _answer(message, stream.read(MOST_BYTES + 1), by)


Answer = StatusReport | Notification | ReturnMessage


def _answer(message: Answer, content: bytes, by: Person | None) -> Received:
    if len(content) > MOST_BYTES:
        raise Refused(_("This file is too large for an answer of the bank."))
    audit.take_turn()
    kind, take = _taking(message, by)
    found = Received(kind, message.message_id)
    known = select(BankMessage.id).where(BankMessage.sha256 == sha256_hex(content))
    if session.scalar(known) is not None:
        found.again = True
        return found
    take(found)
    _keep(found, content, by)
    return found


def _taking(message: Answer, by: Person | None) -> tuple[MessageKind, Callable[[Received], None]]:
    if isinstance(message, StatusReport):
        return MessageKind.STATUS_REPORT, lambda found: take_report(message, found, by)
    if isinstance(message, Notification):
        return MessageKind.NOTIFICATION, lambda found: take_notification(message, found, by)
    return MessageKind.RETURN, lambda found: take_returns(message, found, by)


def _keep(found: Received, content: bytes, by: Person | None) -> None:
    digest, key = sha256_hex(content), crypto.new_key()
    sealed = crypto.seal(key, base64.b64encode(content).decode(), _place(digest))
    name = f"{found.kind.value}-{digest[:12]}.xml"
    message = BankMessage(
        kind=found.kind,
        message_id=found.message_id,
        sha256=digest,
        sealing_key=key,
        content=files.keep_document(sealed, name, by.id if by else None, media_type=MEDIA_TYPE),
        received_by_id=by.id if by else None,
        told=found.told,
        left=len(found.left),
        fund_code=next(iter(found.funds)) if len(found.funds) == 1 else None,
        sentences=[sentence[:MOST_WORDS] for sentence in found.left[:MOST_SENTENCES]],
        perhaps_paid=sorted(found.perhaps_paid),
    )
    session.add(message)
    session.flush()
    audit.record(
        "bank_message.received",
        message,
        actor_id=by.id if by else None,
        facts={"kind": found.kind.value, "sha256": digest, "told": found.told},
    )


def content_of_message(message: BankMessage) -> bytes:
    """Return a message of the bank as it came. Raises Refused where it cannot be read."""
    sealed = files.read_stored(message.content)
    try:
        return base64.b64decode(crypto.unseal(message.sealing_key, sealed, _place(message.sha256)))
    except crypto.Unreadable as gone:
        raise Refused(_("This message can no longer be read.")) from gone


def _place(digest: str) -> str:
    return f"bank_message:{digest}"
