"""Forms of accounts: the shape and the wording of what people type."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from flask import current_app
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.accounts import rules
from portal.accounts.models import MemberRole, OrganisationKind, Person
from portal.core.i18n import _, _l, offered
from portal.core.web import Form, choices
from portal.core.workflow import Refused

NEW_PASSWORD_HINT = _l(
    "At least 12 characters. A few words that do not belong together are good; "
    "your name, your address and well-known passwords are not accepted."
)
NUMBER_LIMIT = 100
ADDRESS_LIMIT = 1000


def country_choices(first: str) -> list[tuple[str, str]]:
    """Return (ISO 3166 alpha-3, name) in the reader's language, after an empty choice `first`.

    The countries are facts of the funds, a feature above this one; the application hands them in.
    """
    countries: Callable[[], list[tuple[str, str]]] = current_app.config["COUNTRIES"]
    return [("", first), *countries()]


def _tidy(value: str | None) -> str:
    return (value or "").strip()


def email_field(label: Any = None, **more: Any) -> EmailField:
    """Return a field for an e-mail address."""
    return EmailField(
        label or _l("E-mail address"),
        validators=[InputRequired(_l("Type the e-mail address.")), Length(max=254)],
        filters=[_tidy],
        **({"render_kw": {"autocomplete": "email"}} | more),
    )


def name_field(label: Any, message: Any, **more: Any) -> StringField:
    """Return a field for the name of a person or an organisation."""
    return StringField(
        label,
        validators=[
            InputRequired(message),
            Length(max=rules.NAME_LIMIT, message=_l("Use 200 characters at most.")),
        ],
        filters=[_tidy],
        **more,
    )


def password_field(label: Any, *, new: bool = False, message: Any = None) -> PasswordField:
    """Return a field for a password; password managers are told whether it is a new one."""
    return PasswordField(
        label,
        description=NEW_PASSWORD_HINT if new else "",
        validators=[InputRequired(message or _l("Type the password."))],
        render_kw={"autocomplete": "new-password" if new else "current-password"},
    )


def _demand_address(form: Form, field: EmailField) -> None:
    """Show the sentence about an incomplete address beside the field."""
    del form
    try:
        rules.clean_email(field.data)
    except Refused as refused:
        raise ValidationError(refused.sentence) from refused


class SignInForm(Form):
    """Who somebody is. Addresses are not judged here: a wrong one is like an unknown one."""

    email = email_field(render_kw={"autocomplete": "username"})
    password = password_field(_l("Password"))


class IdentityForm(Form):
    """The password once more."""

    password = password_field(_l("Your password"))


class RegisterForm(Form):
    """What opens an account."""

    name = name_field(_l("Your name"), _l("Type your name."), render_kw={"autocomplete": "name"})
    email = email_field(description=_l("A message with a link goes there to confirm it."))
    password = password_field(_l("Password"), new=True, message=_l("Choose a password."))
    time_zone = HiddenField()
    """What the browser says it is, by the script; can be chosen on the account's page."""

    validate_email = _demand_address

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is short or easily guessed, beside the field."""
        _demand_usable(field, str(self.email.data), str(self.name.data))


def _demand_usable(field: PasswordField, email: str, name: str) -> None:
    sentence = rules.password_refusal(field.data, email=email, name=name)
    if sentence:
        raise ValidationError(sentence)


class ForgotForm(Form):
    """Where to send the link for a new password."""

    email = email_field()
    validate_email = _demand_address


class ResetForm(Form):
    """A new password, by a link."""

    password = password_field(_l("New password"), new=True, message=_l("Choose a password."))

    def __init__(self, *, email: str, name: str = "") -> None:
        super().__init__()
        self._email, self._name = email, name

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is short or easily guessed, beside the field."""
        _demand_usable(field, self._email, self._name)


