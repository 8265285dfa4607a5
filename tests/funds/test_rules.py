"""Ceilings, dates, and who is refused by which rule."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.funds.profile import load_profiles
from portal.funds.rules import (
    MICRO_GRANT_CEILING,
    ceiling_fault,
    dates_fault,
    effective_ceiling,
    refusing_country_rule,
    refusing_duration_rule,
    refusing_kind_rule,
    takes_applications,
)

FUNDS = load_profiles()
ACT = FUNDS["act"]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()


@given(st.none() | st.integers())
def test_nothing_raises_the_ceiling_of_a_micro_grant(call_ceiling: int | None) -> None:
    ceiling = effective_ceiling(ACT, call_ceiling)
    assert ceiling is not None
    assert ceiling <= MICRO_GRANT_CEILING


def test_not_even_a_profile_that_slipped_past_its_validation() -> None:
    budget = ACT.budget.model_copy(update={"ceiling_usd_minor": 900_000})
    assert effective_ceiling(ACT.model_copy(update={"budget": budget}), 800_000) == 500_000


def test_a_call_lowers_the_ceiling() -> None:
    assert effective_ceiling(ACT, 300_000) == 300_000
    assert ceiling_fault(ACT, 300_000) is None
    assert ceiling_fault(ACT, None) is None
    assert ceiling_fault(ACT, 500_000) is None


@pytest.mark.parametrize("ceiling", [500_001, 0, -1])
def test_a_call_with_a_wrong_ceiling_is_refused(ceiling: int) -> None:
    assert ceiling_fault(ACT, ceiling)


def test_a_fund_without_a_ceiling_needs_one_in_the_call() -> None:
    assert effective_ceiling(FUNDS["vftc"], None) is None
    assert ceiling_fault(FUNDS["vftc"], None)
    assert ceiling_fault(FUNDS["vftc"], 15_000_000) is None


@pytest.mark.parametrize(
    ("opens", "closes", "reference", "word"),
    [
        (0, 30, 0, None),
        (-5, 30, -5, None),
        (30, 30, 0, "after the opening"),
        (-30, -1, -30, "has passed"),
        (-30, 0, -30, "has passed"),
        (0, 30, 31, "reference date"),
    ],
)
def test_the_dates_of_a_call(opens: int, closes: int, reference: int, word: str | None) -> None:
    fault = dates_fault(
        opens_at=NOW + timedelta(days=opens),
        closes_at=NOW + timedelta(days=closes),
        reference_day=TODAY + timedelta(days=reference),
        now=NOW,
    )
    assert fault is None if word is None else word in str(fault)


@pytest.mark.parametrize(
    ("seconds", "taken"), [(-1, False), (0, True), (3599, True), (3600, False)]
)
def test_the_deadline_itself_is_late(seconds: int, taken: bool) -> None:  # noqa: FBT001
    closes = NOW + timedelta(hours=1)
    at = NOW + timedelta(seconds=seconds)
    assert takes_applications(opens_at=NOW, closes_at=closes, at=at) is taken


def test_act_is_open_where_the_call_says() -> None:
    assert refusing_country_rule(ACT, "KEN", on=TODAY, call_countries=["KEN"]) is None
    refusal = refusing_country_rule(ACT, "UGA", on=TODAY, call_countries=["KEN"])
    assert refusal is not None
    assert refusal.rule == "R2"
    assert refusing_country_rule(ACT, "KEN", on=TODAY) is not None


def test_flags_decide_on_the_day() -> None:
    fund = FUNDS["upr-i"]
    assert refusing_country_rule(fund, "KEN", on=TODAY) is None
    assert refusing_country_rule(fund, "MDA", on=TODAY) is None
    refusal = refusing_country_rule(fund, "CHE", on=TODAY)
    assert refusal is not None
    assert refusal.rule == "R1"


def test_a_flag_that_ends_refuses_from_that_day() -> None:
    content = FUNDS["upr-i"].model_dump(mode="json")
    content["eligibility"][0]["params"] = {"flags": ["ldc"]}
    fund = type(ACT).model_validate(content)
    assert refusing_country_rule(fund, "BGD", on=date(2026, 11, 23)) is None
    assert refusing_country_rule(fund, "BGD", on=date(2026, 11, 24)) is not None


def test_the_funds_own_list_goes_before_the_flags() -> None:
    fund = FUNDS["ldc-sids"]
    after_leaving = date(2028, 1, 1)
    assert refusing_country_rule(fund, "NPL", on=after_leaving) is None
    assert refusing_country_rule(fund, "SGP", on=TODAY) is not None
    content = fund.model_dump(mode="json")
    content["eligibility"].append(
        {
            **FUNDS["upr-i"].model_dump(mode="json")["eligibility"][0],
            "params": {"flags": ["ldc"]},
        }
    )
    assert refusing_country_rule(type(ACT).model_validate(content), "CUB", on=TODAY) is None


def test_any_state_may_ask_for_technical_cooperation() -> None:
    assert refusing_country_rule(FUNDS["vftc"], "CHE", on=TODAY) is None


def test_an_unknown_country_is_an_error() -> None:
    with pytest.raises(KeyError):
        refusing_country_rule(ACT, "XXX", on=TODAY)


def test_governments_are_refused_by_the_civil_society_fund() -> None:
    refusal = refusing_kind_rule(ACT, "government")
    assert refusal is not None
    assert (refusal.rule, refusal.check) == ("R3", "applicant_kind")
    assert refusing_kind_rule(ACT, "ngo") is None


@pytest.mark.parametrize(
    ("starts", "ends", "refused"),
    [
        (date(2027, 1, 15), date(2027, 7, 14), False),
        (date(2027, 1, 15), date(2027, 7, 15), True),
        (date(2026, 8, 31), date(2027, 2, 28), False),
        (date(2026, 8, 31), date(2027, 3, 1), True),
        (date(2026, 12, 1), date(2027, 5, 31), False),
    ],
)
def test_six_months_are_six_months(starts: date, ends: date, refused: bool) -> None:  # noqa: FBT001
    assert (refusing_duration_rule(ACT, starts, ends) is not None) is refused
