"""Documents are tagged, always the same, and read nothing but what is ours."""

import builtins
import os
import socket
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest

from portal.core import pdf
from portal.core.config import ROOT
from portal.core.pdf import PdfUnavailable, may_read, render_pdf

BASE = ROOT / "templates" / "pdf"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8"
    "AAAAASUVORK5CYII="
)
PAGE = """<html lang="{lang}"><head><title>Agreement 7K3M-Q9PX</title>{head}</head>
<body><h1>Agreement</h1>{body}</body></html>"""


def page(body: str = "", head: str = "", lang: str = "en") -> str:
    return PAGE.format(body=body, head=head, lang=lang)


@pytest.fixture
def pango() -> None:
    """Skip where the machine has no Pango, as the portal itself does without it; never in CI."""
    try:
        pdf._weasyprint()
    except PdfUnavailable as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Refuse all connections, and note those that this thread asks for.

    Servers of other tests, which may still be ending in threads of their own, are no document's.
    """
    asked: list[Any] = []
    here = threading.get_ident()

    def refuse(*arguments: Any, **_options: Any) -> None:
        if threading.get_ident() == here:
            asked.append(arguments)
        raise OSError("no network in documents")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return asked


def read(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(BytesIO(content))


@pytest.mark.usefixtures("pango")
def test_a_document_is_tagged_and_says_its_title_and_language() -> None:
    made = read(
        render_pdf(page("<p>Article 1</p><p lang=ar dir=rtl>اتفاق</p>", lang="fr"), base=BASE)
    )
    root: Any = made.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "fr"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert made.metadata is not None
    assert made.metadata.title == "Agreement 7K3M-Q9PX"
    assert made.metadata.creation_date is None
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert "Article 1" in made.pages[0].extract_text()


@pytest.mark.usefixtures("pango")
def test_making_documents_does_not_let_broken_pictures_in() -> None:
    script = """
from PIL import ImageFile
from portal.core import pdf
pdf.render_pdf("<html lang=en><title>x</title><p>x</p></html>", base=pdf.READABLE[0])
raise SystemExit(ImageFile.LOAD_TRUNCATED_IMAGES)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert done.returncode == 0


@pytest.mark.usefixtures("pango")
def test_the_same_text_gives_the_same_bytes() -> None:
    one = render_pdf(page("<p>Article 1</p>"), base=BASE)
    assert render_pdf(page("<p>Article 1</p>"), base=BASE) == one
    assert render_pdf(page("<p>Article 2</p>"), base=BASE) != one


@pytest.mark.usefixtures("pango")
def test_inline_pictures_are_drawn() -> None:
    made = read(render_pdf(page(f'<img alt="mark" src="{PIXEL}">'), base=BASE))
    assert len(made.pages[0].images) == 1


@pytest.mark.usefixtures("pango")
def test_nothing_is_fetched_and_no_foreign_file_is_read(
    no_network: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.css"
    secret.write_text("body::after { content: 'SECRET' }", encoding="utf-8")
    render_pdf(page(), base=BASE)
    opened: list[str] = []
    here, real = threading.get_ident(), builtins.open

    def watching(file: Any, *arguments: Any, **options: Any) -> Any:
        if threading.get_ident() == here:
            opened.append(str(file))
        return real(file, *arguments, **options)

    monkeypatch.setattr(builtins, "open", watching)
    head = "".join(
        f'<link rel="stylesheet" href="{url}">'
        for url in (secret.as_uri(), "http://127.0.0.1:9/x.css", "../../../../etc/passwd")
    )
    body = "".join(
        f'<img alt="" src="{url}"><a rel="attachment" href="{url}">x</a>'
        for url in ("https://example.org/x.png", "file:///etc/passwd", "ftp://127.0.0.1/x.png")
    )
    style = "<style>@import url(http://127.0.0.1:9/y.css); @font-face { font-family: x; "
    style += (
        "src: url(http://127.0.0.1:9/x.woff) } h1 { background: url(//127.0.0.1:9/z.png) }</style>"
    )
    made = read(render_pdf(page(body, head + style), base=BASE))
    text = "".join(sheet.extract_text() for sheet in made.pages)
    assert "SECRET" not in text
    assert not made.attachments
    assert no_network == []
    assert not [name for name in opened if "passwd" in name or "secret" in name]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("data:text/css,h1{}", True),
        ((ROOT / "static/css/print.css").as_uri(), True),
        ((ROOT / "templates/pdf/agreement.html").as_uri(), True),
        ((ROOT / "static").as_uri() + "/../pyproject.toml", False),
        ((ROOT / "static").as_uri() + "/%2e%2e/pyproject.toml", False),
        ((ROOT / "static").as_uri() + "-other/x.css", False),
        ((ROOT / "templates/base.html").as_uri(), False),
        ("file:///etc/passwd", False),
        (f"file://elsewhere{ROOT}/static/css/print.css", False),
        ("http://127.0.0.1/static/css/print.css", False),
        ("https://example.org/x.png", False),
        ("ftp://example.org/x.png", False),
        ("static/css/print.css", False),
        ("", False),
    ],
)
def test_only_inline_data_and_our_own_files_may_be_read(url: str, allowed: bool) -> None:  # noqa: FBT001
    assert may_read(url) is allowed


def test_a_link_out_of_our_folders_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "secret.css").write_text("", encoding="utf-8")
    link = tmp_path / "ours" / "link.css"
    link.symlink_to(tmp_path / "secret.css")
    monkeypatch.setattr(pdf, "READABLE", (tmp_path / "ours",))
    assert may_read((tmp_path / "ours" / "mark.svg").as_uri())
    assert not may_read(link.as_uri())


def test_a_machine_without_pango_hears_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def broken(name: str, *arguments: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *arguments)

    pdf._weasyprint.cache_clear()
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(PdfUnavailable, match="apt-get install libpango") as refusal:
        render_pdf(page(), base=BASE)
    assert "\n" not in str(refusal.value)
    pdf._weasyprint.cache_clear()
