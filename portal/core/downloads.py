"""Files that are made for a reader: a table for a spreadsheet, or a document.

What leaves so goes on living in other hands. Where it holds names or bookings, it is handed out to
a POST, and that is an act of record: a GET writes nothing.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import make_response
from flask.typing import ResponseReturnValue

from portal.core.files.plain import safe_cell
from portal.core.web import attachment


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> ResponseReturnValue:
    """Answer with a table for a spreadsheet, in which no cell can run as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return download("\ufeff" + out.getvalue(), "text/csv; charset=utf-8", name)


def download(content: bytes | str, kind: str, name: str) -> ResponseReturnValue:
    """Answer with a file of the media type `kind`."""
    answer = make_response(content)
    answer.headers["Content-Type"] = kind
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return attachment(answer)
