"""Reasons and remarks that people give for an act, and that stay on record."""

from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused

MOST_WORDS = 1000
"""How many characters a reason has at most, where nothing else is said."""


def words_or_refuse(
    typed: str, missing: str, *, most: int = MOST_WORDS, rule: str | None = None
) -> str:
    """Return a reason as it is kept.

    Raises Refused with the sentence `missing`, by `rule`, for none, and above `most` characters.
    """
    words = normalise(typed)
    if not words:
        raise Refused(missing, rule=rule)
    if len(words) > most:
        raise Refused(_("This is too long: say it in fewer words."), rule=rule)
    return words
