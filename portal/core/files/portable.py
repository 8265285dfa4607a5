"""PDF: its pages as they are, without metadata, attachments, and anything that acts by itself."""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from pikepdf.sanitize import Sanitizer
from pikepdf.settings import set_qpdf_limits

from portal.core.files.kinds import WHEN_DAMAGED, BadFile, Format
from portal.core.files.pictures import without_metadata
from portal.core.i18n import _

MAX_PAGES = 500
"""More than any annex to a grant; each page costs time to clean."""

MAX_OBJECTS = 200_000
_MEMORY = 128 * 1024 * 1024
_HARMLESS_LINKS = ("http://", "https://", "mailto:")
_ACTIVE = {
    f"/{action}"
    for action in (
        "JavaScript", "Launch", "GoToR", "GoToE", "GoToDp", "SubmitForm", "ImportData",
        "Rendition", "Movie", "Sound", "RichMediaExecute", "GoTo3DView", "Thread",
    )
}  # fmt: skip
_OF_CATALOGUE = ("/Metadata", "/OpenAction", "/AA", "/Perms", "/DSS", "/Legal", "/AF", "/PieceInfo")
_OF_PAGE = ("/Metadata", "/AA", "/AF", "/Thumb", "/PieceInfo", "/LastModified")
_OF_NOTE = ("/AA", "/T", "/NM", "/M", "/CreationDate", "/RC")


def rewrite_pdf(content: bytes, kind: Format) -> bytes:
    """Return the PDF written anew.

    Gone are: document information and XMP, scripts and actions but links to web pages and inside
    the document, attachments and media, private data of programs, the authors of comments, EXIF of
    pictures, and earlier states of the document. Raises BadFile where it is protected by a
    password, damaged, or a form that only one program can show.
    """
    del kind
    _limit_memory()
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            _refuse(pdf)
            _clean(pdf)
            written = BytesIO()
            pdf.save(written, deterministic_id=True, encryption=False, fix_metadata_version=False)
    except pikepdf.PasswordError:
        raise BadFile(
            _("This PDF is protected by a password. Save it without one, then add that.")
        ) from None
    except (pikepdf.PdfError, *WHEN_DAMAGED) as broken:
        raise BadFile(
            _("This PDF is damaged. Open it, print it to a new PDF, then add that.")
        ) from broken
    return written.getvalue()


@cache
def _limit_memory() -> None:
    """Bound what one compressed stream of a hostile PDF can grow to, once per process."""
    set_qpdf_limits(
        flate_max_memory=_MEMORY,
        run_length_max_memory=_MEMORY,
        png_max_memory=_MEMORY,
        tiff_max_memory=_MEMORY,
        dct_max_memory=_MEMORY,
    )


def _refuse(pdf: Pdf) -> None:
    """Raise BadFile for what would not be worth reading after cleaning."""
    if len(pdf.pages) > MAX_PAGES or len(pdf.objects) > MAX_OBJECTS:
        raise BadFile(
            _(
                "This PDF has more than %(limit)d pages, or very many parts. Divide it.",
                limit=MAX_PAGES,
            )
        )
    if not len(pdf.pages):
        raise BadFile(_("This PDF has no pages. Choose the file again."))
    if pdf.Root.get("/NeedsRendering", False):
        raise BadFile(
            _(
                "This form shows in one program only. Open it there, print it to a new PDF, then "
                "add that."
            )
        )


def _clean(pdf: Pdf) -> None:
    _drop(pdf.Root, _OF_CATALOGUE)
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    if isinstance(pdf.Root.get("/AcroForm"), Dictionary):
        _drop(pdf.Root["/AcroForm"], ("/XFA",))
    for page in pdf.pages:
        _drop(page.obj, _OF_PAGE)
    cleaner = Sanitizer().remove_javascript().remove_attachments().remove_multimedia()
    cleaner.remove_web_capture().remove_collection().remove_private_app_data().apply(pdf)
    for part in list(_dictionaries(pdf)):
        _clean_part(part)


def _drop(holder: Object, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key in holder:
            del holder[key]


def _dictionaries(pdf: Pdf) -> Iterator[Object]:
    """Yield every dictionary and stream of the document, wherever it hangs."""
    for top in pdf.objects:
        waiting: list[Any] = [top]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Dictionary | Stream):
                yield part
                children = [part.get(key) for key in part.keys()]  # noqa: SIM118 - no mapping
            elif isinstance(part, Array):
                children = list(part)
            else:
                continue
            waiting += [
                child
                for child in children
                if isinstance(child, Dictionary | Array) and not child.is_indirect
            ]


def _clean_part(part: Object) -> None:
    """Take out of one dictionary what names people, carries files or acts."""
    action = part.get("/S")
    if isinstance(action, Name):
        address = str(part.get("/URI", "")).strip().lower()
        strange = str(action) == "/URI" and not address.startswith(_HARMLESS_LINKS)
        if strange or str(action) in _ACTIVE:
            _drop(part, tuple(part.keys()))
            return
    _drop(part, ("/EF",))
    metadata = part.get("/Metadata")
    if isinstance(metadata, Stream):
        _drop(part, ("/Metadata",))
    if "/Rect" in part and "/Subtype" in part:
        _drop(part, ("/AA",) if part["/Subtype"] == Name.Widget else _OF_NOTE)
    elif "/FT" in part:
        _drop(part, ("/AA",))
    if isinstance(part, Stream):
        _clean_stream(part)


def _clean_stream(stream: Stream) -> None:
    if stream.get("/Subtype") == Name.Form:
        _drop(stream, ("/PieceInfo", "/LastModified"))
    if stream.get("/Subtype") != Name.Image:
        return
    filters = stream.get("/Filter")
    if filters == Name.DCTDecode or (
        isinstance(filters, Array) and list(filters) == [Name.DCTDecode]
    ):
        before = stream.read_raw_bytes()
        after = without_metadata(before)
        if after != before:
            parameters = stream.get("/DecodeParms")
            stream.write(
                after,
                filter=Name.DCTDecode,
                decode_parms=parameters if isinstance(parameters, Dictionary | Array) else None,
            )
