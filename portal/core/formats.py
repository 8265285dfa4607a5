"""How days, moments, numbers and sizes are written, in the language in use."""

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from portal.core.i18n import _, locale

KILO = 1024
PATTERN_ENGLISH = "d MMMM y, HH:mm"


def zone_named(zone: str | tzinfo | None) -> tzinfo:
    """Return the time zone of an IANA name; UTC for nothing."""
    if zone is None or zone == "UTC":
        return UTC
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def format_day(value: date, width: str = "long", zone: str | tzinfo | None = None) -> str:
    """Return a day such as `21 November 2026`; a moment is taken as a day in `zone`."""
    if isinstance(value, datetime):
        value = value.astimezone(zone_named(zone)).date()
    if locale().language == "en":
        return format_date(value, "d MMM y" if width == "medium" else "d MMMM y", locale="en")
    return format_date(value, width, locale=locale())


def format_moment(value: datetime, zone: str | tzinfo | None = None) -> str:
    """Return a moment such as `21 November 2026, 14:03` in `zone`; UTC unless told."""
    there = value.astimezone(zone_named(zone))
    if locale().language == "en":
        return format_datetime(there, PATTERN_ENGLISH, locale="en")
    day = format_date(there.date(), "long", locale=locale())
    return _("%(day)s, %(time)s", day=day, time=format_datetime(there, "HH:mm", locale=locale()))


def format_number(value: int | Decimal) -> str:
    """Return a number such as `1,234`."""
    return format_decimal(value, locale=locale())


def format_size(size_bytes: int) -> str:
    """Return the size of a file such as `1.2 MB`."""
    if size_bytes < KILO:
        return _("%(size)s bytes", size=format_number(size_bytes))
    size = Decimal(size_bytes) / KILO
    if size < KILO:
        return _("%(size)s KB", size=format_number(size.quantize(Decimal(1))))
    return _("%(size)s MB", size=format_number((size / KILO).quantize(Decimal("0.1"))))
