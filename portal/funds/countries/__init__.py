"""Countries: our own table of facts, asked as of a date.

The 193 members of the United Nations and its two observer States. Whether a country is least
developed changes with time, so every flag is asked for a day (R1); a fund's own list goes before
the flags (R2).
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from unicodedata import normalize

from babel import Locale

from portal.core.i18n import PSEUDO
from portal.funds.countries import facts
from portal.funds.countries.names import UN_NAMES
from portal.funds.countries.places import Group, Region, SubRegion

__all__ = [
    "Country",
    "Group",
    "Period",
    "Region",
    "SubRegion",
    "all_countries",
    "country",
    "display_name",
    "has_flag",
]


@dataclass(frozen=True)
class Period:
    """Days from `since` (None: always) until the day before `until` (None: for good)."""

    since: date | None = None
    until: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether the day lies in the period."""
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)


@dataclass(frozen=True)
class Country:
    """A member or observer State of the United Nations and what is known of it."""

    iso3: str
    iso2: str
    m49: str
    name: str
    """The official short name in English."""
    group: Group | None
    """The regional group; None for the observers."""
    sub_region: SubRegion
    least_developed: tuple[Period, ...] = ()
    landlocked: tuple[Period, ...] = ()
    small_island: tuple[Period, ...] = ()
    developing: bool = True
    """Outside the developed regions of M49 as it last had them; to be confirmed for the funds."""
    geneva_mission: bool | None = None
    """False: recorded as having no permanent mission in Geneva, to be confirmed by the fund
    secretariat. None: nothing recorded."""
    member: bool = True
    """A member of the United Nations; False for its observer States."""
    to_be_confirmed: bool = False
    """The day on which it leaves the least developed countries is not final."""

    @property
    def region(self) -> Region:
        """The M49 region."""
        return self.sub_region.region

    def is_ldc(self, on: date) -> bool:
        """Tell whether it is a least developed country on this day."""
        return any(period.holds(on) for period in self.least_developed)

    def is_lldc(self, on: date) -> bool:
        """Tell whether it is a landlocked developing country on this day."""
        return any(period.holds(on) for period in self.landlocked)

    def is_sids(self, on: date) -> bool:
        """Tell whether it is a small island developing State on this day."""
        return any(period.holds(on) for period in self.small_island)


def country(iso3: str) -> Country:
    """Return the country with this ISO 3166 code. KeyError when there is none."""
    return _table()[iso3]


def all_countries() -> list[Country]:
    """Return all members and observers, by English name."""
    return sorted(_table().values(), key=lambda each: normalize("NFKD", each.name))


DATED_FLAGS = ("ldc", "lldc", "sids")
"""The flags that a country has for a time: they are asked for a day."""


def has_flag(each: Country, flag: str, on: date) -> bool:
    """Tell whether a country has one of the flags of profiles on a day (R1).

    Flags: ldc, lldc, sids, developing. KeyError for any other.
    """
    answers = {
        "ldc": each.is_ldc(on),
        "lldc": each.is_lldc(on),
        "sids": each.is_sids(on),
        "developing": each.developing,
    }
    return answers[flag]


def display_name(iso3: str, locale: Locale | str) -> str:
    """Return the name of a country in a language, the UN's where it differs from the usual one.

    KeyError when there is no such country.
    """
    spoken = Locale.parse(PSEUDO.get(str(locale), str(locale)).replace("-", "_"))
    each = country(iso3)
    if spoken.language == "en":
        return each.name
    own = UN_NAMES.get(spoken.language, {}).get(iso3)
    return own or spoken.territories.get(each.iso2, each.name)


@cache
def _table() -> dict[str, Country]:
    found = (_country(line) for line in facts.TABLE.strip().splitlines())
    return {each.iso3: each for each in found}


def _country(line: str) -> Country:
    iso3, iso2, m49, group, sub_region, name = line.split(maxsplit=5)
    since, until = facts.LEAST_DEVELOPED.get(iso3, (None, None))
    part = {each.value: each for each in SubRegion}[sub_region]
    return Country(
        iso3=iso3,
        iso2=iso2,
        m49=m49,
        name=name,
        group={each.value: each for each in Group}.get(group),
        sub_region=part,
        least_developed=(Period(since, until),) if since else (),
        landlocked=(Period(facts.LANDLOCKED_SINCE.get(iso3)),)
        if iso3 in facts.LANDLOCKED_DEVELOPING
        else (),
        small_island=(Period(),) if iso3 in facts.SMALL_ISLAND_DEVELOPING else (),
        developing=part.region is not Region.EUROPE and iso3 not in facts.DEVELOPED_OUTSIDE_EUROPE,
        geneva_mission=False if iso3 in facts.NO_GENEVA_MISSION else None,
        member=group != "-",
        to_be_confirmed=iso3 in facts.LEAST_DEVELOPED_TO_BE_CONFIRMED,
    )