class JoinForm(Form):
    """What opens an account by an invitation, which has proved the address."""

    name = name_field(_l("Your name"), _l("Type your name."), render_kw={"autocomplete": "name"})
    password = password_field(_l("Password"), new=True, message=_l("Choose a password."))

    def __init__(self, *, email: str) -> None:
        super().__init__()
        self._email = email

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is short or easily guessed, beside the field."""
        _demand_usable(field, self._email, str(self.name.data))


class ProfileForm(Form):
    """How the portal addresses somebody."""

    name = name_field(_l("Your name"), _l("Type your name."), render_kw={"autocomplete": "name"})
    language = SelectField(_l("Language of pages and messages"), choices=choices(offered().items()))
    time_zone = SelectField(
        _l("Time zone"),
        description=_l("Times are shown in this zone, with Universal Time (UTC) beside."),
    )
    nationality = SelectField(
        _l("Nationality"),
        description=_l(
            "Needed of those who read or decide on applications: nationals of the applicant's "
            "country step aside (R16)."
        ),
        validators=[Optional()],
    )

    def __init__(self, person: Person) -> None:
        super().__init__(obj=person)
        self.time_zone.choices = choices((zone, zone.replace("_", " ")) for zone in time_zones())
        self.nationality.choices = choices(country_choices(_("Not given")))
        if person.nationality and person.holds_any(*rules.REVIEWING):
            self.nationality.description = _(
                "It decides which applications you may read (R16). An administrator can correct it."
            )


def time_zones() -> list[str]:
    """Return the names of the time zones that people know, UTC first."""
    known = sorted(
        zone
        for zone in available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/", "SystemV/", "US/"))
    )
    return ["UTC", *known]


class PasswordForm(Form):
    """A new password in place of a known one."""

    old_password = password_field(_l("Present password"))
    new_password = password_field(
        _l("New password"), new=True, message=_l("Choose a new password.")
    )

    def __init__(self, person: Person) -> None:
        super().__init__()
        self._person = person

    def validate_new_password(self, field: PasswordField) -> None:
        """Refuse what is short or easily guessed, beside the field."""
        _demand_usable(field, self._person.email, self._person.name)


class OrganisationForm(Form):
    """An applicant as it is registered."""

    name = name_field(
        _l("Name"),
        _l("Type the name of the organisation."),
        description=_l("As on the certificate of registration; for an individual, your own name."),
        render_kw={"autocomplete": "organization"},
    )
    kind = RadioField(
        _l("What it is"),
        choices=choices(OrganisationKind.choices()),
        validators=[InputRequired(_l("Choose what the applicant is."))],
    )
    country = SelectField(
        _l("Country"), validators=[InputRequired(_l("Choose the country from the list."))]
    )
    registered_on = DateField(
        _l("Date of registration"),
        description=_l("If it is registered. Several funds ask for at least one year."),
        validators=[Optional()],
    )
    registration_number = StringField(
        _l("Registration number"),
        validators=[Optional(), Length(max=NUMBER_LIMIT)],
        filters=[_tidy],
    )
    address = TextAreaField(
        _l("Postal address"),
        validators=[Optional(), Length(max=ADDRESS_LIMIT)],
        filters=[_tidy],
        render_kw={"rows": 4, "autocomplete": "street-address"},
    )

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.country.choices = choices(country_choices(_("Choose a country")))

    def details(self) -> dict[str, Any]:
        """Return the fields as the services take them."""
        return {
            "name": self.name.data,
            "kind": OrganisationKind(self.kind.data),
            "country": self.country.data,
            "registered_on": self.registered_on.data,
            "registration_number": self.registration_number.data,
            "address": self.address.data,
        }


class NewOrganisationForm(OrganisationForm):
    """An applicant with whoever represents it by law."""

    title = StringField(
        _l("Your function there"),
        description=_l("For instance director, chair, or focal point."),
        validators=[Optional(), Length(max=rules.NAME_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "organization-title"},
    )
    represents = BooleanField(
        _l("I may sign for this applicant as its legal representative"),
        validators=[
            InputRequired(
                _l(
                    "Only somebody who may sign for the applicant can enter it. Ask that person "
                    "to enter it and to invite you."
                )
            )
        ],
    )


class InviteForm(Form):
    """A colleague and what they will do."""

    email = email_field(
        _l("Their e-mail address"),
        description=_l("The message holds a link only; it names no organisation and no fund."),
        render_kw={"autocomplete": "off"},
    )
    role = RadioField(
        _l("What they will do"),
        choices=choices(MemberRole.choices()),
        default=MemberRole.EDITOR.value,
        validators=[InputRequired(_l("Choose what they will do."))],
    )
    validate_email = _demand_address
