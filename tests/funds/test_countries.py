"""The table of countries against the United Nations' own lists."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from portal.core.i18n import LANGUAGES
from portal.funds.countries import Country, Group, all_countries, country, display_name, has_flag

LISTS = Path(__file__).parents[3] / "shared" / "data"
SEPTEMBER_2024 = date(2024, 9, 15)
TODAY = date(2026, 11, 21)
GROUPS = {
    "AFRICAN": Group.AFRICAN,
    "APG": Group.ASIA_PACIFIC,
    "EEG": Group.EASTERN_EUROPEAN,
    "GRULAC": Group.GRULAC,
    "WEOG": Group.WEOG,
}


def _rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the UN's lists; none where the lists are not at hand."""
    path = LISTS / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _ldcs(on: date) -> set[str]:
    return {each.iso3 for each in all_countries() if each.is_ldc(on)}


def test_193_members_and_two_observers() -> None:
    assert sum(each.member for each in all_countries()) == 193
    assert [each.iso3 for each in all_countries() if not each.member] == ["VAT", "PSE"]


def test_the_regional_groups_have_their_size() -> None:
    sizes = Counter(each.group for each in all_countries() if each.member)
    assert [sizes[group] for group in Group] == [54, 54, 23, 33, 29]


@pytest.mark.parametrize("code", ["iso2", "iso3", "m49", "name"])
def test_no_code_is_used_twice(code: str) -> None:
    assert len({getattr(each, code) for each in all_countries()}) == 195


def test_the_table_agrees_with_the_list_of_members() -> None:
    for row in _rows("un-member-states-groups.csv"):
        each = country(row["iso3"])
        assert (each.iso2, each.m49) == (row["iso2"], row["m49"])
        assert each.name == row["name_en_m49"].replace("'", "’")
        assert each.group is GROUPS[row["un_regional_group"]]
        assert each.is_ldc(SEPTEMBER_2024) == (row["ldc_2024_09"] == "1"), each.name
        assert each.is_lldc(SEPTEMBER_2024) == (row["lldc_2024_09"] == "1"), each.name
        assert each.is_sids(SEPTEMBER_2024) == (row["sids_2024_09"] == "1"), each.name


def test_the_table_agrees_with_m49() -> None:
    ours = {each.iso3: each for each in all_countries()}
    for row in _rows("m49-2024-09-en.csv"):
        each = ours.get(row["ISO-alpha3 Code"])
        if each is not None:
            assert each.sub_region.value == row["Sub-region Code"]
            assert str(each.sub_region.label) == row["Sub-region Name"]
            assert str(each.region.label) == row["Region Name"]


@pytest.mark.parametrize(
    ("on", "number"),
    [
        (date(1972, 1, 1), 24),
        (date(2007, 12, 19), 50),
        (date(2013, 1, 1), 49),
        (date(2023, 12, 12), 46),
        (date(2023, 12, 13), 45),
        (date(2024, 12, 13), 44),
        (TODAY, 44),
        (date(2026, 11, 24), 41),
        (date(2027, 12, 13), 40),
        (date(2029, 12, 31), 38),
    ],
)
def test_the_number_of_least_developed_countries_on_a_day(on: date, number: int) -> None:
    assert len(_ldcs(on)) == number


def test_a_country_leaves_on_its_day_and_not_before() -> None:
    nepal = country("NPL")
    assert nepal.is_ldc(date(2026, 11, 23))
    assert not nepal.is_ldc(date(2026, 11, 24))
    assert _ldcs(date(2026, 11, 23)) - _ldcs(date(2026, 11, 24)) == {"BGD", "LAO", "NPL"}


def test_days_that_are_not_final_say_so() -> None:
    assert country("KHM").to_be_confirmed
    assert country("SEN").to_be_confirmed
    assert not country("NPL").to_be_confirmed


def test_32_landlocked_and_37_island_members() -> None:
    assert sum(each.is_lldc(TODAY) for each in all_countries()) == 32
    assert sum(each.is_sids(TODAY) for each in all_countries()) == 37
    assert not country("SSD").is_lldc(date(2011, 1, 1))


@pytest.mark.parametrize(
    ("iso3", "flag", "holds"),
    [
        ("UGA", "ldc", True),
        ("UGA", "lldc", True),
        ("UGA", "sids", False),
        ("MDA", "developing", False),
        ("MDA", "lldc", True),
        ("KEN", "developing", True),
        ("CHE", "developing", False),
        ("JPN", "developing", False),
    ],
)
def test_flags(iso3: str, flag: str, holds: bool) -> None:  # noqa: FBT001
    assert has_flag(country(iso3), flag, TODAY) is holds


def test_states_without_a_mission_in_geneva_are_small_and_recorded_as_such() -> None:
    without = [each for each in all_countries() if each.geneva_mission is False]
    assert country("KIR") in without
    assert all(each.is_sids(TODAY) for each in without)
    assert country("KEN").geneva_mission is None


def _has_a_name(each: Country, language: str) -> bool:
    name = display_name(each.iso3, language)
    return bool(name) and name != each.iso2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_has_its_own_name_in_each_language(language: str) -> None:
    assert all(_has_a_name(each, language) for each in all_countries())
    names = {display_name(each.iso3, language) for each in all_countries()}
    assert len(names) == 195


def test_the_name_is_the_uns() -> None:
    assert display_name("TUR", "en") == "Türkiye"
    assert display_name("TUR", "fr") == "Türkiye"
    assert display_name("COD", "es") == "República Democrática del Congo"
    assert display_name("KEN", "ar") == "كينيا"
    assert display_name("KEN", "ar-XB") == "كينيا"
    assert display_name("BOL", "en-XA") == "Bolivia (Plurinational State of)"


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError):
        country("XXX")
    with pytest.raises(KeyError):
        display_name("XXX", "en")
