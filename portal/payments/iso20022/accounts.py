"""What statements and notices share: one account after the other, each with its entries.

The entries are read from the stream one by one, and freed; what stands before them (the account,
the balances) is read when the first has come, or where there are none, at the end.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from portal.core.i18n import _
from portal.payments.iso20022.entries import Entry, read_entry
from portal.payments.iso20022.kinds import DOCUMENT
from portal.payments.iso20022.part import Part
from portal.payments.iso20022.streaming import Beginning, ended, free
from portal.payments.iso20022.values import Unreadable

T = TypeVar("T")

HEADER, ENTRY = "GrpHdr", "Ntry"

Opened = Callable[[str, Part, Iterator[Entry]], T]
"""Make a message of its MsgId, the part before the entries, and the entries."""

Currency = Callable[[Part], str | None]
"""The currency that all entries of an account must be in, where that is known."""


class Accounts:
    """The accounts of one message: elements called `name` below `body`."""

    def __init__(self, beginning: Beginning, body: str, name: str, currency: Currency) -> None:
        self._namespace = beginning.namespace
        self._body = body
        self._name = name
        self._currency = currency
        self._elements = ended(beginning, (HEADER, ENTRY, name))
        self._number = 0

    def read(self, opened: Opened[T]) -> Iterator[T]:
        """Yield each account as `opened` makes it. Raises Unreadable where there is none."""
        message_id, found = "", 0
        for element in self._elements:
            if self._is(element, HEADER):
                message_id = self._part(element).need("MsgId")
                continue
            whole = self._is(element, self._name)
            account = self._part(self._account(element if whole else element.getparent()))
            entries = iter(()) if whole else self._entries(element, self._currency(account))
            if not message_id:
                raise Unreadable(_("The message is not complete: it lacks GrpHdr/MsgId."))
            yield opened(message_id, account, entries)
            for _left in entries:
                pass
            found += 1
            if whole:
                free(element)
        if not found:
            raise Unreadable(_("The message is about no account: it holds nothing to read."))

    def _entries(self, first: Any, currency: str | None) -> Iterator[Entry]:
        element: Any = first
        while not self._is(element, self._name):
            self._account(element.getparent())
            self._number += 1
            entry = read_entry(self._part(element), self._number, currency)
            free(element)
            if entry is not None:
                yield entry
            element = next(self._elements)
        free(self._account(element))

    def _is(self, element: Any, name: str) -> bool:
        return bool(element.tag == f"{{{self._namespace}}}{name}")

    def _part(self, element: Any) -> Part:
        return Part(element, self._namespace)

    def _account(self, element: Any) -> Any:
        """Return the account itself. Raises Unreadable where it, or what is in it, is astray."""
        places = [element, *islice(element.iterancestors(), 2)]
        if [place.tag for place in places] != [
            f"{{{self._namespace}}}{name}" for name in (self._name, self._body, DOCUMENT)
        ]:
            raise Unreadable(_("The message has elements where none of their kind belong."))
        return element
