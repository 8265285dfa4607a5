"""The formats that are taken, how their content begins, and what a file may be called."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from portal.core.i18n import _

LONGEST_NAME = 120


WHEN_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What parsers raise on bytes that are not what they seem; each was met while fuzzing them."""


class BadFile(Exception):
    """An upload that is not taken; `sentence` says why and what to do instead."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Format:
    """A format: its key, family of content, media type (always set by us) and file extensions."""

    key: str
    family: str
    media_type: str
    extensions: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name that people know it by."""
        return self.key.upper()


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

FORMATS = {
    kind.key: kind
    for kind in (
        Format("pdf", "pdf", "application/pdf", ("pdf",)),
        Format("docx", "zip", f"{_OOXML}wordprocessingml.document", ("docx",)),
        Format("xlsx", "zip", f"{_OOXML}spreadsheetml.sheet", ("xlsx",)),
        Format("odt", "zip", f"{_ODF}text", ("odt",)),
        Format("ods", "zip", f"{_ODF}spreadsheet", ("ods",)),
        Format("jpeg", "jpeg", "image/jpeg", ("jpg", "jpeg")),
        Format("png", "png", "image/png", ("png",)),
        Format("txt", "text", "text/plain; charset=utf-8", ("txt",)),
        Format("csv", "text", "text/csv; charset=utf-8", ("csv",)),
    )
}
"""All formats that can be cleaned, by key."""

_PDF_WITHIN = 1024
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_APPLE_PICTURE = re.compile(rb"^....ftyp(?:heic|heix|hevc|mif1|msf1)", re.DOTALL)
_STARTS = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_OTHER_STARTS = (
    b"GIF8",
    b"RIFF",
    b"MZ",
    b"\x7fELF",
    b"{\\rtf",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_JOINERS = "\u200c\u200d"


def family_of(content: bytes) -> str:
    """Return the family that `content` belongs to by how it begins, `other` for none of ours."""
    for start, family in _STARTS.items():
        if content.startswith(start):
            return family
    if b"%PDF-" in content[:_PDF_WITHIN]:
        return "pdf"
    if content.startswith((_OLD_OFFICE, *_OTHER_STARTS)) or _APPLE_PICTURE.match(content):
        return "other"
    return "text"


def format_of_name(name: str, allowed: Collection[str]) -> Format:
    """Return the format that `name` ends in. Raises BadFile unless it is among the `allowed`."""
    extension = PurePosixPath(name).suffix.lstrip(".").lower()
    for key in allowed:
        if extension in FORMATS[key].extensions:
            return FORMATS[key]
    raise BadFile(
        _(
            "“%(name)s” cannot be added here. Add one of these: %(formats)s.",
            name=name,
            formats=", ".join(FORMATS[key].label for key in allowed),
        )
    )


def looks_like(content: bytes, kind: Format, name: str) -> None:
    """Raise BadFile unless `content` begins as a file of the format `kind` does."""
    family = family_of(content)
    if family == kind.family:
        return
    if _APPLE_PICTURE.match(content):
        raise BadFile(
            _(
                "“%(name)s” is a HEIC picture. Save it as JPEG on your device, then add that.",
                name=name,
            )
        )
    if content.startswith(_OLD_OFFICE):
        raise BadFile(
            _(
                "“%(name)s” is protected by a password, or in an old format. Open it, save it "
                "without a password as %(format)s, then add that.",
                name=name,
                format=kind.label,
            )
        )
    raise BadFile(
        _(
            "“%(name)s” is not in the format %(format)s, whatever its name says. Open it, save it "
            "as %(format)s, then add that.",
            name=name,
            format=kind.label,
        )
    )


def cleaned_name(filename: str) -> str:
    """Return `filename` without folders and without what could mislead whoever opens it.

    Gone are control characters, marks that turn the direction of writing, and signs that a file
    system forbids. At most 120 characters; the extension stays, in lower case.
    """
    name = unicodedata.normalize("NFC", filename.replace("\\", "/").rpartition("/")[2])
    name = "".join(
        mark for mark in name if mark in _JOINERS or unicodedata.category(mark)[0] != "C"
    )
    name = " ".join(_FORBIDDEN.sub("_", name).split()).lstrip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return name[:LONGEST_NAME] or "file"
    extension = extension.strip().lower()[:10]
    return f"{stem.rstrip('. ')[: LONGEST_NAME - len(extension) - 1] or 'file'}.{extension}"
