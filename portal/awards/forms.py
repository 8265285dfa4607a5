"""Forms of awards: shape and wording only; what may be is for the services to say."""

from wtforms import BooleanField, DateField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.awards.models import Award, PayingAgent
from portal.core.i18n import _, _l, locale, translated
from portal.core.money import BadAmount, Money, format_amount, usd
from portal.core.web import Form, choices

REASON_LIMIT = 4_000


class OfferForm(Form):
    """When the activities begin and end, and who pays."""

    starts_on = DateField(
        _l("First day of the activities"),
        description=_l("As the application says, unless you have agreed on another day."),
        validators=[InputRequired(_l("Give the first day."))],
    )
    ends_on = DateField(
        _l("Last day of the activities"),
        description=_l("Reports are due from this day."),
        validators=[InputRequired(_l("Give the last day."))],
    )
    paying_agent = RadioField(
        _l("Who pays"),
        description=_l("The office that receives the payment instructions (R24)."),
        choices=choices((agent.value, agent.label) for agent in PayingAgent),
        validators=[InputRequired(_l("Choose the paying office."))],
    )


class AcceptForm(Form):
    """The signature: one's own name, typed."""

    read = BooleanField(
        _l("I have read the whole document and may sign for my organisation."),
        validators=[InputRequired(_l("Read the document, then tick this box."))],
    )
    typed_name = StringField(
        _l("Type your name"),
        description=_l("Exactly as it stands in your profile. This is your signature."),
        render_kw={"autocomplete": "off"},
        validators=[InputRequired(_l("Type your name.")), Length(max=200)],
    )


class CountersignForm(Form):
    """The signature of the fund."""

    read = BooleanField(
        _l("I have read the document and sign it for the fund."),
        validators=[InputRequired(_l("Read the document, then tick this box."))],
    )


class ReasonForm(Form):
    """Why something is done to a grant; the other side reads it."""

    reason = TextAreaField(
        _l("Reason"),
        description=_l("In plain words. The other side reads it as you write it."),
        render_kw={"rows": 5},
        validators=[
            InputRequired(_l("Give the reason.")),
            Length(max=REASON_LIMIT, message=_l("Use 4,000 characters at most.")),
        ],
    )


def line_name(position: int) -> str:
    """Return the name of the field of a budget line."""
    return f"line_{position}"


def budget_form(award: Award) -> Form:
    """Return the form of a revised budget: one amount in US$ for each line (R18)."""
    fields = {
        line_name(line.position): StringField(
            _("New amount for: %(line)s", line=line.description),
            render_kw={"inputmode": "decimal", "autocomplete": "off"},
        )
        for line in award.budget
    }
    shown = {
        line_name(line.position): format_amount(usd(line.amount_usd), str(locale()))
        for line in award.budget
    }
    form: Form = type("RevisedBudgetForm", (Form,), fields)(data=shown)
    return form


def typed_amounts(form: Form, award: Award) -> dict[int, int]:
    """Return the typed amounts in cents by position; what cannot be read gets its error."""
    found = {}
    for line in award.budget:
        field = form[line_name(line.position)]
        try:
            found[line.position] = Money.parse(field.data or "", "USD", str(locale())).minor
        except BadAmount as bad:
            field.errors = [bad.sentence]
    return found


def category_name(award: Award, key: str) -> str:
    """Return the label of a budget category in the reader's language."""
    names = {each.key: each.label for each in award.fund.budget.categories}
    return translated(names.get(key, key))
