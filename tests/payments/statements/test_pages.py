"""Reconciliation as people meet it: a file brought in, lines beside payments, suspense, undoing."""

from tests.browser import Browser
from tests.payments.conftest import World, enter
from tests.payments.statements.teller import Move, Teller


def test_from_the_upload_to_a_line_that_somebody_placed(
    world: World, teller: Teller, visitor: Browser
) -> None:
    enter(visitor, world, "finance")
    visitor.open("/bank/reconciliation")
    visitor.follow("Import a statement")
    content = teller.file(Move(10_000, "thank you"), Move(-250, code="MDOP/CHRG"))
    visitor.attach("Statement of the bank", "statement.xml", content.getvalue())
    visitor.press("Import the statement")
    assert "2 lines are imported" in visitor.page.text
    visitor.open("/bank/suspense")
    assert "2 lines wait" in visitor.page.text
    visitor.follow(f"{teller.account[-4:]}-2")
    visitor.follow("Say what it is")
    visitor.choose("Bank charge")
    visitor.fill("Reason", "The quarterly fee.")
    visitor.press("Book it as this")
    assert "Recorded, and booked" in visitor.page.text
    visitor.follow("Take back: Bank charge")
    visitor.fill("Reason", "It was a transfer.")
    visitor.press("Take it back")
    assert "waits in suspense again" in visitor.page.text
