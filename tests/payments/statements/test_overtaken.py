"""A word that was overtaken before it was withdrawn by itself is no first one of two (R22)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.accounts.models import Person, Role
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.statements import queries, service
from portal.payments.statements.models import Allocation, Purpose, ReturnProposal, StatementLine
from portal.payments.statements.queries.seconding import waiting_for_second
from portal.payments.statements.service import Target
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import contributions as give
from tests.make.accounts import PASSWORD, person
from tests.payments.conftest import World, enter
from tests.payments.statements.books import taken_in, wrong
from tests.payments.statements.teller import Move, Teller
from tests.payments.statements.test_came_back import paid, said, who_did_not_sign

__all__ = ["paid"]
Count = Callable[[], AbstractContextManager[SqlCount]]
MOST = 10
NAMED = "What one person said of a line, and was overtaken, is withdrawn"


WHY = ("a gift", "a part of it a gift", "to go back", "confirmed and taken back")
"""What made the line something else since."""


def gift() -> Target:
    return Target(Purpose.CONTRIBUTION, donor=give.donor(give.desk()))


def booked_and_taken_back(line: StatementLine, target: Target, by: Person) -> None:
    service.allocate(line.id, target, "Their letter says so.", by=by)
    session.commit()
    session.refresh(line, ["allocations"])
    service.undo_allocation(line.live[-1], "Another donor.", by=by)


def overtakes(first: ReturnProposal, why: str, by: Person) -> None:
    if why == "confirmed and taken back":
        made = service.confirm_return(first, by=who_did_not_sign())
        session.commit()
        service.undo_allocation(made, "It is a gift.", by=by)
        return
    part = replace(gift(), amount=100)
    targets = {"a gift": gift(), "to go back": Target(Purpose.SEND_BACK)}
    booked_and_taken_back(first.line, targets.get(why, part), by)


def overtaken(
    world: World, paid: PaymentOrder, teller: Teller, why: str = "a gift"
) -> tuple[StatementLine, ReturnProposal]:
    """Return a line with a word that stands, as rows from before it was withdrawn by itself do."""
    [line] = taken_in(teller, Move(paid.amount, "with our best wishes"))
    first = said(line, paid, world.till.finance)
    assert isinstance(first, ReturnProposal)
    overtakes(first, why, world.till.finance)
    session.commit()
    session.execute(sa.text("ALTER TABLE return_proposal DISABLE TRIGGER USER"))
    stands = {"withdrawn_at": None, "withdrawn_by_id": None, "withdrawn_reason": ""}
    session.execute(sa.update(ReturnProposal).values(stands))
    session.execute(sa.text("ALTER TABLE return_proposal ENABLE TRIGGER USER"))
    session.commit()
    session.expire_all()
    assert first.withdrawn_at is None
    return line, first


@pytest.mark.parametrize("why", WHY)
def test_it_counts_for_nothing(world: World, paid: PaymentOrder, teller: Teller, why: str) -> None:
    line, first = overtaken(world, paid, teller, why)
    other = person(roles=[(Role.FINANCE_OFFICER, "act", None)])
    session.commit()
    assert (queries.said_of(line).waiting, queries.said_of(line).overtaken) == ([], [first])
    assert waiting_for_second([line.id]) == set()
    assert queries.to_confirm(who_did_not_sign()) == []
    with pytest.raises(Refused, match="it counts no more"):
        service.confirm_return(first, by=other)
    session.rollback()
    assert [each.split(": ", 1)[0] for each in wrong()] == [NAMED]
    anew = said(line, paid, other)
    assert isinstance(anew, ReturnProposal)
    session.refresh(paid)
    assert paid.status is OrderStatus.CONFIRMED
    assert queries.said_of(line).waiting == [anew]


@pytest.mark.parametrize("why", WHY)
def test_whoever_said_it_says_it_anew(
    world: World, paid: PaymentOrder, teller: Teller, why: str
) -> None:
    line, first = overtaken(world, paid, teller, why)
    anew = said(line, paid, world.till.finance)
    assert isinstance(anew, ReturnProposal)
    assert anew is not first
    assert first.withdrawn_by_id == world.till.finance.id
    assert queries.said_of(line).waiting == [anew]
    service.confirm_return(anew, by=who_did_not_sign())
    session.commit()
    assert wrong() == []


def test_it_is_withdrawn_even_once_others_said_and_confirmed_the_same(
    world: World, paid: PaymentOrder, teller: Teller, visitor: Browser, count_sql: Count
) -> None:
    line, first = overtaken(world, paid, teller)
    anew = said(line, paid, person(roles=[(Role.FINANCE_OFFICER, "act", None)]))
    assert isinstance(anew, ReturnProposal)
    service.confirm_return(anew, by=who_did_not_sign())
    session.commit()
    with pytest.raises(Refused, match="withdraw themselves"):
        service.withdraw_return(first, "It was overtaken.", by=who_did_not_sign())
    session.rollback()
    assert len(wrong()) == 1
    where = f"/bank/lines/{line.id}"
    session.commit()
    enter(visitor, world, "finance")
    with count_sql() as count:
        visitor.open(where, 200)
    assert "Withdraw it" in visitor.page.text
    assert count.total <= MOST, count.statements
    visitor.follow("Withdraw it")
    visitor.fill("Reason", "It was overtaken.")
    visitor.press("Withdraw it")
    assert wrong() == []


@pytest.mark.parametrize("before", ["a gift that was taken back", "the rest is a gift"])
def test_what_was_not_overtaken_still_counts(
    world: World, paid: PaymentOrder, teller: Teller, before: str
) -> None:
    rest = 100 if before == "the rest is a gift" else 0
    [line] = taken_in(teller, Move(paid.amount + rest, "with our best wishes"))
    if not rest:
        booked_and_taken_back(line, gift(), world.till.finance)
    part = Target(Purpose.RETURN, paid.amount, order=paid)
    first = service.allocate(line.id, part, "The same amount.", by=world.till.finance)
    if rest:
        service.allocate(line.id, replace(gift(), amount=rest), "Said so.", by=world.till.finance)
    session.commit()
    session.expire_all()
    assert queries.said_of(line).waiting == [first]
    assert isinstance(first, ReturnProposal)
    assert isinstance(service.confirm_return(first, by=who_did_not_sign()), Allocation)
    session.commit()
    assert queries.said_of(line).overtaken == []
    assert wrong() == []


def test_the_page_offers_to_withdraw_it_and_not_to_confirm_it(
    world: World, paid: PaymentOrder, teller: Teller, visitor: Browser
) -> None:
    line, first = overtaken(world, paid, teller)
    where, word = f"/bank/lines/{line.id}", f"/bank/lines/{line.id}/came-back/{first.id}"
    treasury, other = who_did_not_sign(), person(roles=[(Role.FINANCE_OFFICER, "act", None)])
    emails = treasury.email, other.email
    session.commit()
    visitor.sign_in(emails[0], PASSWORD)
    assert "Confirm that payment" not in visitor.open("/home", 200).text
    assert "a second one confirms" not in visitor.open("/bank/suspense", 200).text
    assert visitor.open(word, 200).path == where
    assert "Counts for nothing any more" in visitor.page.text
    assert "Confirm that it came back" not in visitor.page.text
    assert "Withdraw it" not in visitor.page.text
    visitor.sign_out()
    visitor.sign_in(emails[1], PASSWORD)
    assert "Confirm that 1 line" not in visitor.open("/home", 200).text
    visitor.sign_out()
    enter(visitor, world, "finance").open(where)
    visitor.follow("Withdraw it")
    visitor.fill("Reason", "It was a gift.")
    visitor.press("Withdraw it")
    assert "Counts for nothing" not in visitor.page.text
    assert wrong() == []


def test_a_word_that_was_booked_waits_for_nobody(
    world: World, paid: PaymentOrder, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(2 * paid.amount + 500, "two of them, and more"))
    target = Target(Purpose.RETURN, paid.amount, order=paid)
    first = service.allocate(line.id, target, "The bank wrote so.", by=world.till.finance)
    assert isinstance(first, ReturnProposal)
    session.commit()
    assert queries.said_of(line).waiting == [first]
    service.confirm_return(first, by=who_did_not_sign())
    session.commit()
    session.expire_all()
    assert (queries.said_of(line).waiting, queries.said_of(line).overtaken) == ([], [])
    assert waiting_for_second([line.id]) == set()
    assert wrong() == []
