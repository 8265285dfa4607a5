"""Bytes that a stranger sent, taken apart as they come: nothing is fetched, nothing expands.

Two parsers see the same bytes. The first looks at the begin only and refuses a document type
before the second could act on it, so there are no entities to expand or to fetch; it also learns
the root, whose namespace says what the message is. The second builds the elements that a reader
asked for, each to be freed once it was read.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from lxml import etree

from portal.core.i18n import _
from portal.payments.iso20022.values import Unreadable

CHUNK = 1 << 16
_BETWEEN = "\n"


class Beginning:
    """The begin of a message, up to its root: `namespace` and `root` are known after `take`."""

    def __init__(self, stream: BinaryIO) -> None:
        self.namespace = self.root = ""
        self._found = False
        self._stream = stream
        self._taken: list[bytes] = []
        self._take()

    def _take(self) -> None:
        parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._at_root
        try:
            while not self._found:
                chunk = self._stream.read(CHUNK)
                self._taken.append(chunk)
                parser.Parse(chunk, not chunk)
        except (expat.ExpatError, ValueError, LookupError) as broken:
            raise Unreadable(_empty() if not any(self._taken) else _not_xml()) from broken

    def _at_root(self, name: str, _attributes: dict[str, str]) -> None:
        if not self._found:
            self.namespace, _mark, self.root = name.rpartition(_BETWEEN)
            self._found = True

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the whole message."""
        yield from self._taken
        while chunk := self._stream.read(CHUNK):
            yield chunk


def ended(beginning: Beginning, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield each element called one of `names`, in the message's namespace, once it is complete.

    Raises Unreadable where the message breaks off or is no XML, at that place.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=[f"{{{beginning.namespace}}}{name}" for name in names],
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for chunk in beginning.chunks():
            parser.feed(chunk)
            yield from _found(parser)
        parser.close()
    except etree.XMLSyntaxError as broken:
        raise Unreadable(_not_xml()) from broken
    yield from _found(parser)


def _found(parser: Any) -> Iterator[Any]:
    for _event, element in parser.read_events():
        yield element


def free(element: Any) -> None:
    """Give back the memory of an element that was read, and of what stood before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        parent.remove(element.getprevious())


def _refuse_doctype(*_declared: object) -> None:
    raise Unreadable(
        _("The file declares a document type, which no bank's message does. It was not read.")
    )


def _empty() -> str:
    return _("The file is empty.")


def _not_xml() -> str:
    return _("The file is not whole, or no XML. Fetch it from the bank again.")
