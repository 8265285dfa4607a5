"""DOCX and XLSX: parts tied together by relationships, each kept, cleaned, dropped or refused."""

import posixpath
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
from portal.core.files.refusals import files_inside, from_outside, macros, wrong_format

TYPES_PART = "[Content_Types].xml"

_MAIN = {"docx": "wordprocessingml.document.main+xml", "xlsx": "spreadsheetml.sheet.main+xml"}
_DROPPED = re.compile(
    r"docProps/|customXml/|_xmlsignatures/|docMetadata/"
    r"|(?:word|xl)/(?:printerSettings/|customXml/|webextensions/|attachedToolbars)"
    r"|.*\.(?:psmdcp|sigs)$|\[trash\]/",
    re.IGNORECASE,
)
_MACROS = re.compile(
    r".*vba(?:Project|Data)|.*/macrosheets/|.*/activeX/|.*/ctrlProps/", re.IGNORECASE
)
_CONNECTIONS = re.compile(r"xl/(?:connections\.xml|queryTables/|externalLinks/)", re.IGNORECASE)
_INSIDE = re.compile(r".*/embeddings/", re.IGNORECASE)
_TAKEN = re.compile(
    r".*\.(?:xml|rels|jpe?g|png|gif|bmp|tiff?|emf|wmf|svg|vml|odttf|fntdata|wdp)$", re.IGNORECASE
)
_MARKUP = (".xml", ".rels", ".vml", ".svg")
_LINKS = ("http://", "https://", "mailto:", "tel:", "#")
_FETCHING = re.compile(
    r"\s*(?:DDEAUTO|DDE|INCLUDE|INCLUDEPICTURE|INCLUDETEXT|IMPORT|LINK)\b", re.IGNORECASE
)
_NAMING = {
    "author",
    "initials",
    "userId",
    "providerId",
    "displayName",
    "lastModifiedBy",
    "userName",
}
_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}"


def clean(parts: dict[str, bytes], kind: Format) -> dict[str, bytes]:
    """Return the parts to keep, cleaned. Raises BadFile, or ValueError for what is broken."""
    types = parse(parts.get(TYPES_PART, b""))
    _right_type(types, kind)
    _refuse(parts, kind)
    kept = {name: content for name, content in parts.items() if not _DROPPED.match(name)}
    result = {TYPES_PART: _without_types_of_gone(types, kept)}
    for name, content in list(kept.items()):
        if name.endswith(".rels"):
            result[name], cut = _relationships(name, parse(content), kept)
            if cut and _owner(name) in kept:
                kept[_owner(name)] = _without_references(kept[_owner(name)], cut)
    for name, content in kept.items():
        if name not in result:
            result[name] = _clean_part(name, content)
    return result


def _right_type(types: Element, kind: Format) -> None:
    """Raise BadFile unless the main part is of the format that the name says, without macros."""
    declared = [str(part.get("ContentType", "")) for part in elements(types)]
    if any("macroEnabled" in one or "vbaProject" in one for one in declared):
        raise macros(kind)
    if not any(one.endswith(_MAIN[kind.key]) for one in declared):
        raise wrong_format(kind)


def _refuse(parts: dict[str, bytes], kind: Format) -> None:
    """Raise BadFile where a part acts, or is a file of its own."""
    for name in parts:
        if _MACROS.match(name):
            raise macros(kind)
        if _CONNECTIONS.match(name):
            raise from_outside()
        if _INSIDE.match(name) or not (_TAKEN.match(name) or _DROPPED.match(name)):
            raise files_inside()


def _without_types_of_gone(types: Element, kept: dict[str, bytes]) -> bytes:
    names = {f"/{name}".lower() for name in kept}
    for part in elements(types):
        if local(part.tag) == "Override" and str(part.get("PartName", "")).lower() not in names:
            remove(part)
    return write(types)


def _owner(relationships: str) -> str:
    """Return the part whose relationships these are: `word/_rels/document.xml.rels`."""
    folder, _sep, name = relationships.rpartition("/")
    return posixpath.join(posixpath.dirname(folder), name.removesuffix(".rels"))


def _relationships(name: str, root: Element, kept: dict[str, bytes]) -> tuple[bytes, set[str]]:
    """Return the relationships that may stay, and the ids of those that were cut."""
    cut = set()
    folder = posixpath.dirname(_owner(name))
    for one in elements(root)[1:]:
        kind, target = str(one.get("Type", "")).rpartition("/")[2], str(one.get("Target", ""))
        if one.get("TargetMode") == "External":
            stays = kind == "hyperlink" and target.lower().startswith(_LINKS)
            if not stays and kind not in {"hyperlink", "attachedTemplate"}:
                raise from_outside()
        else:
            path = posixpath.normpath(posixpath.join("/", folder, target.partition("#")[0]))
            stays = path.lstrip("/") in kept or target.startswith("#")
        if not stays:
            cut.add(str(one.get("Id", "")))
            remove(one)
    return write(root), cut


def _without_references(content: bytes, cut: set[str]) -> bytes:
    """Return a part that no longer mentions the relationships that were `cut`."""
    root = parse(content)
    for element in elements(root):
        for attribute, value in list(element.attrib.items()):
            if attribute.startswith((_RELATIONS, _STRICT)) and value in cut:
                if local(element.tag) in {"attachedTemplate", "legacyDrawing", "customPr"}:
                    remove(element)
                elif local(element.tag).startswith("hlink"):
                    element.set(attribute, "")
                else:
                    del element.attrib[attribute]
    return write(root)


def _clean_part(name: str, content: bytes) -> bytes:
    if not name.lower().endswith(_MARKUP):
        return without_metadata(content)
    root = parse(content)
    everything = elements(root)
    _refuse_fetching(everything)
    changed = False
    for element in everything:
        changed = _anonymise(element, root) or changed
    return write(root) if changed else content


def _refuse_fetching(everything: list[Element]) -> None:
    """Raise BadFile for fields that take something from elsewhere when the file is opened."""
    fields = ""
    for element in everything:
        kind = local(element.tag)
        if kind == "f" and FETCHING_FORMULA.search(element.text or ""):
            raise from_outside()
        if kind == "ddeLink" or _FETCHING.match(str(element.get(_word("instr"), ""))):
            raise from_outside()
        if kind == "fldChar":
            fields += "\n"
        elif kind == "instrText":
            fields += element.text or ""
    if any(_FETCHING.match(line) for line in fields.split("\n")):
        raise from_outside()


def _word(name: str) -> str:
    return f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}"


def _anonymise(element: Element, root: Element) -> bool:
    """Take the names of people, and paths of their computers, out of one element."""
    changed = False
    for attribute, value in list(element.attrib.items()):
        if local(attribute) in _NAMING and value != AUTHOR and _is_personal(element, attribute):
            element.set(attribute, AUTHOR)
            changed = True
    if local(element.tag) == "author" and local(root.tag) == "comments" and element.text:
        element.text = AUTHOR
        changed = True
    if local(element.tag) == "absPath":
        remove(element)
        changed = True
    return changed


def _is_personal(element: Element, attribute: str) -> bool:
    """Tell names of people from the display names of fields and columns."""
    return local(attribute) != "displayName" or local(element.tag) == "person"
