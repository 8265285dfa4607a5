"""Keeping a file of statements as it came, and the particulars of its lines: sealed, in parts."""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import insert, select

from portal.accounts.models import Person
from portal.core import audit, crypto
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.statements import policy
from portal.payments.statements.models import (
    Statement,
    StatementFile,
    StatementFilePart,
    StatementLine,
)
from portal.payments.statements.rules import Said

PIECE = 256 * 1024
"""How much of a file is in memory at a time, in bytes."""

MOST_BYTES = 200 * 1024 * 1024
"""Larger than 100,000 lines: no statement of a fund comes near."""


@dataclass(frozen=True)
class Particulars:
    """Who the other side of a line is, and what they wrote."""

    counterparty: str
    account: str
    remittance: str

    @property
    def account_end(self) -> str:
        """The last four characters of the account: enough to compare, too little to harm."""
        return self.account[-4:]


def digest(stream: BinaryIO) -> tuple[str, int]:
    """Return the SHA-256 of what is in a stream, and its length; it stands at its begin again.

    Raises Refused for a file without content, or far too large for a statement.
    """
    summed, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(PIECE):
        summed.update(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise Refused(_("This file is too large for a statement."))
    if not size:
        raise Refused(_("This file is empty. Choose the statement again."))
    stream.seek(0)
    return summed.hexdigest(), size


def keep(stream: BinaryIO, sha256: str, size: int, by: Person | None) -> StatementFile:
    """Keep the file compressed and sealed, in parts, and return its row, flushed."""
    file = StatementFile(
        sha256=sha256,
        size_bytes=size,
        sealing_key=crypto.new_key(),
        imported_by_id=by.id if by else None,
    )
    session.add(file)
    session.flush()
    stream.seek(0)
    for number, piece in enumerate(_compressed(stream)):
        plain = base64.b64encode(piece).decode()
        sealed = crypto.seal(file.sealing_key, plain, _place(file.id, number))
        row = {"file_id": file.id, "number": number, "sealed": sealed}
        session.execute(insert(StatementFilePart).values(row))
    stream.seek(0)
    return file


def original(statement: Statement, *, by: Person) -> Iterator[bytes]:
    """Return the file that a statement came in, piece by piece; handing it out is an act of record.

    Raises Refused for anybody but those who read the statements of the fund.
    """
    if not policy.can_view(by, statement.bank_account):
        raise Refused(_("Statements are read by treasury, finance and the auditors of the fund."))
    audit.record("statement.file_read", statement, actor_id=by.id)
    return unpacked(statement.file)


def record_lines_taken(statement: Statement, *, by: Person) -> None:
    """Record that somebody took the lines of a statement as a table."""
    facts = {"lines": statement.line_count}
    audit.record("statement.exported", statement, actor_id=by.id, facts=facts)


def unpacked(file: StatementFile) -> Iterator[bytes]:
    """Yield the bytes of a file as it came. Raises Refused where they can no longer be read."""
    opened = zlib.decompressobj()
    rows = (
        select(StatementFilePart.number, StatementFilePart.sealed)
        .where(StatementFilePart.file_id == file.id)
        .order_by(StatementFilePart.number)
    )
    try:
        for number, sealed in session.execute(rows):
            plain = crypto.unseal(file.sealing_key, sealed, _place(file.id, number))
            yield opened.decompress(base64.b64decode(plain))
        yield opened.flush()
    except crypto.Unreadable as gone:
        raise Refused(_("This file can no longer be read.")) from gone


def sealed(file: StatementFile, line_id: UUID, found: Said) -> bytes:
    """Return who the other side is and what they wrote, sealed for this one line."""
    body = json.dumps([found.counterparty, found.counterparty_account, found.remittance])
    return crypto.seal(file.sealing_key, body, f"statement_line:{line_id}")


def particulars(line: StatementLine) -> Particulars:
    """Return who the other side is and what they wrote. Raises Refused once that was erased."""
    key = line.statement.file.sealing_key
    try:
        body = crypto.unseal(key, line.particulars, f"statement_line:{line.id}")
    except crypto.Unreadable as gone:
        raise Refused(_("What the bank said of the other side can no longer be read.")) from gone
    return Particulars(*json.loads(body))


def _compressed(stream: BinaryIO) -> Iterator[bytes]:
    packer = zlib.compressobj()
    packed = b""
    while piece := stream.read(PIECE):
        packed += packer.compress(piece)
        if len(packed) >= PIECE:
            yield packed
            packed = b""
    yield packed + packer.flush()


def _place(file_id: UUID, number: int) -> str:
    return f"statement_file:{file_id}:{number}"
