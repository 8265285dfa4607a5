"""Documents for filing: HTML made into tagged PDF/UA, by WeasyPrint, without any network.

WeasyPrint takes a second to import and needs Pango of the system, so it is imported at the first
document. Only `data:` and our own files are read while rendering.
"""

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from PIL import ImageFile

from portal.core.config import ROOT
from portal.core.i18n import _
from portal.core.workflow import Refused

READABLE = (ROOT / "static", ROOT / "templates" / "pdf")
"""The folders whose files a document may use: style sheets, the mark, fonts."""

INSTALL = "apt-get install libpango-1.0-0 libpangoft2-1.0-0"


class PdfUnavailable(Refused):
    """PDF cannot be made on this machine; the sentence says what its administrator installs."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "PDF cannot be made on this server: Pango is missing (%(command)s). "
                "Nothing was changed.",
                command=INSTALL,
            )
        )


def demand() -> None:
    """Raise PdfUnavailable where this machine can make no PDF, before anything depends on it."""
    _weasyprint()


def render_pdf(html: str, *, base: Path) -> bytes:
    """Return `html` as PDF/UA-1: tagged, with its language and title, the same each time.

    `base` is the folder that relative addresses start from, inside `READABLE`. Anything else that
    the HTML refers to is left out, as if it were not there. The HTML has to carry `lang` and
    `<title>`. Raises PdfUnavailable where Pango is missing.
    """
    weasyprint = _weasyprint()
    fetcher = _fetcher()(allowed_protocols=("data", "file"), allow_redirects=False)
    document = weasyprint.HTML(
        string=html, base_url=f"{base.absolute().as_uri()}/", url_fetcher=fetcher
    )
    pdf: bytes = document.write_pdf(
        pdf_variant="pdf/ua-1", pdf_identifier=sha256(html.encode()).digest()[:16]
    )
    return pdf


def may_read(url: str) -> bool:
    """Say whether a document may use what is at `url`: inline data, or a file of `READABLE`."""
    parts = urlsplit(url)
    if parts.scheme == "data":
        return True
    if parts.scheme != "file" or parts.netloc:
        return False
    path = Path(unquote(parts.path)).resolve()
    return any(path.is_relative_to(folder.resolve()) for folder in READABLE)


@cache
def _weasyprint() -> ModuleType:
    try:
        with redirect_stdout(None):  # it prints a paragraph of advice where Pango is missing
            import weasyprint
    except OSError as missing:
        raise PdfUnavailable from missing
    # WeasyPrint lets Pillow take broken pictures, everywhere; uploads must not be taken so.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    module: ModuleType = weasyprint
    return module


@cache
def _fetcher() -> Callable[..., Any]:
    """Return the class of fetchers; made late, as its base is WeasyPrint's own."""
    _weasyprint()
    from weasyprint.urls import URLFetcher

    def fetch(self: Any, url: str, headers: dict[str, str] | None = None) -> Any:
        """Return what is at `url`. Raises ValueError where a document may not read it."""
        if not may_read(url):
            raise ValueError("documents read inline data and our own files only")
        return URLFetcher.fetch(self, url, headers)

    return type("OurFilesOnly", (URLFetcher,), {"fetch": fetch, "__doc__": fetch.__doc__})
