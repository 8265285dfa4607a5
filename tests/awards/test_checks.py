"""`portal check` finds what was changed of awards and agreements around the triggers."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session

from portal.awards.checks import checks
from portal.awards.models import AwardStatus
from tests.make.awards import award

Db = scoped_session[Session]
TOLD = "Every award is offered and signed as the audit chain says"
pytestmark = pytest.mark.usefixtures("app")


def violations() -> dict[str, list[str]]:
    return {check.name: check.run().violations for check in checks()}


@pytest.mark.parametrize("status", [AwardStatus.OFFERED, AwardStatus.ACCEPTED, AwardStatus.ACTIVE])
def test_nothing_is_wrong_with_what_the_verbs_did(status: AwardStatus) -> None:
    award(status)
    assert not any(violations().values())


@pytest.mark.parametrize(
    ("statement", "act"),
    [
        ("UPDATE award SET amount_usd = amount_usd - 1", "award.offered"),
        ("UPDATE award SET offered_at = offered_at - interval '1 day'", "award.offered"),
        ("UPDATE agreement SET issued_by_id = signed_by_id", "agreement.issued"),
        ("UPDATE agreement SET signed_by_id = issued_by_id", "offer.accepted"),
        ("UPDATE agreement SET signed_at = signed_at - interval '1 day'", "offer.accepted"),
        ("UPDATE agreement SET countersigned_by_id = issued_by_id", "agreement.signed"),
        ("UPDATE agreement SET digest = repeat('0', 64)", "agreement.issued"),
    ],
)
def test_whoever_changes_an_award_or_a_signature_is_found(db: Db, statement: str, act: str) -> None:
    award()
    db.commit()
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.execute(sa.text(statement))
    db.execute(sa.text("SET LOCAL session_replication_role = DEFAULT"))
    db.expire_all()
    assert any(act in sentence for sentence in violations()[TOLD])
