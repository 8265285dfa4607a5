"""Forms of reports: built from the profile and the approved budget; shape and wording only.

Fields hold text exactly as typed, so that nothing is lost when it is refused.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.numbers import get_decimal_symbol
from wtforms import (
    FileField,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms import Form as PlainForm
from wtforms.validators import InputRequired, Length, Optional

from portal.applications.forms import question_data, question_fields
from portal.applications.models import Sex
from portal.applications.rules import Value
from portal.awards.models import AwardBudgetLine
from portal.core.i18n import _, _l, locale
from portal.core.money import BadAmount, Money, format_amount, format_money, usd
from portal.core.text import plain
from portal.core.web import Form, choices
from portal.funds.profile import ReportRule, Section
from portal.reports import rules
from portal.reports.models import AgeBand, EvidenceKind, Expenditure, Group, Report, ReviewSide
from portal.reports.service import Count, Spending

TEXT_LIMIT = 4_000


def as_section(rule: ReportRule) -> Section:
    """Return the questions of a report as a section of a form, which they are built like."""
    return Section(key=rule.key, title=rule.title, questions=rule.sections)


def narrative_form(
    report: Report, section: Section, answers: Mapping[str, Value], revisions: Mapping[str, int]
) -> Form:
    """Return the form of the narrative, with what was sent or else with the stored answers."""
    currency = report.award.application.currency
    kind = type("NarrativeForm", (Form,), question_fields(section, currency))
    form: Form = kind(data=question_data(section, answers, revisions))
    return form


def decimal_mark() -> str:
    """Return the decimal mark of the reader's language."""
    return str(get_decimal_symbol(locale(), numbering_system="latn"))


def rate_text(rate: Decimal) -> str:
    """Return a rate as it is typed: no marks between thousands."""
    return plain(rate).replace(".", decimal_mark())


def line_name(position: int) -> str:
    """Return the name of the part of the form for a budget line."""
    return f"line_{position}"


def _line_part(codes: Sequence[str]) -> type[PlainForm]:
    return type(
        "LinePart",
        (PlainForm,),
        {
            "spent": StringField(
                _("Spent"), render_kw={"inputmode": "decimal", "autocomplete": "off"}
            ),
            "currency": SelectField(
                _("Currency"),
                choices=choices((code, code) for code in codes),
                validate_choice=False,
            ),
            "rate": StringField(
                _("Another rate than the UN’s"),
                description=_("Units for US$ 1. Leave empty to use the UN’s rate."),
                validators=[Optional()],
                render_kw={"inputmode": "decimal", "autocomplete": "off"},
            ),
            "rate_reason": StringField(
                _("Where that rate is from"), validators=[Optional()], render_kw={}
            ),
            "reason": TextAreaField(
                _("Reason for a difference from the budget"),
                validators=[Optional()],
                render_kw={"rows": 3},
            ),
        },
    )


def spending_form(
    report: Report,
    rows: Mapping[UUID, Expenditure],
    before: Mapping[UUID, int],
    codes: Sequence[str],
) -> Form:
    """Return the form of the spending: one part for each approved budget line (R29)."""
    part = _line_part(codes)
    fields: dict[str, Any] = {"seen_spending": HiddenField()}
    data: dict[str, Any] = {"seen_spending": str(report.spending_revision)}
    for line in report.award.budget:
        name = line_name(line.position)
        fields[name] = FormField(part, line.description, description=_budgeted(line, before))
        data[name] = _line_data(report, rows.get(line.id))
    form: Form = type("SpendingForm", (Form,), fields)(data=data)
    return form


def _budgeted(line: AwardBudgetLine, before: Mapping[UUID, int]) -> str:
    budget = format_money(usd(line.amount_usd), str(locale()))
    told = before.get(line.id, 0)
    if not told:
        return _("Budget: %(budget)s", budget=budget)
    return _(
        "Budget: %(budget)s; accepted in earlier reports: %(before)s",
        budget=budget,
        before=format_money(usd(told), str(locale())),
    )


def _line_data(report: Report, row: Expenditure | None) -> dict[str, str]:
    if row is None:
        return {"currency": report.award.application.currency}
    return {
        "spent": format_amount(row.money, str(locale())),
        "currency": row.currency,
        "rate": "" if row.rate == row.official_rate else rate_text(row.rate),
        "rate_reason": row.rate_reason,
        "reason": row.reason,
    }


def typed_spending(form: Form, report: Report) -> list[Spending]:
    """Return what was typed for each line; what cannot be read gets its error in the field."""
    found = []
    for line in report.award.budget:
        part = form[line_name(line.position)].form
        if not (part.spent.data or "").strip():
            _refuse_leftovers(part)
            continue
        spent = _typed_amount(part)
        rate = _typed_rate(part)
        if spent is not None and not part.rate.errors:
            found.append(
                Spending(line.id, spent, rate, part.rate_reason.data or "", part.reason.data or "")
            )
    return found


