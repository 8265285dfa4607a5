"""A file of statements is taken whole or not at all, and once."""

from portal.core.db import session
from portal.core.money import usd
from portal.ledger import queries as ledger
from portal.payments.statements import service
from tests.payments.conftest import World
from tests.payments.statements.teller import Move, Teller


def test_lines_that_nobody_knows_wait_in_suspense(world: World, teller: Teller) -> None:
    [done] = service.import_statement(
        teller.file(Move(10_000, "thank you"), Move(-250, code="MDOP/CHRG")), by=world.till.finance
    )
    session.commit()
    assert (done.is_new, done.lines, done.matched) == (True, 2, 0)
    booked = service.book_lines()
    session.commit()
    assert (booked.booked, booked.suspended, booked.stuck) == (0, 2, 0)
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert ledger.in_suspense("act", "USD", credits_=True) == usd(10_000)
    assert service.waiting() == 0
