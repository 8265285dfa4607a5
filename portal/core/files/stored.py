"""Where files are kept: a row in the database, and the content on disk under its random id."""

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.db import Base, WithId, session
from portal.core.files.kinds import (
    FORMATS,
    BadFile,
    Format,
    cleaned_name,
    format_of_name,
    looks_like,
)
from portal.core.files.office import rewrite_office
from portal.core.files.pictures import rewrite_picture
from portal.core.files.plain import rewrite_plain
from portal.core.files.portable import rewrite_pdf
from portal.core.formats import format_size
from portal.core.i18n import _
from portal.core.text import sha256_hex
from portal.core.workflow import Refused

MAX_BYTES = 10 * 1024 * 1024
"""10 MB: some twenty scanned pages or two photographs, and a quarter of an hour over 2G."""

_REWRITERS: dict[str, Callable[[bytes, Format], bytes]] = {
    "pdf": rewrite_pdf,
    "zip": rewrite_office,
    "jpeg": rewrite_picture,
    "png": rewrite_picture,
    "text": rewrite_plain,
}


@dataclass
class _Place:
    """Where contents go and how large they may be; set once at start."""

    folder: Path | None = None
    max_bytes: int = MAX_BYTES


_place = _Place()


class StoredFile(WithId, Base):
    """A cleaned upload. `size_bytes` and `sha256` are those of what is kept, not of what came in.

    `case_id` is the application at the head of the case file; `by_id` the person who uploaded it.
    """

    __tablename__ = "stored_file"
    __table_args__ = (CheckConstraint("size_bytes > 0", name="not_empty"),)

    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    created_at: Mapped[datetime]
    by_id: Mapped[UUID | None] = mapped_column(default=None)
    case_id: Mapped[UUID | None] = mapped_column(default=None, index=True)


def configure(folder: Path, max_bytes: int = MAX_BYTES) -> None:
    """Keep contents under `folder`, refuse uploads above `max_bytes`; called once at start."""
    _place.folder = folder
    _place.max_bytes = max_bytes


def store(
    stream: BinaryIO,
    filename: str,
    by_id: UUID | None,
    allowed: Collection[str] = tuple(FORMATS),
    case_id: UUID | None = None,
) -> StoredFile:
    """Clean and keep an upload, and return its row, flushed.

    `filename` is what the browser said, `allowed` names formats (keys of `FORMATS`). The content is
    on disk before the row is in the database: a transaction that rolls back leaves a content
    without a row, which nobody can reach; a row never lacks its content. Raises BadFile with a
    sentence that says what to do.
    """
    name, content, media_type = clean(stream, filename, allowed)
    return _kept(name, content, media_type, by_id, case_id)


def keep_document(
    content: bytes,
    name: str,
    by_id: UUID | None,
    case_id: UUID | None = None,
    media_type: str = "application/pdf",
) -> StoredFile:
    """Keep what the portal itself wrote, byte for byte, and return its row, flushed."""
    return _kept(cleaned_name(name), content, media_type, by_id, case_id)


def _kept(
    name: str, content: bytes, media_type: str, by_id: UUID | None, case_id: UUID | None
) -> StoredFile:
    file = StoredFile(
        id=uuid4(),
        name=name,
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256_hex(content),
        created_at=clock.now(),
        by_id=by_id,
        case_id=case_id,
    )
    _write(_path(file.id), content)
    session.add(file)
    session.flush()
    return file


def clean(stream: BinaryIO, filename: str, allowed: Collection[str]) -> tuple[str, bytes, str]:
    """Return the cleaned name, the content written anew, and its media type. Raises BadFile."""
    content = stream.read(_place.max_bytes + 1)
    shown = cleaned_name(filename)
    if len(content) > _place.max_bytes:
        raise BadFile(
            _(
                "“%(name)s” is larger than %(limit)s. Make it smaller, or divide it.",
                name=shown,
                limit=format_size(_place.max_bytes),
            )
        )
    if not content:
        raise BadFile(_("“%(name)s” is empty. Choose the file again.", name=shown))
    kind = format_of_name(shown, allowed)
    looks_like(content, kind, shown)
    rewritten = _REWRITERS[kind.family](content, kind)
    if not rewritten:
        raise BadFile(_("“%(name)s” is empty. Choose the file again.", name=shown))
    return shown, rewritten, kind.media_type


def open_stored(file: StoredFile) -> BinaryIO:
    """Open the content of `file` for reading; the caller closes it.

    Raises FileNotFoundError where it is gone, and OSError where its size is not that of the row.
    """
    stream = _path(file.id).open("rb")
    if os.fstat(stream.fileno()).st_size != file.size_bytes:
        stream.close()
        raise OSError(f"stored file {file.id} has another size than when it was stored")
    return stream


def read_stored(file: StoredFile) -> bytes:
    """Return the content of `file`. Raises Refused where it is gone or is not what was kept."""
    try:
        with open_stored(file) as stream:
            return stream.read()
    except OSError as lost:
        raise Refused(_("This file cannot be read now. Tell the fund secretariat.")) from lost


def damaged(files: Iterable[StoredFile]) -> list[UUID]:
    """Return the ids of those `files` whose content is gone or is not what was stored."""
    wrong = []
    for file in files:
        try:
            with open_stored(file) as stream:
                sound = sha256_hex(stream.read()) == file.sha256
        except OSError:
            sound = False
        if not sound:
            wrong.append(file.id)
    return wrong


def _path(file_id: UUID) -> Path:
    if _place.folder is None:
        raise RuntimeError("files.configure(folder) comes first")
    name = str(file_id)
    return _place.folder / name[:2] / name[2:4] / name


def _write(path: Path, content: bytes) -> None:
    """Write `content` so that `path` is either whole or absent, and survives a power cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("xb") as stream:
            draft.chmod(0o600)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
