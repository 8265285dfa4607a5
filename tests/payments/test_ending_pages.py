"""The last pages of a grant: the balance, the refund, the closed file."""

from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.core.formats import format_day
from portal.payments import service
from portal.payments.models import Receivable
from tests.browser import Browser
from tests.make import payments as make
from tests.make import reports
from tests.payments.conftest import World, enter


def spent(world: World, cents: int) -> None:
    order = make.signed(world.order, world.till)
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(world.paid), cents)
    session.commit()


def test_from_the_balance_to_the_closed_file(world: World, visitor: Browser) -> None:
    spent(world, 300_000)
    tab = f"/files/{world.town.files['paid']}/payments"
    enter(visitor, world, "finance")
    visitor.open("/payments")
    visitor.follow("Draw the balance " + world.town.files["paid"])
    assert "US$ 840.00" in visitor.page.text.replace("\xa0", " ")
    visitor.press("Draw the balance")
    assert "Money has to come back" in visitor.page.text
    assert "Next: Closed · The grantee, who pays back what is owed" in visitor.page.text
    visitor.open("/payments")
    visitor.follow("See to the refund " + world.town.files["paid"])
    assert "booked from its line on the bank's statement" in visitor.page.text
    visitor.follow("Reconciliation", 200)
    make.paid_back(session.scalars(select(Receivable)).one())
    session.commit()
    assert "Money has to come back" not in visitor.open(tab).text
    assert "Next: Closed · The fund secretariat" in visitor.page.text
    visitor.open(f"{tab}/close", 404)
    visitor.sign_out()
    enter(visitor, world, "officer")
    visitor.open(tab)
    visitor.follow("Close the file")
    visitor.press("Close the file")
    assert "The file is closed" in visitor.page.text
    visitor.open(f"{tab}/balance")
    visitor.press("Draw the balance", 422)
    assert "active or was terminated" in visitor.page.text


def test_a_grantee_sees_what_is_owed_and_until_when(world: World, visitor: Browser) -> None:
    spent(world, 300_000)
    service.settle_account(world.paid, by=world.officer)
    session.commit()
    enter(visitor, world, "grantee of paid")
    visitor.open("/home")
    visitor.follow("Pay back what is due for " + world.town.files["paid"])
    assert "US$ 840.00" in visitor.page.text.replace("\xa0", " ")
    page = visitor.open(f"/files/{world.town.files['paid']}/payments", 200)
    visitor.open(f"/files/{world.town.files['paid']}", 200)
    assert "Pay back what is due" in visitor.page.text
    assert "US$ 840.00 has to be paid back by" in page.text.replace("\xa0", " ")
    assert "&lt;" not in page.html


def test_what_was_not_paid_or_came_back_is_told_on_the_order(
    world: World, visitor: Browser
) -> None:
    make.signed(world.order, world.till)
    session.commit()
    path = f"/payments/{world.town.order}"
    enter(visitor, world, "finance")
    visitor.open(path)
    visitor.follow("Record the payment")
    visitor.fill_all(reference="AG-1", on=clock.today().isoformat())
    visitor.press("Record the payment")
    visitor.follow("Record that it came back")
    visitor.fill_all(remark="No such account.", on=clock.today().isoformat())
    visitor.press("Record that it came back")
    assert "No such account." in visitor.page.text
    assert f"It came back on {format_day(clock.today())}" in visitor.page.text
    assert visitor.page.text.count("No such account.") == 2, "as the reason, and in the timeline"
    assert "finance prepares a new attempt" in visitor.page.text
    visitor.follow("Payments of the file")
    assert visitor.page.heading == "Payments"
    visitor.open("/payments")
    visitor.follow("Prepare payment " + world.town.files["paid"])
    visitor.press("Prepare payment")
    assert "Next: a certifying officer certifies" in visitor.page.text
    visitor.follow("Cancel the order")
    visitor.press("Cancel the order", 422)
    visitor.fill("Reason", "Not this week.")
    visitor.press("Cancel the order")
    assert "Not this week." in visitor.page.text
