"""Forms of contributions: the shape and the wording of what officers type."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FieldList,
    FormField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms import Form as PartForm
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.accounts.forms import country_choices
from portal.contributions.models import ContributionAgreement, Donor, DonorKind, Earmark
from portal.contributions.rules import MOST_INSTALMENTS
from portal.contributions.service import DonorFacts, Terms
from portal.contributions.service.donors import NAME_LIMIT, TITLE_LIMIT
from portal.core.i18n import LANGUAGES, _, _l, language
from portal.core.money import BadAmount, Money, format_amount
from portal.core.web import Form, choices
from portal.funds.models import Call
from portal.funds.profile import Profile

FIRST_YEAR, LAST_YEAR = 1987, 2100
REASON_LIMIT = 1000
REFERENCE_LIMIT = 100
ROWS = 4
"""How many instalments the form of an agreement has room for before somebody asks for more."""

_EMAIL = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;:]{1,189}")
_REFERENCE = re.compile(r"[A-Za-z0-9._:/-]+")


def _tidy(value: str | None) -> str:
    return (value or "").strip()


def _plausible(_form: Any, field: DateField) -> None:
    if field.data and not FIRST_YEAR <= field.data.year <= LAST_YEAR:
        raise ValidationError(_("Check the year."))


def _day(label: Any, message: Any, **more: Any) -> DateField:
    return DateField(label, validators=[InputRequired(message), _plausible], **more)


def _amount_field(label: Any, **more: Any) -> StringField:
    return StringField(
        label,
        filters=[_tidy],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
        **more,
    )


def _reason(label: Any, hint: Any, validator: Any) -> TextAreaField:
    return TextAreaField(
        label,
        description=hint,
        filters=[_tidy],
        validators=[validator, Length(max=REASON_LIMIT)],
        render_kw={"rows": 3, "data-max-chars": REASON_LIMIT},
    )


def _reference(label: Any, **more: Any) -> StringField:
    return StringField(
        label,
        filters=[_tidy],
        validators=[
            InputRequired(_l("Give the reference.")),
            Length(max=REFERENCE_LIMIT),
            _writable,
        ],
        render_kw={"autocomplete": "off"},
        **more,
    )


def _writable(_form: Any, field: StringField) -> None:
    if not _REFERENCE.fullmatch("".join((field.data or "").split())):
        raise ValidationError(
            _("Type the reference in the letters A to Z, digits, and the marks . _ : / -")
        )


def as_code(reference: str) -> str:
    """Return a reference of the bank as the books keep it: without its spaces."""
    return "".join(reference.split())


def read_amount(field: StringField, currency: str) -> Money:
    """Return what was typed. Raises ValidationError with a sentence that says what to type."""
    try:
        amount = Money.parse(field.data or "", currency, language())
    except BadAmount as bad:
        raise ValidationError(bad.sentence) from bad
    if not amount:
        raise ValidationError(_("Type an amount above zero."))
    return amount


class DonorForm(Form):
    """Who somebody is that gives."""

    kind = SelectField(_l("What the donor is"), choices=[], default=DonorKind.STATE.value)
    name = StringField(
        _l("Official name"),
        description=_l("As it stands on receipts and in the fund’s account."),
        filters=[_tidy],
        validators=[
            InputRequired(_l("Type the official name.")),
            Length(max=NAME_LIMIT, message=_l("Use 300 characters at most.")),
        ],
        render_kw={"data-max-chars": NAME_LIMIT},
    )
    country = SelectField(_l("Country"), choices=[], validators=[Optional()])
    email = EmailField(
        _l("E-mail address of the person to write to"),
        description=_l("Receipts are sent there. Nobody outside reads it."),
        filters=[_tidy],
        validators=[Optional(), Length(max=254)],
    )
    language = SelectField(_l("Language of receipts"), choices=[], default="en")
    unnamed = BooleanField(
        _l("Wishes to stay unnamed in public"),
        description=_l("The public then reads of an unnamed donor only."),
    )

    def offer(self) -> None:
        """Fill the lists to choose from."""
        self.kind.choices = choices(DonorKind.choices())
        self.country.choices = choices(country_choices(_("No country")))
        self.language.choices = choices(LANGUAGES.items())

    def validate_email(self, field: EmailField) -> None:
        """Refuse what no mail server would take."""
        if field.data and not _EMAIL.fullmatch(field.data):
            raise ValidationError(_("Type the address in full, like name@example.org."))

    def validate_country(self, field: SelectField) -> None:
        """Ask which State it is."""
        if self.kind.data == DonorKind.STATE.value and not field.data:
            raise ValidationError(_("Say which State it is."))

    def facts(self) -> DonorFacts:
        """Return what was typed. Only after the form was found valid."""
        return DonorFacts(
            DonorKind(self.kind.data),
            self.name.data,
            self.country.data or None,
            self.email.data or "",
            self.language.data,
            unnamed=bool(self.unnamed.data),
        )


def as_donor(donor: Donor) -> dict[str, Any]:
    """Return a donor as the form holds it."""
    return {
        "kind": donor.kind.value,
        "name": donor.name,
        "country": donor.country or "",
        "email": donor.email,
        "language": donor.language,
        "unnamed": donor.unnamed,
    }


class MergeForm(Form):
    """Which other row is the same donor."""

    into = SelectField(
        _l("It is the same donor as"),
        choices=[],
    )

    def validate_into(self, field: SelectField) -> None:
        """Refuse an empty choice; the list has no empty line that HTML could call required."""
        if not field.data:
            raise ValidationError(_("Choose the donor that stays."))


class EarmarkForm(Form):
    """What gifts can be meant for."""

    fund = SelectField(_l("Fund"), choices=[])
    title = StringField(
        _l("What it is for"),
        filters=[_tidy],
        validators=[
            InputRequired(_l("Say what it is for.")),
            Length(max=TITLE_LIMIT, message=_l("Use 200 characters at most.")),
        ],
        render_kw={"data-max-chars": TITLE_LIMIT},
    )
    country = SelectField(_l("Country"), choices=[], validators=[Optional()])
    call = SelectField(_l("Call for applications"), choices=[], validators=[Optional()])

    def offer(self, funds: Sequence[Profile], calls: Sequence[Call]) -> None:
        """Fill the lists to choose from."""
        self.fund.choices = fund_choices(funds)
        self.country.choices = choices(country_choices(_("Any country")))
        self.call.choices = choices(
            [("", _("Any call")), *((call.ref, call.title) for call in calls)]
        )


def fund_choices(funds: Sequence[Profile]) -> Any:
    """Return the funds to choose from."""
    return choices((each.code, f"{each.acronym}: {_(each.short_name)}") for each in funds)


class _MoneyForm(Form):
    """An amount in a currency, for a fund and perhaps for something in it."""

    fund = SelectField(_l("Fund"), choices=[])
    currency = SelectField(
        _l("Currency"),
        description=_l("Currencies are listed once their UN rate of exchange is imported."),
        choices=[],
        default="USD",
    )
    amount = _amount_field(_l("Amount"))
    earmark = SelectField(
        _l("Meant for"),
        description=_l("An earmark of the same fund."),
        choices=[],
        validators=[Optional()],
    )

    def offer(
        self, funds: Sequence[Profile], currencies: Sequence[str], earmarks: Sequence[Earmark]
    ) -> None:
        """Fill the lists to choose from."""
        self.fund.choices = fund_choices(funds)
        self.currency.choices = choices((each, each) for each in currencies)
        self.earmark.choices = choices(
            [
                ("", _("Whatever the fund does")),
                *((str(each.id), f"{each.fund_code.upper()}: {each.title}") for each in earmarks),
            ]
        )

    def validate_amount(self, field: StringField) -> None:
        """Read the amount, or say what to type."""
        read_amount(field, self.currency.data or "")

    def money(self) -> Money:
        """Return the amount that was typed. Only after the form was found valid."""
        return read_amount(self.amount, self.currency.data)

    def chosen(self, earmarks: Sequence[Earmark]) -> Earmark | None:
        """Return the earmark that was chosen."""
        return next((each for each in earmarks if str(each.id) == self.earmark.data), None)


class PledgeForm(_MoneyForm):
    """What a donor announced."""

    announced_on = _day(_l("Announced on"), _l("Type the day of the announcement."))
    remark = _reason(_l("Where and how"), _l("Read by staff only."), Optional())


class InstalmentPart(PartForm):  # type: ignore[misc] # WTForms has no types
    """One row of a schedule; an empty one is left out."""

    due_on = DateField(_l("Due on"), validators=[Optional(), _plausible])
    amount = _amount_field(_l("Amount"), validators=[Optional()])


class AgreementForm(_MoneyForm):
    """What a donor signed, and when the money is due."""

    signed_on = _day(_l("Signed on"), _l("Type the day of the signature."))
    paper = FileField(
        _l("The signed paper"),
        description=_l("PDF, JPEG or PNG. It can follow later, before the agreement is confirmed."),
        render_kw={"accept": ".pdf,.jpg,.jpeg,.png"},
    )
    schedule = FieldList(
        FormField(InstalmentPart),
        _l("When the money is due"),
        min_entries=ROWS,
        max_entries=MOST_INSTALMENTS,
    )

    def validate_schedule(self, field: FieldList) -> None:
        """Read each row that is not empty; both of its parts have to be there."""
        for row in field.entries:
            part = row.form
            if bool(part.due_on.data) != bool(part.amount.data):
                lacking = part.amount if part.due_on.data else part.due_on
                lacking.errors = [_("Fill in both the day and the amount, or neither.")]
            elif part.amount.data:
                try:
                    read_amount(part.amount, self.currency.data or "")
                except ValidationError as bad:
                    part.amount.errors = [str(bad)]
        if any(part.errors for row in field.entries for part in row.form):
            raise ValidationError(_("Look at the rows of the schedule."))

    def terms(self, earmarks: Sequence[Earmark]) -> Terms:
        """Return what was typed. Only after the form was found valid."""
        schedule: list[tuple[date, Money]] = [
            (row.form.due_on.data, read_amount(row.form.amount, self.currency.data))
            for row in self.schedule.entries
            if row.form.amount.data
        ]
        return Terms(self.money(), self.signed_on.data, schedule, self.chosen(earmarks))


def as_agreement(agreement: ContributionAgreement) -> dict[str, Any]:
    """Return a draft as its form holds it."""
    return {
        "fund": agreement.fund_code,
        "currency": agreement.currency,
        "amount": format_amount(agreement.money, language()),
        "earmark": str(agreement.earmark_id or ""),
        "signed_on": agreement.signed_on,
        "schedule": [
            {
                "due_on": each.due_on,
                "amount": format_amount(Money(each.amount, agreement.currency), language()),
            }
            for each in agreement.instalments
        ],
    }


class WireForm(_MoneyForm):
    """Money that came to the bank, recorded by hand."""

    currency = SelectField(
        _l("Currency"),
        description=_l("That of the fund’s account on which it arrived."),
        choices=[],
        default="USD",
    )
    on = _day(_l("Arrived on"), _l("Type the day on which it arrived."))
    reference = _reference(_l("The bank’s reference"))
    settles = _amount_field(
        _l("How much of the agreement it settles"),
        description=_l(
            "In the currency of the agreement. Leave it empty to take the UN rates of the day."
        ),
        validators=[Optional()],
    )


class RefundForm(Form):
    """Money that was sent back."""

    amount = _amount_field(_l("Amount that went back"))
    on = _day(_l("Sent back on"), _l("Type the day on which it was sent back."))
    reference = _reference(_l("The bank’s reference"))
    reason = _reason(_l("Reason"), _l("Read by staff only."), InputRequired(_l("Give the reason.")))


class ReasonForm(Form):
    """Why something will not come."""

    reason = _reason(_l("Reason"), _l("Read by staff only."), InputRequired(_l("Give the reason.")))


class CancelForm(ReasonForm):
    """From which day on, and why, the rest of an agreement will not come."""

    on = _day(_l("Known since"), _l("Type the day since which it is known."))


class ConfirmAgreementForm(Form):
    """What a second person was shown of a draft."""

    digest = HiddenField()
