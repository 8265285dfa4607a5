"""What leaves the portal as a table of applications, as an act of record."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.core import audit
from portal.core.db import session
from portal.funds.models import ProfileVersion


def record_files_taken(found: Iterable[Application], *, by: Person) -> None:
    """Record that somebody took applications as a table: one event for each of their funds."""
    rows = Counter(each.call.fund_code for each in found)
    funds = select(ProfileVersion).where(ProfileVersion.current, ProfileVersion.fund_code.in_(rows))
    for fund in session.scalars(funds.order_by(ProfileVersion.fund_code)):
        facts = {"fund": fund.fund_code, "applications": rows[fund.fund_code]}
        audit.record("files.exported", fund, actor_id=by.id, facts=facts)
