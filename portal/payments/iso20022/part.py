"""One element of a message and what stands below it, found by paths such as `Acct/Id/IBAN`.

Only elements of the message's own namespace are seen. Text comes with single spaces; a text
element with elements inside it is refused, because it would read as less than it says.
"""

from collections.abc import Sequence
from typing import Any, Self

from portal.core.i18n import _
from portal.core.money import Money
from portal.payments.iso20022 import values
from portal.payments.iso20022.values import AccountId, Reason, Unreadable

CREDIT = {"CRDT": True, "DBIT": False}


class Part:
    """An element within its message. What stands below it is looked at once, when asked for."""

    __slots__ = ("_below", "_element", "_namespace")

    def __init__(self, element: Any, namespace: str) -> None:
        self._element = element
        self._namespace = namespace
        self._below: dict[str, list[Self]] | None = None

    def children(self, name: str) -> Sequence[Self]:
        """Return the parts called `name` directly below this one."""
        if self._below is None:
            self._below = {}
            start = f"{{{self._namespace}}}"
            for child in self._element:
                if child.tag.startswith(start):
                    part = type(self)(child, self._namespace)
                    self._below.setdefault(child.tag[len(start) :], []).append(part)
        return self._below.get(name, ())

    def all(self, path: str) -> list[Self]:
        """Return every part at `path`."""
        found = [self]
        for step in path.split("/"):
            found = [part for above in found for part in above.children(step)]
        return found

    def first(self, *paths: str) -> Self | None:
        """Return the first part at the first of `paths` where there is one."""
        for path in paths:
            found = self.all(path)
            if found:
                return found[0]
        return None

    @property
    def own_text(self) -> str:
        """The element's text."""
        if len(self._element):
            raise Unreadable(_("%(name)s holds elements where a text belongs.", name=self._name()))
        return " ".join((self._element.text or "").split())

    def text(self, *paths: str) -> str:
        """Return the text at the first of `paths` where there is a part; empty where none is."""
        found = self.first(*paths)
        return found.own_text if found is not None else ""

    def texts(self, path: str) -> list[str]:
        """Return every text at `path` that is not empty."""
        return [text for part in self.all(path) if (text := part.own_text)]

    def need(self, *paths: str) -> str:
        """Return the text at the first of `paths`. Raises Unreadable where there is none."""
        text = self.text(*paths)
        if not text:
            raise Unreadable(_missing(paths[0]))
        return text

    def needed(self, *paths: str) -> Self:
        """Return the part at the first of `paths`. Raises Unreadable where there is none."""
        found = self.first(*paths)
        if found is None:
            raise Unreadable(_missing(paths[0]))
        return found

    def money(self, *paths: str) -> Money | None:
        """Return the amount at the first of `paths`, with the currency beside it."""
        found = self.first(*paths)
        return found.own_money() if found is not None else None

    def own_money(self) -> Money:
        """Return the amount that this element is."""
        return values.amount(self.own_text, self._element.get("Ccy", ""))

    def is_credit(self) -> bool:
        """Say whether the part is a credit rather than a debit."""
        side = self.need("CdtDbtInd")
        if side not in CREDIT:
            raise Unreadable(
                _("%(text)s is neither credit nor debit.", text=f"“{values.shown(side)}”")
            )
        return CREDIT[side]

    def account(self, path: str) -> AccountId | None:
        """Return the account below `path`."""
        iban = self.text(f"{path}/Id/IBAN")
        number = iban or self.text(f"{path}/Id/Othr/Id")
        return AccountId("".join(number.split()).upper(), bool(iban)) if number else None

    def reason(self) -> Reason:
        """Return the reason that this part gives, with what stands beside it."""
        return Reason(self.text("Rsn/Cd", "Rsn/Prtry"), " ".join(self.texts("AddtlInf")))

    def _name(self) -> str:
        return str(self._element.tag).rpartition("}")[2]


def _missing(path: str) -> str:
    return _("The message is not complete: it lacks %(path)s.", path=path)
