"""The text of profiles for translators: a Babel extractor over the TOML files."""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from portal.funds.profile.base import Msgid
from portal.funds.profile.model import Profile
from portal.funds.profile.process import Rulebook

NEEDLE = 40
"""How many characters of a text are looked for to find its line."""


def human_texts(part: BaseModel) -> Iterator[str]:
    """Yield every text for people in a profile or a part of it, in the order of the schema."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if _is_marked(field):
            yield from (text for text in _flat(value) if isinstance(text, str) and text)
        else:
            yield from _nested(value)


def extract_messages(
    fileobj: IO[bytes],
    keywords: Mapping[str, Any],  # noqa: ARG001 the signature is Babel's
    comment_tags: Collection[str],  # noqa: ARG001
    options: Mapping[str, Any],  # noqa: ARG001
) -> Iterator[tuple[int, None, str, Sequence[str]]]:
    """Babel's extraction method for `portal/funds/profiles/*.toml` and the rule book beside them.

    Yields (line, no function name, message, no comments). Raises ValidationError for a file that
    breaks the schema.
    """
    source = fileobj.read().decode("utf-8")
    content = tomllib.loads(source)
    schema = Rulebook if content.keys() == Rulebook.model_fields.keys() else Profile
    comments: Sequence[str] = ()
    for text in human_texts(schema.model_validate(content)):
        yield _line_of(text, source), None, text, comments


def _is_marked(field: FieldInfo) -> bool:
    """Tell whether a field is a text, or a list of texts (then its mark is inside its type)."""
    inside = (getattr(item, "__metadata__", ()) for item in get_args(field.annotation))
    return any(isinstance(mark, Msgid) for mark in chain(field.metadata, *inside))


def _nested(value: object) -> Iterator[str]:
    for item in _flat(value):
        if isinstance(item, BaseModel):
            yield from human_texts(item)


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, tuple):
        yield from value
    else:
        yield value


def _line_of(text: str, source: str) -> int:
    """Return the line where a text begins; 1 when it is spelt with escapes and cannot be found."""
    position = source.find('"' + text[:NEEDLE].split("\n", 1)[0])
    return source.count("\n", 0, max(position, 0)) + 1
