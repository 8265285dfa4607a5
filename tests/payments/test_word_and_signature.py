"""Who says that a payment was not made signs no later attempt to make it (R24)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.accounts.models import Person, Role
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments import checks, service
from portal.payments.models import OrderStatus, PaymentApproval, PaymentOrder
from tests.make import payments as make
from tests.make.accounts import person
from tests.payments.conftest import World


def rejected(order: PaymentOrder, by: Person) -> None:
    service.reject_order(order, "The account is closed.", by=by)


def came_back(order: PaymentOrder, by: Person) -> None:
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=by)
    service.return_order(order, "Sent back by the bank.", on=clock.today(), by=by)


@pytest.mark.parametrize("said", [rejected, came_back])
def test_by_hand(world: World, said: Callable[[PaymentOrder, Person], None]) -> None:
    other = person(roles=[(Role.TREASURY, "act", None)])
    order = make.signed(world.order, world.till)
    said(order, other)
    anew = service.prepare_order(order.instalment, by=world.till.finance)
    make.signed(anew, world.till, OrderStatus.APPROVED)
    session.commit()
    with pytest.raises(Refused, match="You said of payment"):
        service.release(anew, by=other)
    session.rollback()
    service.release(anew, by=world.till.treasurer)
    session.commit()
    assert violations() == []


def test_a_word_about_another_payment_does_not_count(world: World) -> None:
    other = person(roles=[(Role.TREASURY, "act", None)])
    order = make.order()
    make.signed(order, world.till)
    rejected(order, other)
    make.signed(world.order, replace(world.till, treasurer=other))
    assert violations() == []


def test_a_word_about_a_later_attempt_makes_no_earlier_signature_wrong(world: World) -> None:
    """Who signed the first attempt may say that the second was not made: they sign no other."""
    other = person(roles=[(Role.TREASURY, "act", None)])
    order = make.signed(world.order, world.till)
    rejected(order, world.till.finance)
    anew = service.prepare_order(order.instalment, by=world.till.finance)
    make.signed(anew, replace(world.till, treasurer=other))
    rejected(anew, world.till.treasurer)
    session.commit()
    assert violations() == []


def test_a_signature_after_such_a_word_is_found(world: World) -> None:
    other = person(roles=[(Role.TREASURY, "act", None)])
    order = make.signed(world.order, world.till)
    rejected(order, other)
    anew = service.prepare_order(order.instalment, by=world.till.finance)
    make.signed(anew, world.till)
    session.commit()
    assert violations() == []
    session.execute(sa.text("ALTER TABLE payment_approval DISABLE TRIGGER ALL"))
    session.execute(
        sa.update(PaymentApproval)
        .where(PaymentApproval.order_id == anew.id, PaymentApproval.step == "release")
        .values(person_id=other.id)
    )
    assert [f"order {anew.ref} is signed by who said" in each for each in violations()] == [True]
    session.rollback()


def violations() -> list[str]:
    """Return what the invariant of words and signatures finds."""
    [check] = [each for each in checks.of_orders() if "signs anew" in each.name]
    return check.run().violations
