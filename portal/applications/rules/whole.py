"""The whole application: everything that still stands between a draft and its submission."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.applications.rules.answers import Value, is_empty, what_is_wrong
from portal.applications.rules.budget import Line
from portal.core.i18n import _, translated
from portal.funds.profile import Profile, Question, Section


@dataclass(frozen=True)
class Missing:
    """Something to do before submission: on which page, about what, and by which rule.

    `section` is empty for what no page of the form can mend (the kind of applicant, the country).
    """

    section: str
    key: str
    sentence: str
    rule: str | None = None


@dataclass(frozen=True)
class Content:
    """What stands in an application at a moment, as values."""

    fund: Profile
    applicant_kind: str
    answers: Mapping[str, Value]
    lines: Sequence[Line]
    attached: Collection[str]
    today: date


def missing_from(content: Content) -> list[Missing]:
    """Return what is missing or wrong, in the order of the form (R7, R10, R11)."""
    found: list[Missing] = []
    for section in content.fund.form:
        found += _answers(section, content)
        if section.kind == "budget" and not content.lines:
            found.append(
                Missing(section.key, "budget", _("The budget has no line yet. Add one."), "R10")
            )
        if section.kind == "attachments":
            found += _attachments(section, content)
    return found


def _answers(section: Section, content: Content) -> Iterator[Missing]:
    for question in section.questions:
        value = content.answers.get(question.key)
        if is_empty(value):
            if question.required:
                yield Missing(section.key, question.key, _not_answered(question), _rule(question))
            continue
        sentence = what_is_wrong(question, value, content.answers, today=content.today)
        if sentence:
            full = f"{translated(question.label)} {sentence}"
            yield Missing(section.key, question.key, full, "R7")


def _rule(question: Question) -> str:
    return "R10" if question.kind == "declaration" else "R7"


def _not_answered(question: Question) -> str:
    label = translated(question.label)
    if question.kind == "declaration":
        return _("Not declared yet: “%(label)s”", label=label)
    return _("Not answered yet: “%(label)s”", label=label)


def _attachments(section: Section, content: Content) -> Iterator[Missing]:
    for rule in content.fund.attachments:
        wanted = rule.required and rule.asked_of(content.applicant_kind)
        if wanted and rule.key not in content.attached:
            sentence = _("Not attached yet: “%(label)s”", label=translated(rule.label))
            yield Missing(section.key, rule.key, sentence, rule.rule)
