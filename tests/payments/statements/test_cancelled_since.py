"""A line booked under the wrong agreement is taken back though the rest of that was cancelled."""

from portal.contributions import service as contributions
from portal.contributions.models import AgreementStatus
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.ledger import queries as ledger
from portal.payments.statements.models import Purpose
from portal.payments.statements.service import Target, allocate, undo_allocation
from tests.make import contributions as give
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


def test_it_is_taken_back_and_given_to_whom_it_belongs(world: World, teller: Teller) -> None:
    desk = give.desk()
    agreement = give.agreement(desk, amount=usd(800_000))
    [line] = taken_in(teller, Move(100_000, "a gift"))
    finance = world.till.finance
    told = Target(Purpose.CONTRIBUTION, agreement=agreement)
    allocate(line.id, told, "It looked like it.", by=finance)
    contributions.cancel_agreement(agreement, "No more.", clock.today(), by=desk.finance)
    session.commit()
    undo_allocation(line.live[-1], "Another donor's.", by=finance)
    session.commit()
    assert suspended(line)
    assert (agreement.status, agreement.cancelled) == (AgreementStatus.CANCELLED, 800_000)
    assert ledger.owed_under("act", agreement.ref, "USD").money == usd(0)
    other = Target(Purpose.CONTRIBUTION, donor=give.donor(desk))
    allocate(line.id, other, "The bank says whose.", by=finance)
    session.commit()
    assert booked_as(line) == [(Purpose.CONTRIBUTION, 100_000)]
    assert wrong() == []
