"""A payment by card that comes back after a report was accepted on it: its money waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.accounts.models import Person, Role
from portal.core.config import Settings
from portal.core.db import session
from portal.payments import checks, service
from portal.payments.account import order_by_ref
from portal.payments.late import late_return
from portal.payments.models import LateReturn, Receivable
from tests.make import reports
from tests.make.accounts import person
from tests.payments.test_card_processor import FUND, Desk, fill, opened

GIVEN = 1_000_000
SPENT = 300_000
BECAUSE = "The grantee wrote so."
TITLE = "Say what a payment by card that came back too late is"


@pytest.fixture
def late(db: object, app: object, tmp_path: Path, settings: Settings) -> Iterator[Desk]:
    """Let the payout fail once a report was accepted on it, so that it comes back too late."""
    del db, app
    with opened(tmp_path, settings) as desk:
        fill(GIVEN)
        desk.work()
        desk.processor.settle_payout(*desk.payout())
        desk.work()
        reports.accepted(reports.submitted(desk.order.instalment.award), SPENT)
        session.commit()
        desk.processor.fail_payout(*desk.payout())
        desk.work()
        yield desk


def came_back(desk: Desk) -> LateReturn:
    """Return what came back of the desk's payment."""
    return came_back_of(desk.order.ref)


def came_back_of(ref: str) -> LateReturn:
    """Return what came back of a payment."""
    order = order_by_ref(ref)
    assert order is not None
    found = late_return(order)
    assert found is not None
    return found


def another(role: Role = Role.FINANCE_OFFICER) -> Person:
    """Return somebody else of the fund, who signed nothing."""
    found = person(roles=[(role, FUND, None)])
    session.commit()
    return found


def balanced(desk: Desk) -> Receivable:
    """Draw the balance: what was not accepted as spent is owed back."""
    owed = service.settle_account(desk.order.instalment.award, by=desk.till.finance)
    assert owed is not None
    session.commit()
    return owed


def wrong() -> list[str]:
    """Return what the invariants of payments and of statements find."""
    return [said for check in checks.checks() for said in check.run().violations]
