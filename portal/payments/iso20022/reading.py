"""What banks send, told apart and read: one stream, one message, of a version that we know."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

from portal.core.i18n import _
from portal.payments.iso20022 import kinds
from portal.payments.iso20022.entries import Entry
from portal.payments.iso20022.kinds import DOCUMENT, Kind, kind_of
from portal.payments.iso20022.notification import Notification, read_notifications
from portal.payments.iso20022.part import Part
from portal.payments.iso20022.returns import ReturnMessage, read_returns
from portal.payments.iso20022.statement import Statement
from portal.payments.iso20022.statement import read_statements as statements_of
from portal.payments.iso20022.status_report import StatusReport, read_status_report
from portal.payments.iso20022.streaming import Beginning, ended
from portal.payments.iso20022.values import Unreadable

Message = StatusReport | Notification | Statement | ReturnMessage

_WHOLE: dict[Kind, Callable[[Part], StatusReport | ReturnMessage]] = {
    kinds.STATUS_REPORT: read_status_report,
    kinds.RETURNS: read_returns,
}


def read_all(stream: BinaryIO) -> Iterator[Message]:
    """Yield what a file holds, in its order: statements and notices may be several.

    Read each statement's entries before asking for the next; what was left is passed over.
    Raises Unreadable, possibly only after the last entry: act on a file once it was read to its
    end, or undo.
    """
    beginning = Beginning(stream)
    kind = kind_of(beginning.namespace)
    if beginning.root != DOCUMENT:
        raise Unreadable(_("The message does not begin as ISO 20022 messages do."))
    if kind is kinds.STATEMENT:
        yield from statements_of(beginning)
    elif kind is kinds.NOTIFICATION:
        yield from read_notifications(beginning)
    else:
        yield _WHOLE[kind](_body(beginning, kind))


def _body(beginning: Beginning, kind: Kind) -> Part:
    documents = list(ended(beginning, (DOCUMENT,)))
    return Part(documents[-1], beginning.namespace).needed(kind.body)


def read(stream: BinaryIO) -> Message:
    """Return the one message of a file. Raises Unreadable where there are several, or none.

    Whether a statement is the only one shows once its entries were read.
    """
    messages = read_all(stream)
    first = next(messages)
    if isinstance(first, Statement):
        return replace(first, _entries=chain(first.entries(), _nothing(messages)))
    for _nobody in _nothing(messages):
        pass
    return first


def _nothing(messages: Iterator[Message]) -> Iterator[Entry]:
    if next(messages, None) is not None:
        raise Unreadable(_("The file holds several messages where one is expected."))
    yield from ()


def read_statements(stream: BinaryIO) -> Iterator[Statement]:
    """Yield the statements of a file. Raises Unreadable for a file of another kind."""
    for message in read_all(stream):
        if not isinstance(message, Statement):
            raise Unreadable(
                _("This file is no statement of account (camt.053), but another message.")
            )
        yield message
