"""What must be true of accounts at any moment, asked of the rows by `portal check`."""

from functools import partial

from sqlalchemy import text

from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _

UNREPRESENTED = """
SELECT o.id::text FROM organisation o
WHERE NOT EXISTS (
    SELECT FROM membership m
    WHERE m.organisation_id = o.id AND m.role = 'representative' AND m.left_at IS NULL
) ORDER BY o.id
"""

UNCONFIRMED_HOLDERS = """
SELECT DISTINCT p.id::text FROM person p
JOIN role_grant g ON g.person_id = p.id
WHERE p.email_confirmed_at IS NULL ORDER BY 1
"""

OPEN_BUT_CLOSED = """
SELECT s.id::text FROM web_session s
JOIN person p ON p.id = s.person_id
WHERE p.deactivated_at IS NOT NULL AND s.ended_at IS NULL ORDER BY s.id
"""


def checks() -> list[Check]:
    """Return the invariants of accounts. Each runs two SQL statements."""
    return [
        Check(
            _("Every organisation has a legal representative"),
            partial(_offenders, UNREPRESENTED, "organisation"),
        ),
        Check(
            _("Every role is held by somebody with a confirmed address"),
            partial(_offenders, UNCONFIRMED_HOLDERS, "role_grant"),
        ),
        Check(
            _("No session of a closed account is open"),
            partial(_offenders, OPEN_BUT_CLOSED, "web_session"),
        ),
    ]


def _offenders(statement: str, table: str) -> CheckResult:
    """Return how many rows `table` has, and those that `statement` finds."""
    count = session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 — names from above
    return CheckResult(count or 0, [str(row) for row in session.scalars(text(statement))])
