"""People who look after a fund's donors, in the shared database, undone after each test."""

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.core.db import session
from portal.ledger import queries as books
from portal.ledger.models import AccountKind
from portal.ledger.rules import dollars
from tests.make import contributions as make
from tests.make.contributions import FUND, Desk


@pytest.fixture
def who(db: scoped_session[Session], app: object) -> Desk:
    """Return an officer and a finance officer of the fund, with its books open."""
    del db, app
    found = make.desk()
    make.rate("CHF", "0.8")
    make.rate("EUR", "0.9")
    session.commit()
    return found


def balance(kind: AccountKind) -> int:
    """Return what one account of the fund stands at, in US cents; debit above zero."""
    rows = books.trial_balance(FUND)
    return sum(dollars(row.debit) - dollars(row.credit) for row in rows if row.kind is kind)
