"""ODT and ODS: content, styles and pictures, with a manifest that names them."""

import re

from portal.core.files.kinds import Format
from portal.core.files.markup import (
    AUTHOR,
    FETCHING_FORMULA,
    Element,
    elements,
    local,
    parse,
    remove,
    write,
)
from portal.core.files.pictures import without_metadata
from portal.core.files.refusals import (
    files_inside,
    from_outside,
    macros,
    password,
    wrong_format,
)

MEDIA_TYPES = "application/vnd.oasis.opendocument."
TYPE_PART = "mimetype"

_MANIFEST = "META-INF/manifest.xml"
_DROPPED = re.compile(
    r"(?:.*/)?(?:meta|settings)\.xml$|manifest\.rdf$|layout-cache$"
    r"|(?:.*/)?(?:Thumbnails|Configurations2)/|META-INF/(?!manifest\.xml$)|ObjectReplacements/"
    r"|(?:Basic|Dialogs)/"
)
_EMPTY_LIBRARY = r"(?:Basic|Dialogs)/(?:.*/)?(?:script|dialog)-l[bc]\.xml$"
_MACROS = re.compile(rf"(?!{_EMPTY_LIBRARY})(?:Basic|Scripts|Dialogs)/", re.IGNORECASE)
_TAKEN = re.compile(
    r"mimetype$|.*\.(?:xml|jpe?g|png|gif|bmp|tiff?|emf|wmf|svm|svg|ttf|otf)$", re.IGNORECASE
)
_LINKS = ("http://", "https://", "mailto:", "tel:", "#")
_HREF = "{http://www.w3.org/1999/xlink}href"
_CREATORS = {"creator", "creator-initials", "sender-initials"}
_ACTING = {"event-listeners", "event-listener", "script"}
_INSIDE_NOTES = {"annotation", "change-info"}
_FETCHING = {
    "dde-source", "dde-connection-decl", "dde-link", "cell-range-source", "table-source",
    "section-source", "database-source-table", "database-source-query", "database-source-sql",
}  # fmt: skip


def clean(parts: dict[str, bytes], kind: Format) -> dict[str, bytes]:
    """Return the parts to keep, cleaned. Raises BadFile, or ValueError for what is broken."""
    if parts.get(TYPE_PART, b"").decode("ascii").strip() != kind.media_type:
        raise wrong_format(kind)
    manifest = parse(parts.get(_MANIFEST, b""))
    _refuse(parts, manifest, kind)
    kept = {name: content for name, content in parts.items() if not _DROPPED.match(name)}
    result = {TYPE_PART: kind.media_type.encode()}
    result.update(
        {
            name: _clean_part(name, content)
            for name, content in kept.items()
            if name not in {TYPE_PART, _MANIFEST}
        }
    )
    result[_MANIFEST] = _manifest_of(manifest, result)
    return result


def _refuse(parts: dict[str, bytes], manifest: Element, kind: Format) -> None:
    if any(local(entry.tag) == "encryption-data" for entry in elements(manifest)):
        raise password()
    for name in parts:
        if _MACROS.match(name):
            raise macros(kind)
        if not (_TAKEN.match(name) or _DROPPED.match(name)):
            raise files_inside()


def _manifest_of(manifest: Element, kept: dict[str, bytes]) -> bytes:
    """Return the manifest without the parts that are gone; folders stay only as documents."""
    for entry in elements(manifest)[1:]:
        path = next((v for a, v in entry.attrib.items() if local(a) == "full-path"), "")
        folder = path.endswith("/") and any(name.startswith(path) for name in kept)
        if path != "/" and path not in kept and not folder:
            remove(entry)
    return write(manifest)


def _clean_part(name: str, content: bytes) -> bytes:
    if not name.lower().endswith((".xml", ".svg")):
        return without_metadata(content)
    root = parse(content)
    for element in elements(root):
        if local(element.tag) in _ACTING:
            remove(element)
    for element in elements(root):
        tag = local(element.tag)
        if tag in _FETCHING or _leads_outside(element) or _reaches_out(element):
            raise from_outside()
        if tag in _CREATORS and _parent(element) in _INSIDE_NOTES:
            element.text = AUTHOR
        if tag == "a" and not str(element.get(_HREF, "#")).lower().startswith(_LINKS):
            element.set(_HREF, "#")
    return write(root)


def _parent(element: Element) -> str:
    parent = element.getparent()
    return "" if parent is None else local(parent.tag)


def _reaches_out(element: Element) -> bool:
    """Say whether the formula of a cell takes something from elsewhere."""
    return any(
        local(name) == "formula" and FETCHING_FORMULA.search(str(value))
        for name, value in element.attrib.items()
    )


def _leads_outside(element: Element) -> bool:
    """Say whether a picture, an object or a template lies elsewhere than in the package."""
    target = str(element.get(_HREF, ""))
    if not target or local(element.tag) == "a" or target.startswith("#"):
        return False
    return ":" in target or target.startswith("/") or ".." in target
