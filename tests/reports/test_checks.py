"""`portal check` finds words on reports that are not those in the audit chain."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session

from portal.reports import service
from portal.reports.checks import checks
from portal.reports.models import ReviewSide
from tests.make.reports import accepted, programme, submitted

Db = scoped_session[Session]
TOLD = "Every word on a report is by whom the audit chain names"
ANOTHER = """
UPDATE report_review SET by_id = (SELECT id FROM person p
WHERE NOT EXISTS (SELECT FROM report_review w WHERE w.by_id = p.id) LIMIT 1) WHERE side = 'finance'
"""
pytestmark = pytest.mark.usefixtures("app")


def violations() -> dict[str, list[str]]:
    return {check.name: check.run().violations for check in checks()}


def test_nothing_is_wrong_with_what_the_verbs_did() -> None:
    accepted(submitted())
    report = submitted()
    officer = programme(report.award)
    service.review(report, ReviewSide.PROGRAMME, accepted=False, comment="More.", by=officer)
    assert not any(violations().values())


@pytest.mark.parametrize(
    "statement",
    [
        ANOTHER,
        "UPDATE report_review SET at = at - interval '1 day'",
        "UPDATE report_review SET accepted = false, accepted_usd = NULL, comment = 'No.'",
    ],
    ids=["person", "day", "word"],
)
def test_another_person_time_or_word_is_found(db: Db, statement: str) -> None:
    accepted(submitted())
    db.commit()
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.execute(sa.text("ALTER TABLE report_review DISABLE TRIGGER ALL"))
    db.execute(sa.text(statement))
    db.execute(sa.text("SET LOCAL session_replication_role = DEFAULT"))
    db.expire_all()
    assert violations()[TOLD]
