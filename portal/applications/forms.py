"""Forms of applications: built from the sections of a fund's profile; shape and wording only.

Fields hold text exactly as typed, so that nothing is lost when it is refused. Reading and judging
it is for `rules`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from wtforms import (
    BooleanField,
    DateField,
    Field,
    FieldList,
    FileField,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms import Form as PlainForm
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, DateInput, ListWidget

from portal.accounts.models import Organisation
from portal.applications.models import Application
from portal.applications.policy import LOWERING_REASONS
from portal.applications.rules import Line, TypedLine, Value
from portal.core.i18n import LANGUAGES, _, _l, locale, translated
from portal.core.money import Money, format_amount
from portal.core.text import normalise, sha256_hex
from portal.core.web import Form, choices
from portal.funds.models import Call
from portal.funds.profile import Profile, Question, Section

FEW = 8
"""Up to so many choices stand open as radio buttons; more go into a list."""

ROWS_OFFERED = 3
ROWS_OF_LONG_TEXT = 8
FINGERPRINT = 16
_REVISION = re.compile(r"\d{1,9}", re.ASCII)

REASONS = dict(
    zip(
        LOWERING_REASONS,
        (
            _l("The applicant has told us that there is no risk"),
            _l("We have assessed it and found no risk"),
            _l("The question was answered by mistake"),
        ),
        strict=True,
    )
)


def field_name(key: str) -> str:
    """Return the name of a question's field; it cannot clash with what a form has of its own."""
    return f"q_{key}"


def token_name(key: str) -> str:
    """Return the name of the hidden field that says which text the writer had seen."""
    return f"seen_{key}"


def fingerprint(value: Any) -> str:
    """Return a short digest of what a field shows, to tell whether it was touched."""
    plain = normalise(value) if isinstance(value, str) else value or ""
    text = json.dumps(sorted(plain) if isinstance(plain, list) else plain, ensure_ascii=False)
    return sha256_hex(text.encode())[:FINGERPRINT]


def token(revision: int, shown: Any) -> str:
    """Return the revision and the fingerprint of what is shown."""
    return f"{revision}.{fingerprint(shown)}"


def as_shown(question: Question, value: Value) -> Any:
    """Return a stored answer as its field shows it."""
    if question.kind == "choices":
        return list(value or [])
    if question.kind == "declaration":
        return bool(value)
    if value is None:
        return ""
    if question.kind == "money":
        return format_amount(Money(value["minor"], value["currency"]), str(locale()))
    return str(value)


