"""`portal check` finds what should never be: each fault is put there behind the portal's back."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

from portal.reviews import service
from portal.reviews.checks import checks
from tests.conftest import SqlCount
from tests.make.accounts import person
from tests.make.applications import application
from tests.make.applications import call as make_call
from tests.make.reviews import cast, decided, in_review, score

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
    assert "is not what was recommended" in violations()["Decisions say what was recommended"][0]


def test_a_missing_decision_is_found(db: Db) -> None:
    decided()
    behind(db, "decision", "DELETE FROM decision")
    assert "has no decision" in violations()["Decisions say what was recommended"][0]


def test_a_score_of_somebody_recused_is_found(db: Db) -> None:
    decided()
    behind(
        db,
        "recusal",
        "INSERT INTO recusal (id, application_id, person_id, declared_at, sealed_reason) "
        "SELECT gen_random_uuid(), application_id, reviewer_id, now(), '' FROM score_sheet LIMIT 1",
    )
    assert violations()["Nobody recused has a score that counts"]


def test_who_scored_and_decided_is_found(db: Db) -> None:
    decision = decided()
    reader = db.execute(text("SELECT reviewer_id FROM score_sheet LIMIT 1")).scalar_one()
    behind(db, "decision", "UPDATE decision SET decided_by_id = :who", who=reader)
    assert violations()["Another person decides than recommended or scored"]
    assert decision.decided_by_id == reader
    assert person()


def test_more_than_the_envelope_is_found(db: Db) -> None:
    decided()
    behind(db, "decision", "UPDATE decision SET amount_usd = 999999999999")
    assert violations()["No call gave more than its envelope"]


DECISIONS = "Every decision is what the audit chain says of it"
SHEETS = "Every score sheet is what the audit chain says of it"


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("decision", "UPDATE decision SET reasons = 'bribed'"),
        ("decision", "UPDATE decision SET amount_usd = amount_usd - 1"),
        ("decision", "UPDATE decision SET decided_at = decided_at - interval '1 day'"),
        ("decision", "UPDATE decision SET approved = false, amount_usd = 0"),
        ("decision", "UPDATE decision SET decided_by_id = (SELECT id FROM person LIMIT 1)"),
        ("audit_event", "DELETE FROM audit_event WHERE action = 'decision.approved'"),
    ],
    ids=["reasons", "amount", "day", "refused", "person", "event"],
)
def test_a_decision_that_is_not_the_one_in_the_chain_is_found(
    db: Db, table: str, statement: str
) -> None:
    decided()
    assert violations()[DECISIONS] == []
    behind(db, table, statement)
    assert "in the chain" in violations()[DECISIONS][0]


def test_reasons_of_the_inadmissible_are_held_against_the_chain(db: Db) -> None:
    call = make_call("act")
    people = cast(call)
    rule = call.fund.eligibility[0].rule
    service.declare_inadmissible(application(of=call), rule, "Too late.", by=people.officer)
    assert violations()[DECISIONS] == []
    behind(db, "decision", "UPDATE decision SET reasons = 'Too early.'")
    assert violations()[DECISIONS]


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("score", "UPDATE score SET points = 5"),
        ("score", "UPDATE score SET justification = 'Because.'"),
        ("score", "DELETE FROM score"),
        ("score_sheet", "UPDATE score_sheet SET comment = 'Better.'"),
        ("score_sheet", "UPDATE score_sheet SET status = 'set_aside'"),
        ("score_sheet", "UPDATE score_sheet SET status = 'draft', submitted_at = NULL"),
        ("score_sheet", "UPDATE score_sheet SET submitted_at = submitted_at - interval '1 day'"),
        ("audit_event", "DELETE FROM audit_event WHERE action = 'sheet.submitted'"),
    ],
)
def test_scores_that_are_not_those_in_the_chain_are_found(
    db: Db, table: str, statement: str
) -> None:
    decided()
    assert violations()[SHEETS] == []
    behind(db, table, statement)
    assert "A score sheet" in violations()[SHEETS][0]


def test_a_sheet_set_aside_by_its_reviewer_is_no_violation(db: Db) -> None:
    call = make_call("act")
    people = cast(call)
    made = in_review(call, people)
    score(made, people.reviewers[0], 4)
    service.declare_conflict(made, "A cousin.", by=people.reviewers[0])
    db.commit()
    assert violations()[SHEETS] == []


def test_each_comparison_takes_one_statement(
    db: Db, count_sql: Callable[[], AbstractContextManager[SqlCount]]
) -> None:
    decided()
    decided()
    db.commit()
    for check in checks():
        if check.name in {DECISIONS, SHEETS}:
            with count_sql() as count:
                assert check.run().count > 1
            assert count.total == 1, check.name
