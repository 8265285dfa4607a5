"""What is set aside for awards, read for many of them at once."""

from uuid import uuid4

import sqlalchemy as sa

from portal.awards.models import Award
from portal.core import clock
from portal.core.db import session
from portal.ledger import queries as ledger
from portal.ledger import service as books
from portal.ledger.models import Commitment
from portal.payments import account
from tests.payments.conftest import World

ONLY_BY_INDEX = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin")
"""Switched off, a whole table is read only where no index leads to the rows."""


def test_what_is_set_aside_is_found_by_fund_and_award(world: World) -> None:
    del world
    for way in ONLY_BY_INDEX:
        session.execute(sa.text(f"SET LOCAL {way} = off"))
    bound = session.get_bind()
    query = sa.select(Award.id, account._set_aside()).compile(
        bound, compile_kwargs={"literal_binds": True}
    )
    found = "\n".join(session.scalars(sa.text(f"EXPLAIN {query}")))
    condition = found.split("ix_commitment_fund_code_source_ref", 1)[1].splitlines()[1]
    assert "fund_code" in condition, found
    assert "source_ref" in condition, found
    assert "Seq Scan on commitment" not in found


def test_another_fund_s_money_of_the_same_reference_is_not_this_award_s(world: World) -> None:
    award = world.paid
    fund = award.application.call.fund_code
    other = "vftc" if fund != "vftc" else "act"
    books.open_book(other)
    before = ledger.outstanding(fund, award.ref)
    session.add(
        Commitment(
            fund_code=other,
            source_ref=award.ref,
            movement_ref=str(uuid4()),
            amount_usd_minor=100,
            made_at=clock.now(),
        )
    )
    session.flush()
    assert account.account(award).standing.committed == before.minor
