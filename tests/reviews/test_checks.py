"""`portal check` finds what should never be: each fault is put there behind the portal's back."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

from portal.reviews.checks import checks
from tests.make.accounts import person
from tests.make.reviews import decided

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")


def violations() -> dict[str, list[str]]:
    return {check.name: check.run().violations for check in checks()}


def behind(db: Db, table: str, statement: str, **values: object) -> None:
    """Change a row although its triggers refuse."""
    db.commit()
    db.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    db.execute(text(statement), values)
    db.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    db.expire_all()


def test_all_is_well_after_a_decision(db: Db) -> None:
    decided()
    assert not any(violations().values())
    assert all(check.run().count for check in checks() if "recused" not in check.name)
    assert db.is_active


def test_a_changed_amount_is_found(db: Db) -> None:
    decided()
    behind(db, "decision", "UPDATE decision SET amount_usd = amount_usd - 1")
    assert "is not what was recommended" in violations()["decisions say what was recommended"][0]


def test_a_missing_decision_is_found(db: Db) -> None:
    decided()
    behind(db, "decision", "DELETE FROM decision")
    assert "has no decision" in violations()["decisions say what was recommended"][0]


def test_a_score_of_somebody_recused_is_found(db: Db) -> None:
    decided()
    behind(
        db,
        "recusal",
        "INSERT INTO recusal (id, application_id, person_id, declared_at, sealed_reason) "
        "SELECT gen_random_uuid(), application_id, reviewer_id, now(), '' FROM score_sheet LIMIT 1",
    )
    assert violations()["nobody recused has a score that counts"]


def test_who_scored_and_decided_is_found(db: Db) -> None:
    decision = decided()
    reader = db.execute(text("SELECT reviewer_id FROM score_sheet LIMIT 1")).scalar_one()
    behind(db, "decision", "UPDATE decision SET decided_by_id = :who", who=reader)
    assert violations()["another person decides than recommended or scored"]
    assert decision.decided_by_id == reader
    assert person()


def test_more_than_the_envelope_is_found(db: Db) -> None:
    decided()
    behind(db, "decision", "UPDATE decision SET amount_usd = 999999999999")
    assert violations()["no call gave more than its envelope"]
