"""Forms of payments: the shape and the wording of what people type."""

from collections.abc import Iterable
from dataclasses import fields

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, DateField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.accounts.forms import country_choices
from portal.core.i18n import _, _l
from portal.core.web import Form, choices
from portal.payments import payees
from portal.payments.models import LateWay
from portal.payments.payees import Payee

REMARK_LIMIT = 1000
NAME_LIMIT = 140
REFERENCE_LIMIT = 80
CODE_LIMIT = 60
"""Codes come with spaces and dashes in them, which do not count."""


def _tidy(value: str | None) -> str:
    return (value or "").strip()


def _remark(label: object, hint: object) -> TextAreaField:
    return TextAreaField(
        label,
        description=hint,
        validators=[InputRequired(_l("Give the reason.")), Length(max=REMARK_LIMIT)],
        filters=[_tidy],
        render_kw={"rows": 4, "data-max-chars": REMARK_LIMIT},
    )


def _code(label: object, hint: object) -> StringField:
    return StringField(
        label,
        description=hint,
        validators=[Optional(), Length(max=CODE_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class BankForm(Form):
    """Where a grantee's money goes."""

    holder = StringField(
        _l("Account holder"),
        description=_l("Exactly as the bank writes it: the organisation, not a person."),
        validators=[InputRequired(_l("Give the account holder.")), Length(max=NAME_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off"},
    )
    account = StringField(
        _l("IBAN or account number"),
        description=_l("Spaces do not matter. Where your country has an IBAN, give the IBAN."),
        validators=[InputRequired(_l("Give the account.")), Length(max=CODE_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    bank = StringField(
        _l("Name of the bank"),
        validators=[InputRequired(_l("Give the bank.")), Length(max=NAME_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off"},
    )
    country = SelectField(
        _l("Country of the bank"), validators=[InputRequired(_l("Choose the country."))]
    )
    town = StringField(
        _l("Town of the branch"),
        description=_l("Banks ask for it with payments from abroad."),
        validators=[Optional(), Length(max=NAME_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off"},
    )
    bic = _code(
        _l("BIC (SWIFT code)"),
        _l("8 or 11 letters and digits. With an account number, give this or the code below."),
    )
    clearing_code = _code(
        _l("National code of the bank"),
        _l("Where there is no BIC: a routing number, sort code, IFSC or bank and branch code."),
    )
    intermediary_bic = _code(
        _l("BIC of an intermediary bank"),
        _l("Only where your bank says that payments from abroad go through another bank."),
    )
    intermediary_account = _code(
        _l("Account of your bank at the intermediary bank"), _l("Only if your bank names one.")
    )

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.country.choices = choices(country_choices(_("Choose a country")))

    def validate(self, extra_validators: object = None) -> bool:
        """Hold the account and its bank to the registries; each fault stands at its field."""
        sound: bool = super().validate(extra_validators)
        for name, sentence in payees.faults(payees.cleaned(self.payee())).items():
            if name in self and not self[name].errors:
                self[name].errors = [sentence]
                sound = False
        return sound

    def payee(self) -> Payee:
        """Return what was typed."""
        names = [field.name for field in fields(Payee) if field.name in self]
        return Payee(**{name: self[name].data or "" for name in names})


class VerifyForm(Form):
    """The word of the second person on bank details."""

    screened = BooleanField(
        _l(
            "I compared the account with the documents, and screened its holder against the "
            "sanctions lists: no match is open"
        ),
        validators=[InputRequired(_l("Do both first, and say so."))],
    )


class RemarkForm(Form):
    """A reason, for acts that need one."""

    remark = _remark(_l("Reason"), _l("It stays in the file."))


class RefuseForm(Form):
    """Why bank details are not accepted."""

    remark = _remark(_l("What is wrong"), _l("The grantee reads this."))


class ConfirmForm(Form):
    """What the paying agent did."""

    reference = StringField(
        _l("Reference of the paying agent"),
        validators=[InputRequired(_l("Give the reference.")), Length(max=REFERENCE_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off"},
    )
    on = DateField(_l("Day of the payment"), validators=[InputRequired(_l("Give the day."))])


class ReturnForm(Form):
    """A payment that came back."""

    on = DateField(_l("Day on which it came back"), validators=[InputRequired(_l("Give the day."))])
    remark = _remark(_l("Reason"), _l("As the paying agent gives it."))


class LateForm(Form):
    """What money is that came back too late by card."""

    way = RadioField(_l("What it is"), validators=[InputRequired(_l("Choose what it is."))])
    remark = _remark(
        _l("Reason"), _l("What the grantee said, or what you found out. It stays on record.")
    )

    def offer(self, found: Iterable[tuple[LateWay, str]]) -> None:
        """Offer what it can be, each in words."""
        self.way.choices = choices([(way.value, words) for way, words in found])


class HandOverForm(Form):
    """That the bank has a file; where a payment of it must not be made, what the bank was told."""

    told_to_stop = BooleanField(
        _l("The bank has had this file since before, and I told it not to make the payments above")
    )


class FundAccountForm(BankForm):
    """An account of a fund."""

    clearing_code = intermediary_bic = intermediary_account = None

    fund = SelectField(_l("Fund"), validators=[InputRequired(_l("Choose the fund."))])
    currency = StringField(
        _l("Currency"),
        description=_l("Three letters, such as USD."),
        validators=[InputRequired(_l("Give the currency.")), Length(min=3, max=3)],
        filters=[lambda value: _tidy(value).upper()],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class MessageForm(Form):
    """A file of the bank, of whatever kind."""

    file = FileField(
        _l("File of the bank"),
        description=_l("An answer, a notification, a statement or returned payments, in XML."),
        validators=[FileRequired(_l("Choose the file."))],
    )


class SeenForm(Form):
    """How somebody saw to what a message of the bank left."""

    note = TextAreaField(
        _l("How it was seen to"),
        description=_l("What you found out and did. It stays with the message."),
        validators=[InputRequired(_l("Say how it was seen to.")), Length(max=REMARK_LIMIT)],
        filters=[_tidy],
        render_kw={"rows": 4, "data-max-chars": REMARK_LIMIT},
    )


class QueueForm(Form):
    """What the queue is narrowed to."""

    matter = SelectField(_l("What"))
    fund = SelectField(_l("Fund"))
