"""Pure decisions about a fund and its calls: the ceiling and the dates.

All amounts are US$ in minor units (cents); all moments are aware UTC datetimes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.i18n import LANGUAGES, _
from portal.funds.countries import all_countries

if TYPE_CHECKING:  # the profile itself is validated against the ceiling below
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date, datetime

    from portal.funds.profile import EligibilityRule, Profile

MICRO_GRANT_CEILING = 500_000
"""US$ 5,000 in cents: what a micro-grant may at most be. Fixed by the scheme's mission; a call may
lower it, and no profile, setting or role can raise it (R9)."""

WHOLE = 100
"""Per cent: what weights and instalments sum to."""


def effective_ceiling(profile: Profile, call_ceiling_minor: int | None) -> int | None:
    """Return the most that one award may be; None where neither fund nor call sets a ceiling.

    The lowest of the call's ceiling, the fund's and, for a micro-grant, US$ 5,000 (R9). A ceiling
    that a call sets above its fund's has no effect.
    """
    ceilings = [call_ceiling_minor, profile.budget.ceiling_usd_minor]
    if profile.micro_grant:
        ceilings.append(MICRO_GRANT_CEILING)
    return min((ceiling for ceiling in ceilings if ceiling is not None), default=None)


def ceiling_fault(profile: Profile, call_ceiling_minor: int | None) -> str | None:
    """Return the sentence that refuses a call's ceiling, or None when the call may have it.

    A call may lower its fund's ceiling and never raise it; a fund without one needs one in the
    call before it opens (R9).
    """
    own = effective_ceiling(profile, None)
    if call_ceiling_minor is None:
        return _("This fund has no ceiling of its own: the call must set one.") if not own else None
    if call_ceiling_minor <= 0:
        return _("The ceiling must be more than nothing.")
    if own is not None and call_ceiling_minor > own:
        return _("The ceiling of a call may be lower than its fund's, never higher.")
    return None


def dates_fault(
    *, opens_at: datetime, closes_at: datetime, reference_day: date, now: datetime
) -> str | None:
    """Return the sentence that refuses the dates of a call that is to open, or None.

    Rates and country flags are read on the reference day, so it cannot come after the deadline.
    """
    if closes_at <= opens_at:
        return _("The deadline must come after the opening.")
    if closes_at <= now:
        return _("The deadline has passed: set a later one before opening the call.")
    if reference_day > closes_at.date():
        return _("The reference date cannot come after the deadline.")
    return None


def names_countries(profile: Profile) -> bool:
    """Tell whether the list of countries of this fund comes with each call (R2)."""
    lists = [rule for rule in profile.eligibility if rule.check == "country_list"]
    return any(not rule.texts("countries") for rule in lists)


def unknown_countries(codes: Iterable[str]) -> list[str]:
    """Return those codes that belong to no country that the portal knows."""
    known = {each.iso3 for each in all_countries()}
    return [code for code in codes if code not in known]


def scope_fault(
    profile: Profile,
    *,
    countries: Collection[str],
    languages: Collection[str],
    session_label: str,
) -> str | None:
    """Return the sentence that refuses to open a call for what it lacks or may not say, or None.

    Countries are named exactly where the fund's list comes with the call (R2), at least one
    language always (R8), a session where a State has a limited number of places in each (R5).
    """
    if names_countries(profile) and not countries:
        return _("Name the countries in which the call is open: this fund has no list of its own.")
    if countries and not names_countries(profile):
        return _("Leave the countries out: this fund's own rules say which States it serves.")
    if not languages:
        return _("Name at least one language in which applications may be written.")
    if any(language not in LANGUAGES for language in languages):
        return _("Choose languages from the list: it holds those that the portal can show.")
    if profile.process.max_awards_per_state_and_session is not None and not session_label.strip():
        return _("Name the session: this fund counts the places of each State by session.")
    return None


def takes_applications(*, opens_at: datetime, closes_at: datetime, at: datetime) -> bool:
    """Tell whether a published call takes applications at a moment: the deadline itself is late.

    Source: R7, late is decided by the server's clock.
    """
    return opens_at <= at < closes_at


def _checks(profile: Profile, check: str) -> Iterator[EligibilityRule]:
    return (rule for rule in profile.eligibility if rule.check == check)
