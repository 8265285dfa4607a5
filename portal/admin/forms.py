"""Forms of administration."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from wtforms import DateField, RadioField, SelectField
from wtforms.validators import InputRequired, Optional

from portal.accounts.forms import country_choices
from portal.accounts.models import NationalityReason, Person, Role
from portal.core import clock
from portal.core.i18n import _, _l, translated
from portal.core.web import Form, choices
from portal.funds.profile import Profile


class RoleForm(Form):
    """A role with its scope and its days."""

    role = SelectField(_l("Role"), validators=[InputRequired(_l("Choose the role."))])
    fund = SelectField(
        _l("Fund"),
        description=_l("For one fund only, or for all of them."),
        validators=[Optional()],
    )
    country = SelectField(
        _l("Country"),
        description=_l("For applications from one country only: members of a task force."),
        validators=[Optional()],
    )
    from_day = DateField(
        _l("First day"), validators=[InputRequired(_l("Give the first day of the role."))]
    )
    until_day = DateField(
        _l("Last day"),
        description=_l("Leave it empty for a role without an end; it can be ended at any time."),
        validators=[Optional()],
    )

    def __init__(self, funds: Sequence[Profile]) -> None:
        super().__init__()
        self.role.choices = choices([("", _("Choose a role")), *Role.choices()])
        named = [(fund.code, f"{fund.acronym}: {translated(fund.short_name)}") for fund in funds]
        self.fund.choices = choices([("", _("All funds")), *named])
        self.country.choices = choices(country_choices(_("All countries")))
        if not self.is_submitted():
            self.from_day.data = clock.today()

    def terms(self) -> dict[str, Any]:
        """Return the scope and the days as the service takes them."""
        first: date = self.from_day.data
        return {
            "fund": self.fund.data or None,
            "country": self.country.data or None,
            "from_day": first,
            "until_day": self.until_day.data,
        }


class NationalityForm(Form):
    """The nationality of somebody who reviews, and why it is corrected (R16)."""

    nationality = SelectField(
        _l("Nationality"),
        description=_l("Nationals of the applicant's country step aside (R16)."),
        validators=[Optional()],
    )
    reason = RadioField(
        _l("Why it is corrected"),
        description=_l("The reason stands in the record; the nationality does not."),
        choices=choices(NationalityReason.choices()),
        validators=[InputRequired(_l("Choose the reason."))],
    )

    def __init__(self, person: Person) -> None:
        super().__init__(data={"nationality": person.nationality or ""})
        self.nationality.choices = choices(country_choices(_("Not given")))
