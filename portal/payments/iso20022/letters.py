"""What banks take as text: the Latin letters of SWIFT and SEPA, digits, and a few marks.

A name in another script is written in Latin letters, letter by letter; what has no place then
becomes a full stop, as the European Payments Council recommends, but `&` becomes `+`. A reference
is never changed: it would no longer be found in the bank's answers.
"""

import re

from anyascii import anyascii

from portal.core.i18n import _
from portal.core.workflow import Refused

NAME_LIMIT = 140
TOWN_LIMIT = 35
REFERENCE_LIMIT = 35

_FOREIGN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_REFERENCE = re.compile(r"[A-Za-z0-9\-?:().,'+]([A-Za-z0-9/\-?:().,'+ ]*[A-Za-z0-9\-?:().,'+])?")
_SAYS_SOMETHING = re.compile(r"[A-Za-z0-9]")


def latin(text: str, limit: int = NAME_LIMIT) -> str:
    """Return `text` as banks take it, of at most `limit` characters; empty where nothing is left.

    A slash begins and ends no text, nor stands twice: to older systems that is a code.
    """
    plain = " ".join(anyascii(text).replace("&", "+").split())
    taken = re.sub("/{2,}", "/", _FOREIGN.sub(".", plain)).strip("/ ")
    return taken[:limit].rstrip("/ ") if _SAYS_SOMETHING.search(taken[:limit]) else ""


def name(text: str) -> str:
    """Return a name as banks take it. Raises Refused where nothing of it can be written."""
    written = latin(text)
    if not written:
        raise Refused(_("Nothing of a name can be written in the letters that banks take."))
    return written


def reference(text: str) -> str:
    """Return a reference as it is. Raises Refused where a bank would cut or change it."""
    if len(text) > REFERENCE_LIMIT or "//" in text or not _REFERENCE.fullmatch(text):
        raise Refused(_("A bank would change the reference %(reference)s.", reference=f"“{text}”"))
    return text
