"""Documents of an application, as PDF."""

import io

from flask import send_file
from flask.typing import ResponseReturnValue

from portal.core.config import ROOT
from portal.core.pdf import render_pdf
from portal.core.web import attachment as as_download


def as_pdf(html: str, name: str) -> ResponseReturnValue:
    """Hand out a document. Raises PdfUnavailable."""
    content = render_pdf(html, base=ROOT / "static")
    return as_download(
        send_file(
            io.BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name
        )
    )
