"""Forms of amendments: shape and wording only; what may be is for the service to say."""

from typing import Any

from wtforms import BooleanField, DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.awards.amendments.rules import Line
from portal.awards.forms import REASON_LIMIT, line_name
from portal.awards.models import Award
from portal.core.i18n import _, _l, locale, translated
from portal.core.money import BadAmount, Money, format_amount, usd
from portal.core.web import Form, choices

NEW_LINES = 2
"""How many lines one amendment may add on its page."""

MOST_DESCRIPTION = 300


class AskForm(Form):
    """What the grantee would like, in its own words."""

    reason = TextAreaField(
        _l("What should change, and why"),
        description=_l("The programme officer reads it, and proposes the text that you then sign."),
        render_kw={"rows": 6},
        validators=[
            InputRequired(_l("Say what should change, and why.")),
            Length(max=REASON_LIMIT, message=_l("Use 4,000 characters at most.")),
        ],
    )
    ends_on = DateField(
        _l("Last day of the activities that you would like"),
        description=_l("Only for an extension. It is asked for before the present last day."),
        validators=[Optional()],
    )


class AcceptAmendmentForm(Form):
    """The signature: one's own name, typed, over the text with this digest."""

    digest = HiddenField()
    read = BooleanField(
        _l("I have read the whole text and may sign for my organisation."),
        validators=[InputRequired(_l("Read the text, then tick this box."))],
    )
    typed_name = StringField(
        _l("Type your name"),
        description=_l("Exactly as it stands in your profile. This is your signature."),
        render_kw={"autocomplete": "off"},
        validators=[InputRequired(_l("Type your name.")), Length(max=200)],
    )


class CountersignAmendmentForm(Form):
    """The signature of the fund."""

    digest = HiddenField()
    read = BooleanField(
        _l("I have read the text and sign it for the fund."),
        validators=[InputRequired(_l("Read the text, then tick this box."))],
    )


def new_name(number: int, part: str) -> str:
    """Return the name of a field of a new line: its category, words or amount."""
    return f"new_{number}_{part}"


def proposal_form(award: Award, data: dict[str, Any]) -> Form:
    """Return the form of a proposal: reason, amount, last day, and the whole of the budget."""
    budget = award.fund.budget
    fields: dict[str, Any] = {
        "reason": TextAreaField(
            _("Reason"),
            description=_("In plain words. It stands in the text that both sides sign."),
            render_kw={"rows": 5},
            validators=[
                InputRequired(_("Give the reason.")),
                Length(max=REASON_LIMIT, message=_("Use 4,000 characters at most.")),
            ],
        ),
        "amount": _amount(_("New amount of the grant, in US dollars")),
        "ends_on": DateField(
            _("Last day of the activities"),
            description=_("Reports are due from this day."),
            validators=[InputRequired(_("Give the last day."))],
        ),
    }
    for line in award.budget:
        fields[line_name(line.position)] = _amount(
            _("New amount for: %(line)s", line=line.description)
        )
    kinds = [(each.key, translated(each.label)) for each in budget.categories]
    for number in range(1, NEW_LINES + 1):
        fields[new_name(number, "category")] = SelectField(
            _("Category of new line %(number)s", number=number),
            choices=choices([("", _("No new line")), *kinds]),
        )
        fields[new_name(number, "words")] = StringField(
            _("What new line %(number)s is for", number=number),
            validators=[Length(max=MOST_DESCRIPTION)],
        )
        fields[new_name(number, "amount")] = _amount(
            _("Amount of new line %(number)s", number=number)
        )
    shown = {
        "amount": format_amount(award.amount, str(locale())),
        "ends_on": award.ends_on,
        **{
            line_name(line.position): format_amount(usd(line.amount_usd), str(locale()))
            for line in award.budget
        },
    }
    form: Form = type("ProposalForm", (Form,), fields)(data=shown | data)
    return form


def _amount(label: str) -> StringField:
    return StringField(label, render_kw={"inputmode": "decimal", "autocomplete": "off"})


def typed_terms(form: Form, award: Award) -> tuple[int | None, list[Line]]:
    """Return the typed amount in cents, and the lines; what cannot be read gets its error."""
    amount = _cents(form, "amount")
    lines = []
    for line in award.budget:
        cents = _cents(form, line_name(line.position))
        if cents is not None:
            lines.append(Line(line.position, line.category, line.description, cents))
    for number in range(1, NEW_LINES + 1):
        category = form[new_name(number, "category")].data
        words = (form[new_name(number, "words")].data or "").strip()
        typed = (form[new_name(number, "amount")].data or "").strip()
        if not (category or words or typed):
            continue
        cents = _cents(form, new_name(number, "amount"))
        if cents is not None:
            lines.append(Line(None, category, words, cents))
    return amount, lines


def _cents(form: Form, name: str) -> int | None:
    field = form[name]
    try:
        return Money.parse(field.data or "", "USD", str(locale())).minor
    except BadAmount as bad:
        field.errors = [bad.sentence]
        return None
