"""Which messages the portal reads, in which versions: a message's namespace says both."""

import re
from dataclasses import dataclass

from portal.core.i18n import _
from portal.payments.iso20022.values import Unreadable

DOCUMENT = "Document"
"""The root of every message."""

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.001\.([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Kind:
    """A message: its name, the versions of it whose structure we know, its element below Document.

    From the first to the last of these versions, what we read stands at the same paths, or at
    paths which exclude each other; the readers name both.
    """

    name: str
    body: str
    first: int
    last: int

    def namespace(self, version: int) -> str:
        """Return the namespace of a version."""
        return f"urn:iso:std:iso:20022:tech:xsd:{self.name}.001.{version:02}"


STATUS_REPORT = Kind("pain.002", "CstmrPmtStsRpt", 3, 14)
NOTIFICATION = Kind("camt.054", "BkToCstmrDbtCdtNtfctn", 2, 13)
STATEMENT = Kind("camt.053", "BkToCstmrStmt", 2, 13)
RETURNS = Kind("pacs.004", "PmtRtr", 2, 13)

KINDS = {kind.name: kind for kind in (STATUS_REPORT, NOTIFICATION, STATEMENT, RETURNS)}


def kind_of(namespace: str) -> Kind:
    """Return the kind of message. Raises Unreadable for another message, or another version."""
    found = _NAMESPACE.fullmatch(namespace)
    if not found:
        raise Unreadable(
            _("This is no ISO 20022 message of a bank. Take the file as the bank sent it.")
        )
    kind = KINDS.get(found[1])
    if kind is None:
        raise Unreadable(
            _(
                "This is a %(name)s message. The portal reads %(names)s: ask the bank for these.",
                name=found[1],
                names=", ".join(sorted(KINDS)),
            )
        )
    if not kind.first <= int(found[2]) <= kind.last:
        raise Unreadable(
            _(
                "This is version %(version)s of %(name)s. The portal reads versions %(first)s to "
                "%(last)s: ask the bank for one of them.",
                version=found[2],
                name=kind.name,
                first=f"{kind.first:02}",
                last=f"{kind.last:02}",
            )
        )
    return kind