def _limits(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if question.max_words:
        found["data-max-words"] = question.max_words
    if question.max_chars:
        found["data-max-chars"] = question.max_chars
    return found


def _field(question: Question, currency: str) -> Field:
    common: dict[str, Any] = {
        "label": translated(question.label),
        "description": translated(question.hint),
        "validators": [] if question.required else [Optional()],
    }
    typed = _typed_field(question, common, currency)
    if typed is not None:
        return typed
    if question.kind == "declaration":
        return BooleanField(**common)
    if question.kind == "country":
        countries = [("", _("Choose a country")), *current_app.config["COUNTRIES"]()]
        return SelectField(**common, choices=choices(countries), validate_choice=False)
    return _choice_field(question, common)


def _typed_field(question: Question, common: dict[str, Any], currency: str) -> Field | None:
    """Return the field of a question that is answered by typing."""
    limits = _limits(question)
    match question.kind:
        case "long_text" | "recommendations":
            return TextAreaField(**common, render_kw={"rows": ROWS_OF_LONG_TEXT, **limits})
        case "text":
            return StringField(**common, render_kw=limits)
        case "date":
            return StringField(**common, widget=DateInput())
        case "integer":
            return StringField(**common, render_kw={"inputmode": "numeric"})
        case "money":
            hint = common["description"] or _("In %(code)s", code=currency)
            more = {**common, "description": hint}
            return StringField(**more, render_kw={"inputmode": "decimal"})
    return None


def _choice_field(question: Question, common: dict[str, Any]) -> Field:
    if question.kind == "yes_no":
        pairs = [("yes", _("Yes")), ("no", _("No"))]
    else:
        pairs = [(choice.value, translated(choice.label)) for choice in question.choices]
    if question.kind == "choices":
        return SelectMultipleField(
            **common,
            choices=choices(pairs),
            validate_choice=False,
            widget=ListWidget(prefix_label=False),
            option_widget=CheckboxInput(),
        )
    if len(pairs) <= FEW:
        return RadioField(**common, choices=choices(pairs), validate_choice=False)
    return SelectField(
        **common, choices=choices([("", _("Choose an answer")), *pairs]), validate_choice=False
    )


def question_fields(section: Section, currency: str) -> dict[str, Any]:
    """Return the fields of a section's questions by name, each with its token."""
    fields: dict[str, Any] = {}
    for question in section.questions:
        fields[field_name(question.key)] = _field(question, currency)
        fields[token_name(question.key)] = HiddenField()
    return fields


def question_data(
    section: Section, answers: Mapping[str, Value], revisions: Mapping[str, int]
) -> dict[str, Any]:
    """Return what the fields of a section show for the stored answers."""
    data: dict[str, Any] = {}
    for question in section.questions:
        shown = as_shown(question, answers.get(question.key))
        data[field_name(question.key)] = shown
        data[token_name(question.key)] = token(revisions.get(question.key, 0), shown)
    return data


def section_form(
    section: Section,
    application: Application,
    answers: Mapping[str, Value],
    revisions: Mapping[str, int],
) -> Form:
    """Return the form of a section, with what was sent or else with the stored answers."""
    kind = type("SectionForm", (Form,), question_fields(section, application.currency))
    form: Form = kind(data=question_data(section, answers, revisions))
    return form


def touched(form: Form, section: Section) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what was typed into the fields that changed, and the revision seen, by key."""
    typed: dict[str, Any] = {}
    seen: dict[str, int] = {}
    for question in section.questions:
        value = form[field_name(question.key)].data
        revision, _dot, before = (form[token_name(question.key)].data or "").partition(".")
        if before != fingerprint(value):
            typed[question.key] = value
            seen[question.key] = int(revision) if _REVISION.fullmatch(revision) else 0
    return typed, seen


def line_form(fund: Profile) -> type[PlainForm]:
    """Return the form of one row of a fund's budget."""
    pairs = [("", _("Choose"))]
    pairs += [(each.key, translated(each.label)) for each in fund.budget.categories]
    return type(
        "LineForm",
        (PlainForm,),
        {
            "category": SelectField(_("Category"), choices=choices(pairs), validate_choice=False),
            "description": StringField(_("What it is for")),
            "quantity": StringField(_("How many")),
            "unit_cost": StringField(_("Price of one")),
        },
    )


def budget_form(
    section: Section,
    application: Application,
    lines: Sequence[Line],
    answers: Mapping[str, Value],
    revisions: Mapping[str, int],
    *,
    currencies: Sequence[str],
) -> Form:
    """Return the page of the budget: currency, rows and the section's questions."""
    fund = application.fund
    fields = {
        "currency": SelectField(
            _("Currency of the budget"),
            choices=choices((code, code) for code in currencies),
            validate_choice=False,
        ),
        "lines": FieldList(FormField(line_form(fund)), _("Lines")),
        "seen_budget": HiddenField(),
        **question_fields(section, application.currency),
    }
    kind = type("BudgetForm", (Form,), fields)
    shown = str(locale())
    rows = [
        {
            "category": line.category,
            "description": line.description,
            "quantity": str(line.quantity),
            "unit_cost": format_amount(Money(line.unit_cost, application.currency), shown),
        }
        for line in lines
    ]
    form: Form = kind(
        data={
            "currency": application.currency,
            "lines": rows,
            "seen_budget": str(application.budget_revision),
            **question_data(section, answers, revisions),
        }
    )
    return form


def typed_lines(form: Form) -> list[TypedLine]:
    """Return the rows as typed."""
    return [
        TypedLine(
            row.form.category.data or "",
            row.form.description.data or "",
            row.form.quantity.data or "",
            row.form.unit_cost.data or "",
        )
        for row in form["lines"].entries
    ]


def offer_rows(form: Form, limit: int) -> None:
    """Add empty rows at the end, so that there is room without JavaScript."""
    lines = form["lines"]
    blank = sum(1 for row in typed_lines(form) if row.is_blank)
    for _row in range(max(0, min(ROWS_OFFERED - blank, limit - len(lines.entries)))):
        lines.append_entry()


class StartForm(Form):
    """Who applies, and in which language."""

    organisation = RadioField(_l("Who applies?"), validate_choice=False)
    language = SelectField(_l("Language of the application"), validate_choice=False)

    @classmethod
    def for_call(cls, call: Call, able: Sequence[Organisation], spoken: str) -> "StartForm":
        """Return the form with those that can apply, and the languages of the call (R8)."""
        first = spoken if spoken in call.languages else call.languages[0]
        form = cls(data={"language": first})
        form.organisation.choices = choices((str(each.id), each.name) for each in able)
        form.language.choices = choices(
            (code, LANGUAGES.get(code, code)) for code in call.languages
        )
        if len(able) == 1 and not form.organisation.data:
            form.organisation.data = str(able[0].id)
        return form


class UploadForm(Form):
    """One file under one heading."""

    file = FileField(_l("Choose a file"))
    key = HiddenField()
    replaces = SelectField(_l("What to do with it"), validate_choice=False)


class QuestionForm(Form):
    """A question of the programme officer."""

    section = SelectField(_l("Which section is it about?"), validate_choice=False)
    question = TextAreaField(
        _l("What do you want to know?"),
        description=_l("One question, in plain words. The applicant sees it as you write it."),
        render_kw={"rows": 5},
        validators=[InputRequired(_l("Write the question."))],
    )
    due = DateField(
        _l("Answer by"),
        description=_l("The end of this day, in UTC."),
        validators=[InputRequired(_l("Give the day by which you need the answer."))],
    )


class AnswerForm(Form):
    """The applicant's answer to a question."""

    answer = TextAreaField(
        _l("Your answer"),
        render_kw={"rows": 8},
        validators=[
            InputRequired(_l("Write your answer.")),
            Length(max=20_000, message=_l("Use 20,000 characters at most.")),
        ],
    )


class LowerForm(Form):
    """Why a sensitive flag is taken off."""

    reason = RadioField(
        _l("Why?"),
        choices=choices(REASONS.items()),
        validators=[InputRequired(_l("Choose the reason."))],
    )
