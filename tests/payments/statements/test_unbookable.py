"""A line that nothing can be done with: it alone is set aside, and people hear of it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.core import clock
from portal.core.db import session
from portal.payments.iso20022 import values
from portal.payments.statements import queries, service
from portal.payments.statements.models import LineStatus, StatementLine
from tests.payments.conftest import World
from tests.payments.statements.books import lines, wrong
from tests.payments.statements.teller import Move, Teller

ABOVE_THE_CHAIN = 2**53 + 1


@pytest.fixture
def kept(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> list[StatementLine]:
    """Return two lines of a kept statement, the first too large for the audit chain.

    The reader refuses such amounts; this one was kept before it did.
    """
    monkeypatch.setattr(values, "MOST_DIGITS", 18)
    moves = Move(ABOVE_THE_CHAIN), Move(200_00)
    [done] = service.import_statement(teller.file(*moves), by=None)
    session.commit()
    return lines(done.statement)


def test_whatever_fails_at_a_line_sets_only_that_line_aside(
    kept: list[StatementLine], caplog: pytest.LogCaptureFixture
) -> None:
    done = service.book_lines()
    session.commit()
    assert (done.suspended, done.stuck) == (1, 1)
    large, plain = kept
    session.expire_all()
    assert (large.status, plain.status) == (LineStatus.WAITING, LineStatus.SUSPENSE)
    assert "ValueError" in large.note
    assert "_canonical" in caplog.text, "the place of the error"
    [said] = [each for each in wrong() if "cannot be booked:" in each]
    assert large.reference in said


def test_a_line_that_waits_for_a_day_is_named(kept: list[StatementLine], world: World) -> None:
    finance = world.till.finance
    service.book_lines()
    session.execute(update(StatementLine).values(note=""))
    session.commit()
    assert not [each for each in wrong() if "for more than a day" in each]
    assert [each.endpoint for each in queries.todos(finance)] == ["payments.suspense"]
    with clock.at(clock.now() + timedelta(hours=25)):
        [said] = [each for each in wrong() if "for more than a day" in each]
        first, _suspense = queries.todos(finance)
    assert kept[0].reference in said
    assert (first.endpoint, first.values) == ("payments.line", {"line_id": str(kept[0].id)})
