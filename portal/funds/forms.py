"""The form of a call: the shape and the wording of what a programme officer types."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from wtforms import (
    DateField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.i18n import LANGUAGES, _, _l, language, locale
from portal.core.money import BadAmount, Money, format_amount, usd
from portal.core.web import Form, choices
from portal.funds.countries import all_countries, display_name
from portal.funds.models import Call
from portal.funds.profile import Profile
from portal.funds.service import CallTerms

TITLE_LIMIT = 160
SUMMARY_LIMIT = 1500
LAST_MINUTE = time(23, 59)
FIRST_YEAR, LAST_YEAR = 1987, 2100


def _tidy(value: str | None) -> str:
    return (value or "").strip()


def _choice_of_many(label: Any, **more: Any) -> SelectMultipleField:
    """Return a field of checkboxes."""
    return SelectMultipleField(
        label, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), **more
    )


def _plausible(_form: Form, field: DateField) -> None:
    if field.data and not FIRST_YEAR <= field.data.year <= LAST_YEAR:
        raise ValidationError(_("Check the year."))


def _day(label: Any, message: Any, **more: Any) -> DateField:
    return DateField(label, validators=[InputRequired(message), _plausible], **more)


def _chosen(_form: Form, field: SelectField) -> None:
    """Refuse an empty choice; the list has no empty line that HTML could call required."""
    if not field.data:
        raise ValidationError(_("Choose the fund."))


class CallForm(Form):
    """What a call says. Dates are typed in the call's own time zone."""

    fund = SelectField(_l("Fund"), choices=[], validators=[_chosen])
    title = StringField(
        _l("Title"),
        description=_l("As the public will read it."),
        filters=[_tidy],
        validators=[
            InputRequired(_l("Give the call a title.")),
            Length(max=TITLE_LIMIT, message=_l("Use 160 characters at most.")),
        ],
        render_kw={"data-max-chars": TITLE_LIMIT},
    )
    summary = TextAreaField(
        _l("What the call is about"),
        description=_l("A few sentences: the theme, and whom it is meant for."),
        filters=[_tidy],
        validators=[Optional(), Length(max=SUMMARY_LIMIT)],
        render_kw={"rows": 5, "data-max-chars": SUMMARY_LIMIT},
    )
    session_label = StringField(
        _l("Session"),
        description=_l("For travel funds: the session of the Council or of the UPR working group."),
        filters=[_tidy],
        validators=[Optional(), Length(max=TITLE_LIMIT)],
    )
    opens_on = _day(
        _l("Opens on"),
        _l("Type the day on which the call opens."),
        description=_l("From midnight in the time zone below."),
    )
    closes_on = _day(_l("Deadline: day"), _l("Type the day of the deadline."))
    closes_at = TimeField(
        _l("Deadline: time"),
        description=_l("Whatever arrives at this minute or later is late."),
        validators=[InputRequired(_l("Type the time of the deadline, like 23:59."))],
        default=LAST_MINUTE,
    )
    time_zone = SelectField(
        _l("Time zone of these dates"),
        description=_l("The public reads the deadline in UTC and in this zone."),
        default="UTC",
    )
    reference_day = _day(
        _l("Reference date"),
        _l("Type the reference date."),
        description=_l("The day whose rates of exchange and country lists count."),
    )
    envelope = StringField(
        _l("Money in the call"),
        description=_l("In US$: what all grants of the call may add up to."),
        filters=[_tidy],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    ceiling = StringField(
        _l("Ceiling of one grant"),
        description=_l("In US$. Leave it empty for the fund's own ceiling; you may only go below."),
        filters=[_tidy],
        validators=[Optional()],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    languages = _choice_of_many(
        _l("Languages in which applications may be written"),
        choices=choices(LANGUAGES.items()),
        default=["en"],
    )
    countries = _choice_of_many(
        _l("Countries"),
        description=_l("Only for funds whose list of countries comes with each call."),
        choices=[],
    )

    def offer(self, profiles: Sequence[Profile]) -> None:
        """Fill the lists to choose from: the person's funds, time zones, countries by name."""
        self.fund.choices = choices(
            (profile.code, f"{profile.acronym}: {_(profile.short_name)}") for profile in profiles
        )
        self.time_zone.choices = choices((zone, zone.replace("_", " ")) for zone in zones())
        self.countries.choices = choices(
            (each.iso3, display_name(each.iso3, locale())) for each in all_countries()
        )

    def validate_envelope(self, field: StringField) -> None:
        """Read the amount, or say what to type."""
        _amount(field)

    def validate_ceiling(self, field: StringField) -> None:
        """Read the amount, or say what to type."""
        _amount(field)

    def validate_languages(self, field: SelectMultipleField) -> None:
        """Ask for at least one language (R8)."""
        if not field.data:
            raise ValidationError(_("Choose at least one language."))

    def terms(self) -> CallTerms:
        """Return what was typed. Only after the form was found valid."""
        zone = ZoneInfo(self.time_zone.data)
        return CallTerms(
            title=self.title.data,
            summary=self.summary.data or "",
            session_label=self.session_label.data or "",
            opens_at=_moment(self.opens_on.data, time.min, zone),
            closes_at=_moment(self.closes_on.data, self.closes_at.data, zone),
            time_zone=self.time_zone.data,
            reference_day=self.reference_day.data,
            envelope_usd=_amount(self.envelope).minor,
            ceiling_usd=_amount(self.ceiling).minor if self.ceiling.data else None,
            languages=self.languages.data,
            countries=self.countries.data or [],
        )


def zones() -> list[str]:
    """Return the time zones to choose from, UTC first."""
    named = sorted(zone for zone in available_timezones() if "/" in zone and zone[:3] != "Etc")
    return ["UTC", *named]


def as_typed(call: Call) -> dict[str, Any]:
    """Return the terms of a call as its form holds them."""
    opens, closes = (moment.astimezone(call.zone) for moment in (call.opens_at, call.closes_at))
    return {
        "fund": call.fund_code,
        "title": call.title,
        "summary": call.summary,
        "session_label": call.session_label,
        "opens_on": opens.date(),
        "closes_on": closes.date(),
        "closes_at": closes.time(),
        "time_zone": call.time_zone,
        "reference_day": call.reference_day,
        "envelope": format_amount(call.envelope, language()),
        "ceiling": format_amount(usd(call.ceiling_usd), language()) if call.ceiling_usd else "",
        "languages": call.languages,
        "countries": call.countries,
    }


def _amount(field: StringField) -> Money:
    try:
        return Money.parse(field.data or "", "USD", language())
    except BadAmount as bad:
        raise ValidationError(bad.sentence) from bad


def _moment(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock_time, zone).astimezone(UTC)
