"""Who said that an attempt was not made has no task to sign the next, and reads why (R24)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from portal.accounts.models import Person, Role
from portal.accounts.service.roles import end_role
from portal.core.db import session
from portal.core.web import Portal
from portal.payments import queries, service, steps
from portal.payments.models import OrderStatus, PaymentOrder
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make.accounts import PASSWORD, administrator, person
from tests.payments.conftest import World, enter
from tests.payments.payday import Payday

Count = Callable[[], AbstractContextManager[SqlCount]]
RELEASE = "Release the payment"
PAGES = ("/home", "/payments", "/payments/several/release")
MOST = 10


def second_treasurer() -> Person:
    return person(roles=[(Role.TREASURY, "act", None)], name="Tabea Treasurer")


def anew(world: World, said: Person, until: OrderStatus) -> PaymentOrder:
    """Return the second attempt, after somebody said that the first one was not made."""
    make.signed(world.order, world.till)
    service.reject_order(world.order, "The account is closed.", by=said)
    made = service.prepare_order(world.order.instalment, by=world.till.finance)
    make.signed(made, world.till, until)
    session.commit()
    return made


def to_sign(who: Person) -> list[str]:
    return [str(each.values["ref"]) for each in queries.queue(who) if each.signs]


def test_no_task_waits_for_who_said_it(world: World) -> None:
    other = second_treasurer()
    made = anew(world, other, OrderStatus.APPROVED)
    assert (to_sign(other), to_sign(world.till.treasurer)) == ([], [made.ref])
    assert steps.todos(other) == []
    assert [each.title for each in steps.todos(world.till.treasurer)] == ["Release (1)"]
    file = made.instalment.award.application
    assert list(steps.next_steps(other, file)) == []
    assert [each.title for each in steps.next_steps(world.till.treasurer, file)] == ["Release"]


def test_only_signatures_are_for_somebody_else(world: World) -> None:
    """What became of the second attempt they may record as well: they did not sign it."""
    other = second_treasurer()
    made = anew(world, other, OrderStatus.RELEASED)
    waits = [(each.matter, each.values["ref"]) for each in queries.queue(other)]
    assert waits == [(queries.Matter.CONFIRM, made.ref)]


def test_a_first_attempt_waits_for_everybody(world: World) -> None:
    other = second_treasurer()
    make.signed(world.order, world.till, OrderStatus.APPROVED)
    session.commit()
    assert to_sign(other) == [world.order.ref]


def test_the_page_of_the_order_says_who_signs(world: World, visitor: Browser) -> None:
    other = second_treasurer()
    ref, first, email = anew(world, other, OrderStatus.APPROVED).ref, world.order.ref, other.email
    session.commit()
    visitor.sign_in(email, PASSWORD)
    page = visitor.open(f"/payments/{ref}", 200)
    assert f"{RELEASE}: You said of payment {first}, an earlier attempt" in page.text
    assert "Somebody else signs this one, in the role “Treasury”." in page.text
    assert RELEASE not in [said for said, _address in page.links]
    assert "Cancel the order" in [said for said, _address in page.links]
    assert visitor.open(f"/payments/{ref}/release", 200).path == f"/payments/{ref}"
    assert ref not in visitor.open("/payments/several/release", 200).text
    visitor.sign_out()
    page = enter(visitor, world, "treasurer").open(f"/payments/{ref}", 200)
    assert RELEASE in [said for said, _address in page.links]
    assert "You said" not in page.text
    assert ref in visitor.open("/payments/several/release", 200).text


def test_where_nobody_is_left_to_sign_the_page_says_so(world: World, visitor: Browser) -> None:
    other, till = second_treasurer(), world.till
    make.signed(world.order, replace(till, treasurer=other))
    service.reject_order(world.order, "The account is closed.", by=till.treasurer)
    made = service.prepare_order(world.order.instalment, by=till.finance)
    address = f"/payments/{made.ref}"
    make.signed(made, till, OrderStatus.APPROVED)
    session.commit()
    enter(visitor, world, "finance")
    assert "Nobody can sign" not in visitor.open(address, 200).text
    end_role(session.merge(other).roles[0], by=administrator())
    session.commit()
    page = visitor.open(address, 200)
    assert "Nobody can sign it now" in page.text
    assert "somebody in the role “Treasury” who did not" in page.text
    visitor.sign_out()
    assert "Nobody can sign it now" in enter(visitor, world, "treasurer").open(address, 200).text
    visitor.sign_out()
    assert "Nobody can sign" not in enter(visitor, world, "grantee of paid").open(address, 200).text


def rejected_and_anew(payday: Payday, number: int, said: Person) -> PaymentOrder:
    first = make.signed(payday.orders[number], payday.till)
    service.reject_order(first, "It never left.", by=said)
    made = service.prepare_order(first.instalment, by=payday.till.finance)
    make.signed(made, payday.till, OrderStatus.APPROVED)
    session.commit()
    return made


@pytest.mark.parametrize(
    "roles",
    [
        (Role.TREASURY,),
        (Role.APPROVING_OFFICER,),
        (Role.FINANCE_OFFICER,),
        (Role.FINANCE_OFFICER, Role.TREASURY),
        (Role.PROGRAMME_OFFICER,),
    ],
)
def test_pages_take_as_many_statements_for_several_as_for_one(
    payday: Payday, application: Portal, count_sql: Count, roles: tuple[Role, ...]
) -> None:
    who = person(roles=[(role, None, None) for role in roles])
    email = who.email
    totals: list[list[int]] = []
    for number in range(3):
        made = rejected_and_anew(payday, number, person(roles=[(Role.TREASURY, None, None)]))
        ref = made.ref
        browser = Browser(application)
        browser.sign_in(email, PASSWORD)
        totals.append([])
        for path in (*PAGES, f"/payments/{ref}"):
            with count_sql() as count:
                browser.open(path)
            totals[-1].append(count.total)
    assert totals[0] == totals[1] == totals[2]
    assert max(totals[0]) <= MOST
