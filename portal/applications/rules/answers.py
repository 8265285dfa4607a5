"""One answer: reading what was typed, and saying what is still wrong with what is kept.

Reading refuses only what cannot be kept as an answer at all (letters for a number, a day that no
calendar has). Whatever can be kept is kept: too many words, a day in the past and the like are
said at once and block the submission, never the saving (R7).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from portal.core.i18n import _
from portal.core.money import BadAmount, Money
from portal.core.text import ascii_digits, count_words, normalise
from portal.funds.profile import Question

Value = Any
"""An answer as it is stored in JSON: text, whole number, list of texts, true, or
`{"minor": …, "currency": …}`; None where there is none."""

TEXT_LIMIT = 40_000
"""Characters that one answer may have at all: far above every limit of a form."""

FIRST_YEAR, LAST_YEAR = 1900, 2200
WIDEST = 10**12
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,3}(?:[  ,\u202f\u2019']\d{3})+|-?\d+", re.ASCII)
_ISO3 = re.compile(r"[A-Z]{3}")


class BadAnswer(ValueError):
    """Something typed that is no answer to its question; `sentence` says what to type."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def read_answer(question: Question, typed: Value, *, currency: str, locale: str = "en") -> Value:
    """Return what was typed as it is stored, None for nothing. Raises BadAnswer.

    Values that are already what they should be (a date, a whole number, Money) are taken as well.
    """
    if typed is None or typed is False or typed in ("", [], ()):
        return None
    if isinstance(typed, str):
        typed = normalise(typed)
        if not typed:
            return None
    if question.kind == "money":
        return _money(typed, currency, locale)
    return _READERS[question.kind](question, typed)


def _text(question: Question, typed: Value) -> str:
    text = str(typed)
    if len(text) > TEXT_LIMIT:
        raise BadAnswer(
            _(
                "This text has %(count)s characters and cannot be kept. The most that can be "
                "kept is %(limit)s.",
                count=len(text),
                limit=TEXT_LIMIT,
            )
        )
    return text if question.kind != "text" else " ".join(text.split())


def _choice(question: Question, typed: Value) -> str:
    allowed = {choice.value for choice in question.choices} or {"yes", "no"}
    if question.kind == "yes_no" and typed is True:
        return "yes"
    if typed not in allowed:
        raise BadAnswer(_("Choose one of the answers of the list."))
    return str(typed)


def _choices(question: Question, typed: Value) -> list[str]:
    chosen = [typed] if isinstance(typed, str) else list(typed)
    allowed = [choice.value for choice in question.choices]
    if not set(chosen) <= set(allowed):
        raise BadAnswer(_("Choose from the answers of the list."))
    return [value for value in allowed if value in chosen]


def _day(question: Question, typed: Value) -> str:
    del question
    if isinstance(typed, date):
        return typed.isoformat()
    found = _DAY.fullmatch(ascii_digits(str(typed)))
    if found:
        year, month, day = map(int, found.groups())
        if FIRST_YEAR <= year <= LAST_YEAR:
            try:
                return date(year, month, day).isoformat()
            except ValueError:
                pass
    raise BadAnswer(
        _(
            "“%(typed)s” is not a day of the calendar. Type year, month and day, like 2027-03-15.",
            typed=str(typed)[:40],
        )
    )


def _whole_number(question: Question, typed: Value) -> int:
    del question
    plain = ascii_digits(str(typed)).strip()
    if not _WHOLE.fullmatch(plain):
        raise BadAnswer(
            _("“%(typed)s” is not a whole number. Type digits only, like 120.", typed=plain[:40])
        )
    number = int(re.sub(r"[^\d-]", "", plain))
    if abs(number) > WIDEST:
        raise BadAnswer(_("This number is too large. Look at the digits again."))
    return number


def _money(typed: Value, currency: str, locale: str) -> Value:
    try:
        money = typed if isinstance(typed, Money) else Money.parse(str(typed), currency, locale)
    except BadAmount as bad:
        raise BadAnswer(bad.sentence) from bad
    return {"minor": money.minor, "currency": money.currency}


def _country(question: Question, typed: Value) -> str:
    del question
    if not _ISO3.fullmatch(str(typed)):
        raise BadAnswer(_("Choose a country from the list."))
    return str(typed)


def _declared(question: Question, typed: Value) -> bool | None:
    del question
    return True if typed in (True, "yes", "y", "on", "1", "true") else None


_READERS: dict[str, Callable[[Question, Value], Value]] = {
    "text": _text,
    "long_text": _text,
    "recommendations": _text,
    "choice": _choice,
    "yes_no": _choice,
    "choices": _choices,
    "date": _day,
    "integer": _whole_number,
    "country": _country,
    "declaration": _declared,
}


def is_empty(value: Value) -> bool:
    """Say whether nothing was answered. Zero is an answer."""
    return value is None or value in ("", [])


def makes_sensitive(question: Question, value: Value) -> bool:
    """Say whether this answer makes the whole application sensitive."""
    given = value if isinstance(value, list) else [value]
    return any(answer in question.sensitive_if for answer in given)


def what_is_wrong(
    question: Question, value: Value, answers: Mapping[str, Value], *, today: date
) -> str | None:
    """Return what is wrong with an answer that was given, None where all is well.

    `answers` are the other answers (dates are compared); `today` is the day by the server's clock
    in UTC. Nothing answered is not wrong here: `missing_from` says that.
    """
    if is_empty(value):
        return None
    if question.kind in ("text", "long_text", "recommendations"):
        return _too_long(question, str(value))
    if question.kind == "integer":
        return _out_of_range(question, value)
    if question.kind == "date":
        return _wrong_day(question, date.fromisoformat(value), answers, today)
    return None


def _too_long(question: Question, text: str) -> str | None:
    if question.max_words and count_words(text) > question.max_words:
        return _(
            "This answer has %(count)s words; up to %(limit)s can be submitted. It is kept as it "
            "is: shorten it before you submit.",
            count=count_words(text),
            limit=question.max_words,
        )
    if question.max_chars and len(text) > question.max_chars:
        return _(
            "This answer has %(count)s characters; up to %(limit)s can be submitted. It is kept "
            "as it is: shorten it before you submit.",
            count=len(text),
            limit=question.max_chars,
        )
    return None


def _out_of_range(question: Question, number: int) -> str | None:
    if question.minimum is not None and number < question.minimum:
        return _("Give a number that is not below %(least)s.", least=question.minimum)
    if question.maximum is not None and number > question.maximum:
        return _("Give a number that is not above %(most)s.", most=question.maximum)
    return None


def _wrong_day(
    question: Question, day: date, answers: Mapping[str, Value], today: date
) -> str | None:
    if question.must_be_future and day <= today:
        return _(
            "%(day)s has passed or is today. Give a day after today (%(today)s).",
            day=day.isoformat(),
            today=today.isoformat(),
        )
    if question.ends_after is None:
        return None
    if day < today:
        return _(
            "%(day)s has passed. Give a day that is still to come.",
            day=day.isoformat(),
        )
    first = answers.get(question.ends_after)
    if first and day < date.fromisoformat(first):
        return _(
            "This day is before the first one (%(first)s). Change one of the two.",
            first=first,
        )
    return None
