"""Documents of an application, as PDF."""

import io

from flask import send_file
from flask.typing import ResponseReturnValue

from portal.core.config import ROOT
from portal.core.i18n import _
from portal.core.pdf import PdfUnavailable, render_pdf
from portal.core.web import attachment as as_download
from portal.core.workflow import Refused


def as_pdf(html: str, name: str) -> ResponseReturnValue:
    """Hand out a document. Raises Refused, with what to do, where PDF cannot be made."""
    try:
        content = render_pdf(html, base=ROOT / "static")
    except PdfUnavailable as missing:
        raise Refused(
            _(
                "The PDF cannot be made on this server. Print the page instead. (%(why)s)",
                why=str(missing),
            )
        ) from missing
    return as_download(
        send_file(
            io.BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name
        )
    )
