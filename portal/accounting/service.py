"""What leaves the portal as a file of the books, as an act of record: who took what, of which days.

A file goes on living in other hands, so that it is known where figures came from. Nothing here
commits.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.accounting.figures import Figure
from portal.accounts.models import Person
from portal.core import audit
from portal.core.db import session
from portal.funds.models import ProfileVersion


def record_account_taken(fund_code: str, year: int, form: str, *, by: Person) -> None:
    """Record that somebody took the yearly account of a fund as a file, `pdf` or `xlsx`."""
    facts = {"fund": fund_code, "year": year, "form": form}
    for fund in _funds(fund_code):
        audit.record("account.exported", fund, actor_id=by.id, facts=facts)


def record_entries_taken(
    fund_code: str, figure: Figure, until: date, entries: int, *, by: Person
) -> None:
    """Record that somebody took the entries behind a figure, until the end of a day, as a table."""
    facts = {
        "fund": fund_code,
        "figure": figure.value,
        "until": until.isoformat(),
        "entries": entries,
    }
    for fund in _funds(fund_code):
        audit.record("entries.exported", fund, actor_id=by.id, facts=facts)


def record_books_taken(form: str, until: date, bookings: int, *, by: UUID | None) -> None:
    """Record that the books of all funds were written into one file: one event for each fund.

    `by` is None for an operator at the command line, whom the portal does not know.
    """
    for fund in _funds():
        facts = {
            "fund": fund.fund_code,
            "form": form,
            "until": until.isoformat(),
            "bookings_of_all_funds": bookings,
        }
        audit.record("books.exported", fund, actor_id=by, facts=facts)


def _funds(code: str | None = None) -> list[ProfileVersion]:
    rows = select(ProfileVersion).where(ProfileVersion.current).order_by(ProfileVersion.fund_code)
    if code is not None:
        rows = rows.where(ProfileVersion.fund_code == code)
    return list(session.scalars(rows))
