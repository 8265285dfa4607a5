"""What every part of a profile shares: frozen, no unknown keys, marked human text."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints


class Msgid:
    """Marks a string as English text for people: extracted for translation, shown by gettext."""


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), Msgid()]
"""A sentence or label for people: an English msgid."""

Hint = Annotated[str, StringConstraints(strip_whitespace=True), Msgid()]
"""Like Text, and may be empty (gettext of an empty msgid is never asked for)."""

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""The name of a part of a profile; answers and audit events refer to it, so it never changes."""

RuleNumber = Annotated[str, StringConstraints(pattern=r"^R([1-9]|[12][0-9]|3[01])$")]
"""The number of a rule: R1 to R31."""

Mark = Literal["S", "C", "T"]
"""Where a setting comes from: S the fund's own documents, C a public source, T to be confirmed
by the fund secretariat (pages say so)."""

OrganisationKindValue = Literal[
    "ngo", "nhri", "association", "academic", "individual", "government", "mission", "regional"
]


class Part(BaseModel):
    """A piece of a profile: cannot be changed once read, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Part):
    """What a statement rests on (a resolution, a fund's guidelines), and how sure that is."""

    text: Text
    mark: Mark


def require_unique(keys: Iterable[str], what: str) -> None:
    """Raise ValueError when a key is used twice; `what` names the things in the message."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{what} must have different keys: {key!r} is used twice")
        seen.add(key)
