"""Plain text and comma-separated values: UTF-8 without control characters or formulas."""

import csv
import re
from io import StringIO

from portal.core.files.kinds import BadFile, Format
from portal.core.i18n import _
from portal.core.text import normalise

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",;\t"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[\d\s.,\u2019']*\d\s?%?")


def rewrite_plain(content: bytes, kind: Format) -> bytes:
    """Return the text in UTF-8; in CSV no cell can be taken for a formula. Raises BadFile."""
    text = _decoded(content, kind)
    return (_safe_table(text) if kind.key == "csv" else normalise(text) + "\n").encode()


def _decoded(content: bytes, kind: Format) -> str:
    """Return the text. A guessed character set would silently change names: it is refused."""
    encoding = "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise BadFile(
            _(
                "This file is not text in Unicode. Open it, choose “Save as”, %(format)s with "
                "character set UTF-8, then add that.",
                format=kind.label,
            )
        )
    if not text.strip():
        raise BadFile(_("This file holds no text. Choose the file again."))
    return text


def _safe_table(text: str) -> str:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    written = StringIO()
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as broken:
        raise BadFile(
            _("This table cannot be read. Open it, save it again as CSV, then add that.")
        ) from broken
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return written.getvalue()


def safe_cell(cell: str) -> str:
    """Return `cell` with an apostrophe before what a spreadsheet would run as a formula.

    Plain numbers with a sign stay numbers.
    """
    dangerous = cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
    if dangerous and not _NUMBER.fullmatch(cell.strip()):
        return "'" + normalise(cell)
    return normalise(cell)
