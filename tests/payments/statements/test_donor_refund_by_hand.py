"""What goes back to a donor is booked from the bank's statement where there is one."""

import pytest

from portal.contributions import service as contributions
from portal.contributions.models import Contribution
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.payments.statements.models import Purpose
from portal.payments.statements.service import Target, allocate
from tests.browser import Browser
from tests.make import contributions as give
from tests.make.accounts import PASSWORD
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


@pytest.fixture
def desk(world: World) -> give.Desk:
    del world
    return give.desk()


@pytest.fixture
def given(desk: give.Desk) -> Contribution:
    """Return US$ 500.00 that finance recorded by hand, before any statement was taken in."""
    found = give.wire(desk, usd(50_000))
    session.commit()
    return found


def send_back(given: Contribution, desk: give.Desk, reference: str = "hand:act:back:W-1") -> None:
    contributions.refund_wire(
        given,
        usd(20_000),
        clock.today(),
        source_ref=reference,
        reason="It came twice.",
        by=desk.finance,
    )


def test_it_is_refused_by_hand_and_booked_from_its_line(
    world: World, desk: give.Desk, given: Contribution, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(-20_000, f"back {given.ref}"))
    with pytest.raises(Refused, match="booked from its line there") as refused:
        send_back(given, desk)
    assert "Reconciliation" in refused.value.sentence
    session.rollback()
    target = Target(Purpose.DONOR_REFUND, contribution=given)
    allocate(line.id, target, "As the paper says.", by=world.till.finance)
    session.commit()
    assert booked_as(line) == [(Purpose.DONOR_REFUND, -20_000)]
    assert (given.kept, wrong()) == (usd(30_000), [])


def test_what_was_recorded_before_is_found_again(
    desk: give.Desk, given: Contribution, teller: Teller
) -> None:
    send_back(given, desk)
    session.commit()
    taken_in(teller, Move(100))
    send_back(given, desk)
    assert len(given.refunds) == 1


def test_money_of_an_account_without_statements_goes_back_by_hand(
    desk: give.Desk, teller: Teller
) -> None:
    give.rate("CHF", "0.8")
    francs = give.wire(desk, Money(80_000, "CHF"))
    taken_in(teller, Move(100))
    contributions.refund_wire(
        francs,
        francs.money,
        clock.today(),
        source_ref="hand:act:back:W-2",
        reason="It came twice.",
        by=desk.finance,
    )
    assert not francs.kept


def test_the_page_offers_it_no_more_and_says_where_to_look(
    desk: give.Desk, given: Contribution, teller: Teller, visitor: Browser
) -> None:
    path, email = f"/contributions/received/{given.ref}", desk.finance.email
    visitor.sign_in(email, PASSWORD)
    visitor.open(f"{path}/refund")
    taken_in(teller, Move(100))
    visitor.fill_all(amount="20", reference="WIRE-7", reason="It came twice.")
    visitor.press("Book the refund", 422)
    assert "booked from its line there" in visitor.page.text
    assert visitor.value("The bank’s reference") == "WIRE-7"
    visitor.open(path)
    assert "Record a refund" not in visitor.page.text
    assert "booked from its line there" in visitor.page.text
    assert "Entered by mistake" in visitor.page.text
    visitor.open(f"{path}/refund")
    assert visitor.page.heading.startswith("Contribution")
