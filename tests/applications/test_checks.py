"""`portal check` notices what somebody changed behind the triggers' back."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session

from portal.applications.checks import checks
from tests.make.applications import application, draft, fill

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")


def broken() -> list[str]:
    return [sentence for check in checks() for sentence in check.run().violations]


def test_sound_data_has_nothing_to_report() -> None:
    application()
    fill(draft())
    assert broken() == []
    assert [check.run().count > 0 for check in checks()] == [True] * 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE submission SET digest = repeat('a', 64)", "does not match its digest"),
        ("UPDATE submission SET sealed_body = sealed_body || 'x'", "cannot be opened"),
        ("UPDATE answer SET value = '\"other\"' WHERE key = 'title'", "something else"),
        ("UPDATE budget_line SET quantity = 1, amount = unit_cost", "something else"),
        ("UPDATE application SET requested_usd = 1", "something else"),
        ("DELETE FROM submission", "never submitted"),
        (
            "UPDATE answer SET value = '\"Ann\"', sealed = NULL WHERE key = 'contact_name'",
            "contact_name is not encrypted",
        ),
    ],
)
def test_a_change_around_the_triggers_is_found(db: Db, change: str, said: str) -> None:
    application()
    db.commit()
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.execute(sa.text(change))
    db.execute(sa.text("SET LOCAL session_replication_role = origin"))
    db.expire_all()
    assert any(said in sentence for sentence in broken()), broken()
