"""Enumerations that people read: each member has a value, a label and a tone."""

from enum import StrEnum
from typing import Self

from babel.support import LazyProxy


class Labelled(StrEnum):
    """A closed list of words. `OPEN = "open", _l("Open"), "good"` gives value, label and tone.

    The tone (neutral, wait, good or stop) chooses shade and shape; the word always stands too.
    """

    label: LazyProxy
    tone: str

    def __new__(cls, value: str, label: LazyProxy | None = None, tone: str = "neutral") -> Self:
        """Make the member `value`, read as `label`. `Kind(value)` looks one up, hence the default.

        Raises TypeError for a member that has no label.
        """
        if label is None:
            raise TypeError(f"{cls.__name__}: {value!r} has no label")
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.tone = tone
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, LazyProxy]]:
        """Return (value, label) pairs for a form field, in the order of definition."""
        return [(member.value, member.label) for member in cls]
