"""What banks send, told apart and read: one stream, one message, of a version that we know."""

from collections.abc import Iterator
from typing import BinaryIO

from portal.payments.iso20022.notification import Notification
from portal.payments.iso20022.returns import ReturnMessage
from portal.payments.iso20022.statement import Statement
from portal.payments.iso20022.status_report import StatusReport

Message = StatusReport | Notification | Statement | ReturnMessage


def read_all(stream: BinaryIO) -> Iterator[Message]:
    """Yield what a file holds, in its order: statements and notices may be several.

    Read each statement's entries before asking for the next; what was left is passed over.
    Raises Unreadable, possibly only after the last entry: act on a file once it was read to its
    end, or undo.
    """
    raise NotImplementedError


def read(stream: BinaryIO) -> Message:
    """Return the one message of a file. Raises Unreadable where there are several, or none."""
    raise NotImplementedError


def read_statements(stream: BinaryIO) -> Iterator[Statement]:
    """Yield the statements of a file. Raises Unreadable for a file of another kind."""
    raise NotImplementedError
