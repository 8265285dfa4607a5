"""Grants with their money in the books: committed, paid and reported as a test wants them."""

from datetime import date
from itertools import count
from typing import Any

from sqlalchemy import text

from portal.accounts.models import Person
from portal.applications.models import Answer
from portal.awards.models import Award
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.funds.models import Call
from portal.ledger import service
from tests.publication.grants import award

_numbers = count(1)


def grant(
    call: Call,
    country: str,
    by: Person,
    *,
    committed: int,
    paid: int = 0,
    spent: int = 0,
    on: date | None = None,
    theme: Any = None,
    sensitive: bool = False,
) -> Award:
    """Return a grant of which so much (US cents) is set aside, paid and accepted as spent.

    The triggers, which want a frozen application, are silenced while it gets its answer.
    """
    day = on or clock.today()
    made = award(call, country, by.id, amount_usd=committed)
    fund, ref, number = call.fund_code, made.ref, next(_numbers)
    session.execute(text("SET LOCAL session_replication_role = replica"))
    made.application.sensitive = sensitive
    if theme is not None:
        answer = Answer(
            application=made.application,
            key=call.fund.theme or "",
            value=theme,
            updated_by_id=by.id,
            updated_at=clock.now(),
        )
        session.add(answer)
    session.flush()
    session.execute(text("SET LOCAL session_replication_role = origin"))
    service.commit_funds(fund, ref, usd(committed), by=None)
    if paid:
        service.advance_paid(fund, ref, usd(paid), usd(paid), f"O{number}", day, by=None)
    if spent:
        service.expenditure_accepted(fund, ref, usd(spent), f"report:{number}", day, by=None)
    session.flush()
    return made
