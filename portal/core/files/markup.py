"""XML that strangers wrote: checked before it is parsed, and written back as it was."""

import re
from typing import Any
from xml.sax import ContentHandler, SAXException

import defusedxml.sax
from defusedxml import DefusedXmlException
from lxml import etree

AUTHOR = "Author"
"""Stands for whoever wrote a comment or a change."""

FETCHING_FORMULA = re.compile(r"\b(?:WEBSERVICE|RTD|DDE|CALL|IMAGE|FILTERXML)\s*\(", re.IGNORECASE)
"""Functions of spreadsheets that reach out when the table is opened."""

Element = Any


def parse(content: bytes) -> Element:
    """Return the root of the document. Raises ValueError for a DTD, an entity, or broken XML."""
    try:
        defusedxml.sax.parseString(content, ContentHandler(), forbid_dtd=True)
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        return etree.fromstring(content, parser)
    except (DefusedXmlException, SAXException, etree.XMLSyntaxError) as broken:
        raise ValueError("this XML is broken or dangerous") from broken


def write(root: Element) -> bytes:
    """Return the document as bytes in UTF-8, its prefixes as they were."""
    written: bytes = etree.tostring(
        root.getroottree(), xml_declaration=True, encoding="UTF-8", standalone=True
    )
    return written


def elements(root: Element) -> list[Element]:
    """Return all elements, the root first; comments and instructions are left out."""
    return list(root.iter(etree.Element))


def local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]


def remove(element: Element) -> None:
    """Take `element` out of its parent; the text after it stays."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)
