"""What was released and does not leave: the page, the queue and the check say why."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.awards.models import Award, AwardStatus
from portal.core import clock
from portal.core.db import session
from portal.payments import queries, service, steps
from portal.payments.checks import files
from portal.payments.models import BankDetails, BankStatus, OrderStatus, PaymentOrder
from portal.payments.queries import Matter
from tests.browser import Browser
from tests.make import payments as make
from tests.make.accounts import PASSWORD
from tests.payments.payday import Payday

TITLE = "See to a payment held back (1)"


@pytest.fixture
def order(payday: Payday) -> PaymentOrder:
    """Return a payment that was released, and stands in no file yet."""
    made = make.signed(payday.orders[0], payday.till)
    session.commit()
    return made


def doubted(order: PaymentOrder) -> None:
    doubt = {"status": BankStatus.DOUBTED, "remark": "AC04", "doubted_at": clock.now()}
    rows = sa.update(BankDetails).where(BankDetails.id == order.bank_details_id)
    session.execute(rows.values(doubt))


def rejected(order: PaymentOrder) -> None:
    doubted(order)
    session.expire_all()
    details, who = order.bank_details, make.till("upr-i").finance
    service.reject_bank_details(details, "Another bank.", by=who)


def suspended(order: PaymentOrder) -> None:
    rows = sa.update(Award).where(Award.id == order.instalment.award_id)
    session.execute(rows.values(status=AwardStatus.SUSPENDED))


HELD = [
    (doubted, ("no longer verified (The account is closed (AC04))", "Verify them again")),
    (rejected, ("no longer stand (Not accepted)", "is then prepared anew")),
    (suspended, ("Its grant is suspended", "once the grant is resumed")),
]


def waits(payday: Payday, order: PaymentOrder) -> list[Matter]:
    ref = order.instalment.award.application.ref
    found = queries.queue(payday.till.finance)
    return [each.matter for each in found if each.application.ref == ref]


@pytest.mark.parametrize(("holds", "sentences"), HELD)
def test_page_queue_and_check_say_why_it_does_not_leave(
    payday: Payday,
    order: PaymentOrder,
    application: object,
    holds: Callable[[PaymentOrder], None],
    sentences: tuple[str, str],
) -> None:
    why, advice = sentences
    assert Matter.HELD not in waits(payday, order)
    holds(order)
    session.commit()
    session.expire_all()
    assert Matter.HELD in waits(payday, order)
    assert TITLE in [todo.title for todo in steps.todos(payday.till.finance)]
    with clock.at(clock.now() + 2 * files.FILED_AFTER):
        [said] = files._filed().violations
    assert order.ref in said
    assert why in said
    ref, email = order.ref, payday.till.finance.email
    visitor = Browser(application)  # type: ignore[arg-type]
    visitor.sign_in(email, PASSWORD)
    visitor.open(f"/payments/{ref}")
    assert "It is held back" in visitor.page.text
    assert why in visitor.page.text
    assert advice in visitor.page.text
    assert "nobody records it by hand" not in visitor.page.text
    visitor.follow("Record that it was not paid")


def test_once_it_is_recorded_as_not_paid_nothing_is_held(
    payday: Payday, order: PaymentOrder
) -> None:
    doubted(order)
    session.commit()
    session.expire_all()
    service.reject_order(order, "The account is closed.", by=payday.till.finance)
    session.commit()
    assert order.status is OrderStatus.REJECTED
    assert Matter.HELD not in waits(payday, order)
    assert files._filed().violations == []
