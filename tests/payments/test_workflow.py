"""Every act in every status by every part: what the tables allow, and nothing else."""

from itertools import product

import pytest

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments.models import (
    BankAction,
    BankStatus,
    OrderAction,
    OrderStatus,
)
from portal.payments.workflow import BANK_WORKFLOW, ORDER_WORKFLOW
from tests.payments.conftest import World

STOPPERS = {"finance", "officer", "certifier", "approver", "treasurer"}
TELLERS = {"finance", "treasurer"}

ORDERS: dict[tuple[OrderStatus, OrderAction], tuple[OrderStatus, set[str]]] = {
    (OrderStatus.PREPARED, OrderAction.CERTIFY): (OrderStatus.CERTIFIED, {"certifier"}),
    (OrderStatus.CERTIFIED, OrderAction.APPROVE): (OrderStatus.APPROVED, {"approver"}),
    (OrderStatus.APPROVED, OrderAction.RELEASE): (OrderStatus.RELEASED, {"treasurer"}),
    (OrderStatus.RELEASED, OrderAction.CONFIRM): (OrderStatus.CONFIRMED, TELLERS),
    (OrderStatus.RELEASED, OrderAction.REJECT): (OrderStatus.REJECTED, TELLERS),
    (OrderStatus.CONFIRMED, OrderAction.RETURN): (OrderStatus.RETURNED, TELLERS),
    (OrderStatus.PREPARED, OrderAction.CANCEL): (OrderStatus.CANCELLED, STOPPERS),
    (OrderStatus.CERTIFIED, OrderAction.CANCEL): (OrderStatus.CANCELLED, STOPPERS),
    (OrderStatus.APPROVED_ONCE, OrderAction.CANCEL): (OrderStatus.CANCELLED, STOPPERS),
    (OrderStatus.APPROVED, OrderAction.CANCEL): (OrderStatus.CANCELLED, STOPPERS),
}
LARGE = {
    **ORDERS,
    (OrderStatus.CERTIFIED, OrderAction.APPROVE): (OrderStatus.APPROVED_ONCE, {"approver"}),
    (OrderStatus.APPROVED_ONCE, OrderAction.APPROVE_AGAIN): (OrderStatus.APPROVED, {"approver"}),
}
"""What a payment above the threshold of its fund goes through: approved by two."""

DETAILS: dict[tuple[BankStatus, BankAction], tuple[BankStatus, set[str]]] = {
    (BankStatus.ENTERED, BankAction.VERIFY): (BankStatus.VERIFIED, {"finance"}),
    (BankStatus.ENTERED, BankAction.REJECT): (BankStatus.REJECTED, {"finance"}),
    (BankStatus.VERIFIED, BankAction.REJECT): (BankStatus.REJECTED, {"finance"}),
    (BankStatus.ENTERED, BankAction.REPLACE): (BankStatus.REPLACED, {"grantee"}),
    (BankStatus.VERIFIED, BankAction.REPLACE): (BankStatus.REPLACED, {"grantee"}),
    (BankStatus.DOUBTED, BankAction.VERIFY): (BankStatus.VERIFIED, {"finance"}),
    (BankStatus.DOUBTED, BankAction.REJECT): (BankStatus.REJECTED, {"finance"}),
    (BankStatus.DOUBTED, BankAction.REPLACE): (BankStatus.REPLACED, {"grantee"}),
}


@pytest.fixture
def parts(world: World) -> dict[str, Person]:
    from tests.make.payments import grantee

    return {
        "finance": world.till.finance,
        "certifier": world.till.certifier,
        "approver": world.till.approver,
        "treasurer": world.till.treasurer,
        "officer": world.officer,
        "authority": world.authority,
        "grantee": grantee(world.paid),
        "another grantee": grantee(world.other),
    }


@pytest.mark.parametrize("table", [ORDERS, LARGE], ids=["usual", "large"])
def test_orders_move_as_their_table_says(
    world: World,
    parts: dict[str, Person],
    table: dict[tuple[OrderStatus, OrderAction], tuple[OrderStatus, set[str]]],
) -> None:
    order = world.order
    for status, action, part in product(OrderStatus, OrderAction, parts):
        target, may = table.get((status, action), (None, set()))
        with session.no_autoflush:
            order.status, order.second_approval = status, table is LARGE
            if part in may:
                assert ORDER_WORKFLOW.check(order, action, parts[part]).target is target
            else:
                with pytest.raises(Refused):
                    ORDER_WORKFLOW.check(order, action, parts[part])


def test_bank_details_move_as_their_table_says(world: World, parts: dict[str, Person]) -> None:
    details = world.order.bank_details
    for status, action, part in product(BankStatus, BankAction, parts):
        target, may = DETAILS.get((status, action), (None, set()))
        with session.no_autoflush:
            details.status = status
            if part in may:
                assert BANK_WORKFLOW.check(details, action, parts[part]).target is target
            else:
                with pytest.raises(Refused):
                    BANK_WORKFLOW.check(details, action, parts[part])
