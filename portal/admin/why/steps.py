"""What the page is made of: parts, and in each the steps that were taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from portal.core.i18n import locale
from portal.core.labels import Labelled
from portal.core.money import format_money, usd

Word = TypeVar("Word", bound=Labelled)


@dataclass(frozen=True)
class Step:
    """One thing that was done. `detail` is a sentence, `text` what somebody wrote themselves."""

    what: str
    who: str = ""
    at: datetime | None = None
    on: date | None = None
    outcome: str = ""
    tone: str = "neutral"
    detail: str = ""
    text: str = ""
    rule: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the page: a title, facts, steps, and what to say where there are none."""

    title: str
    steps: Sequence[Step]
    empty: str = ""
    facts: Sequence[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Recusal:
    """Who stepped aside, and when. `reason` is None until an auditor had it opened."""

    who: str
    at: datetime | None
    reason: str | None


def word(kind: type[Word], value: str) -> tuple[str, str]:
    """Return the label and the tone of a stored word."""
    member = kind(value)
    return str(member.label), member.tone


def dollars(cents: int | None) -> str:
    """Return an amount in US$ in words; nothing for none."""
    return "" if cents is None else format_money(usd(cents), str(locale()))
