"""The ceiling and the dates of calls."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.funds.profile import load_profiles
from portal.funds.rules import (
    MICRO_GRANT_CEILING,
    ceiling_fault,
    dates_fault,
    effective_ceiling,
    scope_fault,
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


@pytest.mark.parametrize(
    ("code", "countries", "languages", "session", "word"),
    [
        ("act", ["KEN"], ["en"], "", None),
        ("act", [], ["en"], "", "Name the countries"),
        ("act", ["KEN"], [], "", "at least one language"),
        ("act", ["KEN"], ["xx"], "", "from the list"),
        ("vftc", ["KEN"], ["en"], "", "Leave the countries out"),
        ("upr-p", [], ["en"], " ", "Name the session"),
        ("ldc-sids", [], ["en", "fr"], "Sixty-fourth session", None),
    ],
)
def test_what_a_call_says_of_its_scope(
    code: str, countries: list[str], languages: list[str], session: str, word: str | None
) -> None:
    fault = scope_fault(
        FUNDS[code], countries=countries, languages=languages, session_label=session
    )
    assert fault is None if word is None else word in str(fault)
