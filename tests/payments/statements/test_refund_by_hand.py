"""A refund is booked from the bank's statement where there is one, and by hand only elsewhere."""

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments import service
from portal.payments.models import Receivable, ReceivableStatus
from tests.browser import Browser
from tests.make import contributions as give
from tests.make import payments as make
from tests.make import reports
from tests.payments.conftest import World, enter
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller


def owed(world: World) -> Receivable:
    """Return US$ 840.00 that a grantee did not spend."""
    order = make.signed(world.order, world.till)
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(world.paid), 300_000)
    found = service.settle_account(world.paid, by=world.till.finance)
    assert found is not None
    session.commit()
    return found


def test_it_is_refused_by_hand_once_statements_are_taken_in(world: World, teller: Teller) -> None:
    found = owed(world)
    taken_in(teller, Move(100))
    with pytest.raises(Refused, match="statements are taken in for this fund") as refused:
        service.settle_receivable(found, reference="W-1", on=clock.today(), by=world.till.finance)
    assert "Reconciliation" in refused.value.sentence
    session.rollback()
    assert found.status is ReceivableStatus.OPEN


def test_statements_in_another_currency_tell_of_it_too(world: World) -> None:
    found = owed(world)
    make.fund_account(who=world.till, currency="EUR", account="NL57MOCK0000000004")
    make_rate()
    taken_in(Teller("NL57MOCK0000000004", "EUR"), Move(100))
    with pytest.raises(Refused, match="statements are taken in"):
        service.settle_receivable(found, reference="W-1", on=clock.today(), by=world.till.finance)


def make_rate() -> None:
    """Import a rate for the account in euros."""
    give.rate("EUR", "0.9")
    session.commit()


def test_the_form_is_not_offered_and_the_page_says_where_to_look(
    world: World, teller: Teller, visitor: Browser
) -> None:
    file = world.town.files["paid"]
    owed(world)
    enter(visitor, world, "finance")
    visitor.open(f"/files/{file}/payments")
    assert "Record the refund" in visitor.page.text
    taken_in(teller, Move(100))
    visitor.open(f"/files/{file}/payments")
    assert "Record the refund" not in visitor.page.text
    visitor.open("/payments")
    visitor.follow("See to the refund " + file)
    assert visitor.page.heading == "Money to come back"
    assert "the refund is booked from its line there" in visitor.page.text
    assert "Record the refund" not in visitor.page.text
    visitor.follow("Reconciliation", 200)


def test_a_form_that_was_open_when_the_first_statement_came_is_refused(
    world: World, teller: Teller, visitor: Browser
) -> None:
    owed(world)
    enter(visitor, world, "finance")
    visitor.open(f"/files/{world.town.files['paid']}/payments/refund")
    taken_in(teller, Move(100))
    visitor.fill_all(reference="WIRE-7", on=clock.today().isoformat())
    visitor.press("Record the refund", 422)
    assert "statements are taken in for this fund" in visitor.page.text
    assert visitor.value("The bank's reference") == "WIRE-7"
