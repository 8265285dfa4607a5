"""What the database itself refuses about calls and profiles, whoever asks in SQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.core.db import session
from portal.funds import checks, service
from portal.funds.models import Call
from tests import make

pytestmark = pytest.mark.usefixtures("db")

COPY = """
    INSERT INTO profile_version (id, fund_code, digest, content, current, loaded_at)
    SELECT gen_random_uuid(), 'act', 'x',
        jsonb_set(content, '{budget,ceiling_usd_minor}', CAST(:ceiling AS jsonb)), false, now()
    FROM profile_version WHERE id = :id"""

SAID = (
    "title = 'Another'",
    "summary = 'Another'",
    "ceiling_usd = 100000",
    "ceiling_usd = 900000",
    "envelope_usd = 1",
    "countries = '{FRA}'",
    "languages = '{zh}'",
    "closes_at = closes_at + interval '1 day'",
    "opens_at = opens_at - interval '1 day'",
    "reference_day = reference_day - 30",
    "reviewer_role = 'trustee'",
    "fund_code = 'vftc'",
    "published_at = published_at - interval '1 year'",
    "ref = 'AAAA-AAAA'",
    "status = 'draft', published_at = NULL",
    "status = 'draft'",
)


CHANGES = {
    "call": "UPDATE call SET {} WHERE id = :id",
    "profile_version": "UPDATE profile_version SET {} WHERE id = :profile",
}


def update(table: str, change: str) -> str:
    """Return the statement that changes the call, or the profile that it holds."""
    return CHANGES[table].format(change)


def refused(statement: str, call: Call) -> str:
    """Run the statement in a savepoint and return how the database refused it."""
    values = {"id": call.id, "profile": call.profile_version_id}
    with pytest.raises(IntegrityError) as error, session.begin_nested():
        session.execute(text(statement), values)
    return str(error.value.orig)


def test_a_published_call_is_frozen() -> None:
    call = make.call()
    for change in SAID:
        assert refused(update("call", change), call), change


def test_the_profile_of_a_published_call_is_frozen() -> None:
    call = make.call()
    act = make.profiles()["act"].model_copy(update={"tagline": "Another"})
    service.load_profiles_into_database({**make.profiles(), "act": act})
    newer = service.current_version("act").id
    assert "frozen" in refused(update("call", f"profile_version_id = '{newer}'"), call)
    for change in (
        "content = jsonb_set(content, '{criteria,0,weight_percent}', '99')",
        "digest = repeat('0', 64)",
        "fund_code = 'vftc'",
    ):
        assert "never edited" in refused(update("profile_version", change), call)
    assert "kept" in refused("DELETE FROM profile_version WHERE id = :profile", call)
    assert "kept" in refused("DELETE FROM call WHERE id = :id", call)


def test_not_even_a_draft_may_raise_the_ceiling() -> None:
    draft = make.draft_call()
    assert "above its fund" in refused("UPDATE call SET ceiling_usd = 500001 WHERE id = :id", draft)
    for wrong in ("fund_code = 'vftc'", "reviewer_role = 'trustee'", "reviewer_role = NULL"):
        assert "repeat" in refused(update("call", wrong), draft)
    for wrong in ("ceiling_usd = 0", "envelope_usd = -1", "closes_at = opens_at"):
        assert refused(update("call", wrong), draft)
    session.execute(text("UPDATE call SET ceiling_usd = 500000"))
    session.execute(text("DELETE FROM call"))


def test_no_micro_grant_profile_with_a_higher_ceiling_is_kept() -> None:
    draft = make.draft_call()
    for ceiling in ("500001", "null"):
        values = {"id": draft.profile_version_id, "ceiling": ceiling}
        with pytest.raises(IntegrityError, match="micro_grant_ceiling"), session.begin_nested():
            session.execute(text(COPY), values)


def test_a_call_is_opened_once_and_ends_once() -> None:
    draft = make.draft_call()
    assert refused("UPDATE call SET status = 'open' WHERE id = :id", draft)
    assert refused("UPDATE call SET status = 'decided', published_at = now() WHERE id = :id", draft)
    call = make.call()
    session.execute(text("UPDATE call SET status = 'cancelled' WHERE id = :id"), {"id": call.id})
    assert "cannot go" in refused("UPDATE call SET status = 'open' WHERE id = :id", call)


def test_the_checks_see_nothing_wrong() -> None:
    make.call(ceiling_usd=300_000)
    results = {check.name: check.run() for check in checks.checks()}
    assert all(result.violations == [] for result in results.values())
    assert results["No call is above its fund's ceiling"].count == 1
    assert results["Frozen fund profiles match their digests"].count == len(make.profiles())
