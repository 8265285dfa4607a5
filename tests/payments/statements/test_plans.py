"""Matching finds its way by indexes: nothing in it reads a whole table."""

import pytest
import sqlalchemy as sa

from portal.core.db import session
from portal.payments.statements.service import matching
from tests.payments.conftest import World
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller

STEPS = ("ORDERS_PAID", "ORDERS_RETURNED", "FILES_PAID", "AGREEMENTS", "REFUNDS", "CHARGES")
ONLY_BY_INDEX = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""Switched off, a whole table is read only where no index leads to the rows."""


def plan(query: str, **values: object) -> str:
    """Return how the database would go about `query`."""
    for way in ONLY_BY_INDEX:
        session.execute(sa.text(f"SET LOCAL {way} = off"))
    return "\n".join(session.scalars(sa.text(f"EXPLAIN {query}"), values))


@pytest.mark.parametrize("step", STEPS)
def test_a_line_is_matched_by_indexes(world: World, teller: Teller, step: str) -> None:
    del world
    [line] = taken_in(teller, Move(100))
    found = plan(getattr(matching, step), statement=line.statement_id, charges=["CHRG"])
    whole = [row.strip() for row in found.splitlines() if "Seq Scan" in row]
    assert not whole, found


def test_open_lines_are_found_by_their_own_index(world: World, teller: Teller) -> None:
    del world
    taken_in(teller, Move(100))
    found = plan("SELECT id FROM statement_line WHERE status = 'waiting'")
    assert "ix_statement_line_open" in found
