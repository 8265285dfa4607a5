"""Funds and calls, by loading the profiles and by the programme officer's own verbs."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from portal.accounts.models import Person, Role
from portal.core import clock
from portal.funds import rules, service
from portal.funds.models import Call
from portal.funds.profile import Profile, load_profiles
from portal.funds.service import CallTerms
from tests.make.accounts import person


@cache
def profiles() -> Mapping[str, Profile]:
    """Return the funds as the portal's own files describe them, read once."""
    return load_profiles()


def officer(fund: str | None = None) -> Person:
    """Return a programme officer of a fund (of all without one)."""
    return person(roles=[(Role.PROGRAMME_OFFICER, fund, None)], name="Olga Programme")


def terms(fund: str = "act", **changes: Any) -> CallTerms:
    """Return the terms of a call that can be opened: from yesterday until in thirty days."""
    now = clock.now()
    profile = profiles()[fund]
    given: dict[str, Any] = {
        "title": "Human rights where we live",
        "opens_at": now - timedelta(days=1),
        "closes_at": now + timedelta(days=30),
        "reference_day": now.date(),
        "envelope_usd": 10_000_000,
        "ceiling_usd": None if profile.budget.ceiling_usd_minor else 5_000_000,
        "countries": ["KEN", "NPL", "PER"] if rules.names_countries(profile) else [],
        "languages": ["en", "fr", "es", "ar"],
        "session_label": "Session 64" if profile.process.nominee else "",
    }
    return CallTerms(**(given | changes))


def draft_call(fund: str = "act", *, by: Person | None = None, **changes: Any) -> Call:
    """Return a call of a fund as a draft."""
    service.load_profiles_into_database(profiles())
    return service.create_call(fund, terms(fund, **changes), by=by or officer(fund))


def call(fund: str = "act", *, by: Person | None = None, **changes: Any) -> Call:
    """Return a published call of a fund that takes applications now."""
    who = by or officer(fund)
    found = draft_call(fund, by=who, **changes)
    service.open_call(found, by=who)
    return found
