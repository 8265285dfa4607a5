"""The sentences that office documents are refused with: each says what to do instead."""

from portal.core.files.kinds import BadFile, Format
from portal.core.i18n import _


def wrong_format(kind: Format) -> BadFile:
    """Return the refusal of a file that is not what its name says."""
    return BadFile(
        _(
            "This file is not in the format %(format)s, whatever its name says. Open it, save it "
            "as %(format)s, then add that.",
            format=kind.label,
        )
    )


def macros(kind: Format) -> BadFile:
    """Return the refusal of macros and controls."""
    return BadFile(
        _(
            "This file holds macros or controls. Save it as %(format)s without macros, then add "
            "that.",
            format=kind.label,
        )
    )


def password() -> BadFile:
    """Return the refusal of a file that nobody else can open."""
    return BadFile(_("This file is protected by a password. Save it without one, then add that."))


def files_inside() -> BadFile:
    """Return the refusal of a file within the file."""
    return BadFile(
        _(
            "This file holds other files inside it, such as a chart with its table. Save it as "
            "PDF, then add that."
        )
    )


def from_outside() -> BadFile:
    """Return the refusal of content that is fetched when the file is opened."""
    return BadFile(
        _(
            "This file takes content from another file, a program or a web page when it is opened. "
            "Put the content itself into it, or save it as PDF, then add that."
        )
    )
