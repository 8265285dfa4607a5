"""Pure decisions about reports: variance, what is missing, what may be accepted, reminders.

Amounts are US cents unless a currency is named; days are days of the calendar.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from portal.applications.rules import Value, is_empty, what_is_wrong
from portal.core.i18n import _
from portal.core.text import ascii_digits, personal_data_warnings
from portal.funds.profile import Question, ReportRule

REMINDER_DAYS = (-30, -14, -3, 1, 15, 30)
"""Days from the due day on which a reminder goes out (R27)."""

LATE_REMINDER = timedelta(days=7)
"""A reminder that nobody sent within a week of its day (the worker stood still) stays unsent."""

WHOLE = 100
MOST_PEOPLE = 10_000_000
HIGHEST_RATE = Decimal(10) ** 9
_RATE = re.compile(r"\d{1,9}(?:\|\d{1,8})?", re.ASCII)
_COUNT = re.compile(r"\d{1,8}", re.ASCII)


@dataclass(frozen=True)
class Spent:
    """What was spent on a line: against its budget and what was accepted in earlier reports."""

    line: str
    budget_usd: int
    before_usd: int
    spent_usd: int | None
    staff: bool = False
    reason: str = ""

    @property
    def balance_usd(self) -> int:
        """What is left of the line; below zero when it was overspent."""
        return self.budget_usd - self.before_usd - (self.spent_usd or 0)


@dataclass(frozen=True)
class Point:
    """Something that stands between a report and its submission; `part` names its page."""

    part: str
    key: str
    sentence: str
    rule: str | None = None


def too_early(rule: ReportRule, starts_on: date, today: date) -> bool:
    """Say whether a report on activities or travel would come before they have begun (R13).

    One that counts from the signatures tells of what came before, so it is never too early.
    """
    return rule.due_from != "agreement" and today < starts_on


def needs_reason(spent: Spent, shift_percent: int, *, last: bool) -> bool:
    """Say whether a difference from the budget needs its reason (R26, R29).

    Above the free shift of `shift_percent` of a line, in both directions; a line for staff may not
    grow at all. Before the last report money that is not spent yet is no difference.
    """
    over = -spent.balance_usd
    if over > 0:
        return spent.staff or over * WHOLE > spent.budget_usd * shift_percent
    return last and -over * WHOLE > spent.budget_usd * shift_percent


def missing(
    rule: ReportRule,
    answers: Mapping[str, Value],
    spending: Sequence[Spent],
    people: int | None,
    *,
    shift_percent: int,
    last: bool,
    today: date,
) -> list[Point]:
    """Return everything that stands between the report and its submission, in order.

    `people` is the number of counts that were given, None for none.
    """
    found = _unanswered(rule.sections, answers, today)
    if rule.financial:
        found += _unspent(spending, shift_percent, last=last)
    if rule.people_reached and people is None:
        sentence = _("Count the people reached. Zero is an answer: type it where it is true.")
        found.append(Point("people", "people", sentence, "R28"))
    return found


def _unanswered(
    questions: Sequence[Question], answers: Mapping[str, Value], today: date
) -> list[Point]:
    found = []
    for question in questions:
        value = answers.get(question.key)
        if is_empty(value):
            if question.required:
                found.append(
                    Point("narrative", question.key, _("This is still to be answered."), "R7")
                )
            continue
        sentence = what_is_wrong(question, value, answers, today=today)
        if sentence:
            found.append(Point("narrative", question.key, sentence))
    return found


def _unspent(spending: Sequence[Spent], shift_percent: int, *, last: bool) -> list[Point]:
    found = []
    for each in spending:
        if each.spent_usd is None:
            sentence = _("Say what was spent on this line; 0 if nothing was.")
            found.append(Point("spending", each.line, sentence, "R29"))
        elif needs_reason(each, shift_percent, last=last) and not each.reason:
            sentence = _("Give the reason for the difference from the budget.")
            found.append(Point("spending", each.line, sentence, "R26"))
    return found


def most_acceptable(spent_usd: int, award_usd: int, accepted_before_usd: int) -> int:
    """Return the most that finance may accept as spent: never more than the award over all."""
    return max(0, min(spent_usd, award_usd - accepted_before_usd))


def reminder_for(due_on: date, today: date) -> int | None:
    """Return which reminder of R27 is due, by its days from the due day; None for none.

    Of several the latest counts: nobody wants three at once after a pause.
    """
    passed = [days for days in REMINDER_DAYS if due_on + timedelta(days=days) <= today]
    if not passed or today - (due_on + timedelta(days=passed[-1])) >= LATE_REMINDER:
        return None
    return passed[-1]


def warnings(texts: Sequence[str]) -> list[str]:
    """Return warnings of personal data in texts of a report, each once (R28)."""
    found = [sentence for text in texts for sentence in personal_data_warnings(text)]
    return list(dict.fromkeys(found))


class BadRate(ValueError):
    """A typed rate of exchange that cannot be taken; `sentence` says what to type instead."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def read_rate(typed: str, decimal_mark: str) -> Decimal | None:
    """Return a typed rate (units of currency per US$ 1), None for nothing. Raises BadRate.

    Only the decimal mark of the reader's language is taken: `1.295` must not become `1295`.
    """
    plain = ascii_digits(typed).strip()
    if not plain:
        return None
    found = _RATE.fullmatch(plain.replace(decimal_mark, "|"))
    if found is None or not any(digit in "123456789" for digit in plain):
        raise BadRate(
            _(
                "“%(typed)s” is not a rate. Type how many units US$ 1 is, without marks between "
                "thousands, like %(example)s.",
                typed=plain[:40],
                example=f"129{decimal_mark}35",
            )
        )
    return Decimal(plain.replace(decimal_mark, "."))


def read_count(typed: str) -> int | None:
    """Return a typed number of people, None for nothing. Raises ValueError for anything else."""
    plain = ascii_digits(typed).strip()
    if not plain:
        return None
    if not _COUNT.fullmatch(plain):
        raise ValueError(typed)
    return int(plain)
