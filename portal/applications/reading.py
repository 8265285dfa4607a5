"""An application as people read it: sections, labels and answers in words, in their language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from portal.applications.eligibility import rate_for
from portal.applications.models import Application
from portal.applications.queries import Contents
from portal.applications.rules import Value, is_empty
from portal.applications.rules import total as total_of
from portal.core.formats import format_day, format_number
from portal.core.i18n import _, locale, translated
from portal.core.money import Money, format_money, usd
from portal.funds.countries import display_name
from portal.funds.profile import Profile, Question, Section
from portal.ledger.rules import NoRate, Rate

LONG = ("long_text", "recommendations")


@dataclass(frozen=True)
class Row:
    """One question with its answer in words. `hidden`: sealed, and not opened for this reader."""

    key: str
    label: str
    text: str
    is_long: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Part:
    """One section with its answers."""

    section: Section
    rows: list[Row]

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return translated(self.section.title)


def parts(fund: Profile, answers: Mapping[str, Value], *, with_sealed: bool) -> list[Part]:
    """Return the form with its answers; sealed ones only where the reader may have them."""
    return [
        Part(section, [_row(question, answers, with_sealed) for question in section.questions])
        for section in fund.form
    ]


def _row(question: Question, answers: Mapping[str, Value], with_sealed: bool) -> Row:  # noqa: FBT001
    hidden = question.sealed and not with_sealed
    text = "" if hidden else in_words(question, answers.get(question.key))
    return Row(question.key, translated(question.label), text, question.kind in LONG, hidden)


def in_words(question: Question, value: Value) -> str:
    """Return an answer as it is read, empty where there is none."""
    if is_empty(value):
        return ""
    labels = {choice.value: translated(choice.label) for choice in question.choices}
    if question.kind == "yes_no":
        return _("Yes") if value == "yes" else _("No")
    if question.kind == "declaration":
        return _("Declared")
    if question.kind == "choices":
        return "\n".join(labels.get(each, each) for each in value)
    if question.kind == "money":
        return format_money(Money(value["minor"], value["currency"]), str(locale()))
    return _one(question, value, labels)


def _one(question: Question, value: Value, labels: Mapping[str, str]) -> str:
    if question.kind == "choice":
        return labels.get(value, str(value))
    if question.kind == "date":
        return format_day(date.fromisoformat(value))
    if question.kind == "integer":
        return format_number(value)
    if question.kind == "country":
        try:
            return display_name(value, locale())
        except KeyError:
            return str(value)
    return str(value)


@dataclass(frozen=True)
class Sums:
    """What the saved budget adds up to."""

    rows: list[tuple[str, str, Money]]
    total: Money
    dollars: Money | None
    rate: Rate | None
    ceiling: Money | None

    @property
    def above(self) -> bool:
        """Whether the total is above the ceiling."""
        return bool(self.ceiling and self.dollars and self.dollars > self.ceiling)


def sums(application: Application, contents: Contents) -> Sums:
    """Return the sums of a budget, in its currency and in US$. At most one SQL statement."""
    total = Money(total_of(contents.lines), application.currency)
    try:
        rate = contents.rate or rate_for(application.call, application.currency)
    except NoRate:
        rate = None
    limit = application.call.ceiling
    budget = application.fund.budget
    return Sums(
        [
            (
                translated(budget.category(line.category).label),
                line.description,
                Money(line.amount, application.currency),
            )
            for line in contents.lines
        ],
        total,
        rate.in_usd(total) if rate else None,
        rate,
        usd(limit) if limit is not None else None,
    )
