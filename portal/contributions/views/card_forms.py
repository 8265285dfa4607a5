"""Forms of giving by card: the shape and the wording of what people type."""

from typing import Any

from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.contributions.service.cards import offered
from portal.core.i18n import _l, locale
from portal.core.money import BadAmount, Money
from portal.core.web import Form, choices

NAME_LIMIT = 200
REASON_LIMIT = 1000
AMOUNT_LIMIT = 40


def _tidy(value: str | None) -> str:
    return (value or "").strip()


def _amount(label: Any, hint: Any) -> StringField:
    return StringField(
        label,
        description=hint,
        validators=[InputRequired(_l("Type the amount.")), Length(max=AMOUNT_LIMIT)],
        filters=[_tidy],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )


class GivingForm(Form):
    """What somebody types who wants to give."""

    amount = _amount(_l("Amount"), _l("Digits only, such as 50 or 50.00."))
    currency = SelectField(_l("Currency"))
    name = StringField(
        _l("Your name"),
        description=_l("The receipt is made out to it."),
        validators=[InputRequired(_l("Type your name.")), Length(max=NAME_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _l("E-mail address"),
        description=_l("The receipt is sent there."),
        validators=[InputRequired(_l("Type the e-mail address.")), Length(max=254)],
        filters=[_tidy],
        render_kw={"autocomplete": "email"},
    )
    unnamed = BooleanField(_l("Name me nowhere in public"))

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.currency.choices = choices((code, code) for code in offered())

    def money(self) -> Money | None:
        """Return the amount; None, with the sentence beside the field, where it is none."""
        return _read(self.amount, self.currency.data)


class RefundForm(Form):
    """What finance types to give a gift back."""

    amount = _amount(_l("Amount to give back"), _l("In the currency of the gift."))
    reason = TextAreaField(
        _l("Reason"),
        description=_l("For the records; the donor is not told it."),
        validators=[InputRequired(_l("Give the reason.")), Length(max=REASON_LIMIT)],
        filters=[_tidy],
        render_kw={"rows": 3, "data-max-chars": REASON_LIMIT},
    )

    def money(self, currency: str) -> Money | None:
        """Return the amount; None, with the sentence beside the field, where it is none."""
        return _read(self.amount, currency)


def _read(field: StringField, currency: str) -> Money | None:
    try:
        return Money.parse(field.data or "", currency, str(locale()))
    except BadAmount as bad:
        field.errors = [*field.errors, bad.sentence]
        return None
