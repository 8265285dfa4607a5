"""Files to and from the bank, each in a transaction of its own: for the worker and the command.

What is sent was committed before; what is read is committed before it is put away. A process that
ends anywhere in between leaves a file that is sent or read again, which changes nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import PaymentFile
from portal.payments.service.bank_messages import Received, receive_file
from portal.payments.service.booking import UNBOOKABLE
from portal.payments.service.gathering import gather
from portal.payments.service.sending import begin_next, send_next, withdraw_next
from portal.payments.statements.models import LineStatus, StatementLine
from portal.payments.statements.service import Booked, book_lines

log = logging.getLogger(__name__)

DONE = "done"
REFUSED = "refused"


@dataclass(frozen=True)
class Read:
    """What became of one file of the pickup folder: taken in, or refused with a sentence."""

    name: str
    received: Received | None
    refusal: str = ""


def gather_all() -> Iterator[PaymentFile]:
    """Put everything that was released for the bank into files, and yield each once it is kept."""
    while (file := gather()) is not None:
        session.commit()
        yield file
    session.rollback()


def withdraw_all() -> Iterator[PaymentFile]:
    """Withdraw what must not leave any more, and yield each such file."""
    while (file := withdraw_next()) is not None:
        session.commit()
        yield file
    session.rollback()


def send_all() -> Iterator[PaymentFile]:
    """Send every kept file that may leave, and yield each once it is written down. Raises OSError.

    That a file leaves is committed before its bytes are: what had not begun to leave can be
    withdrawn.
    """
    while begin_next() is not None:
        session.commit()
    session.rollback()
    while (file := send_next()) is not None:
        session.commit()
        yield file
    session.rollback()


def book_all() -> Iterator[Booked]:
    """Book the lines of statements that wait for it, a slice at a time, and yield what each did."""
    while (done := book_lines()).did_something:
        session.commit()
        yield done
    session.commit()


def unbooked() -> Sequence[StatementLine]:
    """Return the lines that could not be booked yet, in the order of their days. One statement.

    Each has its reason in `note`; it is tried again with the next ones.
    """
    rows = select(StatementLine).where(StatementLine.status == LineStatus.WAITING)
    order = (StatementLine.booked_on, StatementLine.statement_id, StatementLine.number)
    return session.scalars(rows.order_by(*order)).all()


def poll(folder: Path) -> Iterator[Read]:
    """Take in every file of the folder, the oldest first, and put it away as done or refused.

    A statement that came before the one it follows waits for a next round: rounds go on as long as
    one more file could be taken.
    """
    waiting = _arrived(folder)
    while waiting:
        left = []
        for path in waiting:
            read = _read(path)
            if read.received is None:
                left.append((path, read))
                continue
            _put_away(path, DONE, "")
            yield read
        if len(left) == len(waiting):
            for path, read in left:
                _put_away(path, REFUSED, read.refusal)
                yield read
            return
        waiting = [path for path, _read_ in left]


def _arrived(folder: Path) -> list[Path]:
    """Return the whole files of the folder in the order in which they were written."""
    found = [path for path in folder.glob("*.xml") if path.is_file() and path.name[0] != "."]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _read(path: Path) -> Read:
    try:
        with path.open("rb") as stream:
            received = receive_file(stream, by=None)
        session.commit()
    except UNBOOKABLE as refused:
        session.rollback()
        return Read(path.name, None, _sentence(path, refused))
    return Read(path.name, received)


def _sentence(path: Path, refused: Exception) -> str:
    """Return why a file is not taken in; what the books refuse goes to the log as well."""
    if isinstance(refused, Refused):
        return refused.sentence
    log.error("%s is not taken in", path.name, exc_info=refused)
    return _(
        "What this file says contradicts what is recorded already (%(error)s). Tell whoever runs "
        "the portal, whose log says more; to try again, put the file back.",
        error=type(refused).__name__,
    )


def _put_away(path: Path, where: str, reason: str) -> None:
    """Move a file into a folder beside it, under a name of its own, with the reason if refused."""
    folder = path.parent / where
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    if target.exists():
        target = folder / f"{path.stem}.{clock.now():%Y%m%dT%H%M%S%f}{path.suffix}"
    path.rename(target)
    if reason:
        target.with_suffix(".txt").write_text(reason + "\n", encoding="utf-8")
