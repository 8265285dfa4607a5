"""What leaves the portal as a file with donors in it, as an act of record."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions.models import Contribution, Donor
from portal.core import audit
from portal.core.db import session
from portal.funds.models import ProfileVersion


def record_contributions_taken(found: Iterable[Contribution], *, by: Person) -> None:
    """Record that somebody took contributions as a table: one event for each of their funds."""
    rows = Counter(each.fund_code for each in found)
    funds = select(ProfileVersion).where(ProfileVersion.current, ProfileVersion.fund_code.in_(rows))
    for fund in session.scalars(funds.order_by(ProfileVersion.fund_code)):
        facts = {"fund": fund.fund_code, "contributions": rows[fund.fund_code]}
        audit.record("contributions.exported", fund, actor_id=by.id, facts=facts)


def record_statement_taken(donor: Donor, year: int, *, by: Person) -> None:
    """Record that somebody took the statement of a donor until the end of a year."""
    facts = {"donor": donor.ref, "year": year, "form": "pdf"}
    audit.record("donor_statement.exported", donor, actor_id=by.id, facts=facts)