def _refuse_leftovers(part: Any) -> None:
    if (part.rate.data or "").strip() or (part.reason.data or "").strip():
        part.spent.errors = [_("Say what was spent on this line; 0 if nothing was.")]


def _typed_amount(part: Any) -> Money | None:
    try:
        return Money.parse(part.spent.data or "", part.currency.data or "", str(locale()))
    except BadAmount as bad:
        part.spent.errors = [bad.sentence]
        return None


def _typed_rate(part: Any) -> Decimal | None:
    try:
        return rules.read_rate(part.rate.data or "", decimal_mark())
    except rules.BadRate as bad:
        part.rate.errors = [bad.sentence]
        return None


def cell_name(sex: Sex, band: AgeBand, group: Group | None = None) -> str:
    """Return the name of the field of one count."""
    place = f"{list(Sex).index(sex)}_{list(AgeBand).index(band)}"
    return f"n_{place}_{group.value}" if group else f"n_{place}"


def cell_label(sex: Sex, band: AgeBand, group: Group | None = None) -> str:
    """Return what one count is called, for those who hear the page."""
    words = f"{sex.label}, {band.label}"
    return f"{group.label}: {words}" if group else words


def people_form(report: Report, counts: Mapping[tuple[str, str, str], int]) -> Form:
    """Return the form of the people reached: sex by age, for all and for each group (R28)."""
    fields: dict[str, Any] = {"seen_people": HiddenField()}
    data: dict[str, Any] = {"seen_people": str(report.people_revision)}
    for group in (None, *Group):
        for sex in Sex:
            for band in AgeBand:
                name = cell_name(sex, band, group)
                fields[name] = StringField(
                    cell_label(sex, band, group),
                    render_kw={"inputmode": "numeric", "autocomplete": "off"},
                )
                known = counts.get((group.value if group else "", sex.value, band.value))
                data[name] = "" if known is None else str(known)
    form: Form = type("PeopleForm", (Form,), fields)(data=data)
    return form


def typed_people(form: Form) -> list[Count]:
    """Return the counts as typed; in a table that was begun, an empty cell counts as zero."""
    found = []
    for group in (None, *Group):
        cells = {
            (sex, band): _typed_count(form, sex, band, group) for sex in Sex for band in AgeBand
        }
        if any(number is not None for number in cells.values()):
            found += [Count(sex, band, number or 0, group) for (sex, band), number in cells.items()]
    return found


def _typed_count(form: Form, sex: Sex, band: AgeBand, group: Group | None) -> int | None:
    field = form[cell_name(sex, band, group)]
    try:
        return rules.read_count(field.data or "")
    except ValueError:
        field.errors = [_("Type a whole number of people, like 12.")]
        return None


class EvidenceForm(Form):
    """One file with what it shows."""

    file = FileField(_l("Choose a file"))
    kind = RadioField(
        _l("What is it?"),
        choices=choices((kind.value, kind.label) for kind in EvidenceKind),
        default=EvidenceKind.PHOTOGRAPH.value,
        validators=[InputRequired(_l("Choose what it is."))],
    )
    caption = StringField(
        _l("Caption"),
        description=_l("What it shows, without names or addresses."),
        validators=[Optional(), Length(max=300, message=_l("Use 300 characters at most."))],
    )


class ReviewForm(Form):
    """One side's word on a report."""

    side = RadioField(_l("You speak for"), validators=[InputRequired(_l("Choose a side."))])
    verdict = RadioField(
        _l("Your word on the report"),
        choices=choices([("accept", _l("Accept")), ("return", _l("Return with comments"))]),
        validators=[InputRequired(_l("Choose one of the two."))],
    )
    accepted_usd = StringField(
        _l("Accepted as spent, in US dollars"),
        description=_l("For finance only. What is not accepted is paid back or not paid."),
        validators=[Optional()],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    comment = TextAreaField(
        _l("Comment"),
        description=_l("The grantee reads it. Needed when you return the report or accept less."),
        render_kw={"rows": 5},
        validators=[
            Optional(),
            Length(max=TEXT_LIMIT, message=_l("Use 4,000 characters at most.")),
        ],
    )

    @classmethod
    def for_sides(cls, sides: Sequence[ReviewSide], most_usd: int) -> "ReviewForm":
        """Return the form for the sides that the person may speak for; it proposes the most."""
        shown = format_amount(usd(most_usd), str(locale()))
        form = cls(data={"side": sides[0].value, "accepted_usd": shown})
        form.side.choices = choices((side.value, side.label) for side in sides)
        if ReviewSide.FINANCE not in sides:
            del form.accepted_usd
        return form


def typed_accepted(form: ReviewForm) -> int | None:
    """Return the accepted amount in cents, None for nothing; what cannot be read gets its error."""
    if form.side.data != ReviewSide.FINANCE.value or "accepted_usd" not in form:
        return None
    field = form["accepted_usd"]
    try:
        return Money.parse(field.data or "", "USD", str(locale())).minor
    except BadAmount as bad:
        field.errors = [bad.sentence]
        return None
