"""What was released for the card processor and must not leave: it waits, says why, and can end."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from portal.accounts.models import Person
from portal.awards.models import Award, AwardStatus, InstalmentStatus
from portal.core import audit, clock, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import format_money, usd
from portal.core.workflow import Refused
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind
from portal.payments import queries, service, steps
from portal.payments.models import BankDetails, BankStatus, OrderStatus, PaymentOrder
from portal.payments.queries import Matter
from portal.payments.rails.stripe import Progress
from portal.payments.service import by_processor
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD
from tests.make.turns import Act, in_turn
from tests.payments.test_card_cover import another, kept, real
from tests.payments.test_card_processor import FUND, Desk, desk, fill

__all__ = ["desk", "real"]

Count = Callable[[], AbstractContextManager[SqlCount]]
NOTHING = {"account": 0, "transfer": 0, "payout": 0}


def doubted(order: PaymentOrder, status: BankStatus = BankStatus.DOUBTED) -> None:
    doubt = {"remark": "AC04", "doubted_at": clock.now()} if status is BankStatus.DOUBTED else {}
    rows = sa.update(BankDetails).where(BankDetails.id == order.bank_details_id)
    session.execute(rows.values(status=status, **doubt))


def put(order: PaymentOrder, status: AwardStatus) -> None:
    rows = sa.update(Award).where(Award.id == order.instalment.award_id)
    session.execute(rows.values(status=status))


def suspended(order: PaymentOrder) -> None:
    put(order, AwardStatus.SUSPENDED)


def terminated(order: PaymentOrder) -> None:
    put(order, AwardStatus.TERMINATED)


def settled(act: Callable[[PaymentOrder], None], order: PaymentOrder) -> None:
    act(order)
    session.commit()
    session.expire_all()


def page_of(desk: Desk, application: object) -> Browser:
    """Return the page of the order, as finance reads it."""
    ref, email = desk.order.ref, desk.till.finance.email
    visitor = Browser(application)  # type: ignore[arg-type]
    visitor.sign_in(email, PASSWORD)
    visitor.open(f"/payments/{ref}")
    return visitor


def end(desk: Desk, visitor: Browser, order_id: UUID) -> None:
    """Record on the page of the order that it was not paid."""
    visitor.follow("Record that it was not paid")
    visitor.fill_all(remark="Its grant has ended.")
    visitor.press("Record that it was not paid")
    desk.order = session.get_one(PaymentOrder, order_id)
    assert (desk.order.status, desk.order.remark) == (OrderStatus.REJECTED, "Its grant has ended.")
    assert desk.order.instalment.status is InstalmentStatus.PLANNED


HELD = [
    (suspended, "Its grant is suspended. It leaves once the grant is resumed"),
    (terminated, "Its grant is “Terminated”. Record that it was not paid"),
    (doubted, "no longer verified (The account is closed (AC04)). Verify them again"),
]


@pytest.mark.parametrize(("stops", "sentence"), HELD)
def test_what_must_wait_does_not_leave_and_says_why(
    desk: Desk, application: object, stops: Callable[[PaymentOrder], None], sentence: str
) -> None:
    settled(stops, desk.order)
    fill()
    desk.work()
    assert (desk.made(), desk.order.status) == (NOTHING, OrderStatus.RELEASED)
    assert Matter.HELD in {each.matter for each in queries.queue(desk.till.finance)}
    visitor = page_of(desk, application)
    assert sentence in visitor.page.text
    visitor.follow("Record that it was not paid")


def test_once_it_has_ended_its_terminated_grant_is_settled(desk: Desk) -> None:
    settled(terminated, desk.order)
    award, finance = desk.order.instalment.award, desk.till.finance
    with pytest.raises(Refused, match="under way"):
        service.settle_account(award, by=finance)
    service.reject_order(desk.order, "Its grant has ended.", by=finance)
    service.settle_account(award, by=finance)
    assert {each.status for each in award.instalments} == {InstalmentStatus.LAPSED}


def test_it_leaves_once_its_grant_is_resumed(desk: Desk) -> None:
    settled(suspended, desk.order)
    fill()
    desk.work()
    put(desk.order, AwardStatus.ACTIVE)
    session.commit()
    desk.work()
    assert desk.made() == {"account": 1, "transfer": 1, "payout": 1}


def test_what_was_sent_goes_on_though_its_grant_is_suspended(desk: Desk) -> None:
    fill()
    while not kept():
        by_processor.pay_next()
        session.commit()
    settled(suspended, desk.order)
    desk.work()
    assert desk.made() == {"account": 1, "transfer": 1, "payout": 1}
    with pytest.raises(Refused, match="tells by itself"):
        service.reject_order(desk.order, "It is suspended.", by=desk.till.finance)


def waiting(desk: Desk) -> set[str]:
    """Return what finance has to do, by the queue, the home page and the page of the file."""
    session.expire_all()
    finance, file = desk.till.finance, desk.order.instalment.award.application
    queue = {str(each.matter.label) for each in queries.queue(finance)}
    home = {todo.title.removesuffix(" (1)") for todo in steps.todos(finance)}
    assert home == queue == {todo.title for todo in steps.next_steps(finance, file)}
    return queue


def test_without_cover_it_waits_for_whoever_can_end_it(desk: Desk, count_sql: Count) -> None:
    assert waiting(desk) == {"See to a payment held back"}
    assert queries.queue(desk.till.treasurer) == []  # they signed it
    with count_sql() as one:
        queries.queue(desk.till.finance)
    second = another(desk).ref
    session.expire_all()
    finance = session.get_one(Person, desk.till.finance.id)
    with count_sql() as two:
        assert [each.matter for each in queries.queue(finance)] == [Matter.HELD] * 2
    assert one.total == two.total
    fill(desk.order.amount_usd - 1)
    assert len(queries.queue(finance)) == 2
    ledger.contribution_received(
        FUND, usd(1), "gift:2", clock.today(), by=None, into=AccountKind.CARD_CLEARING
    )
    session.commit()
    assert queries.queue(finance) == []  # it covers either
    desk.work()
    assert [each.values["ref"] for each in queries.queue(finance)] == [second]


def test_the_gifts_of_another_fund_cover_nothing_in_the_queue(desk: Desk) -> None:
    ledger.open_book("vftc")
    ledger.contribution_received(
        "vftc", usd(1_000_000), "gift:1", clock.today(), by=None, into=AccountKind.CARD_CLEARING
    )
    session.commit()
    assert waiting(desk) == {"See to a payment held back"}


def test_without_a_card_processor_it_waits_too(desk: Desk, settings: Settings) -> None:
    fill()
    assert waiting(desk) == set()
    stripe.configure(settings.model_copy(update={"stripe_secret_key": SecretStr("")}))
    assert waiting(desk) == {"See to a payment held back"}


def test_without_cover_it_says_so_and_ends_with_a_reason(desk: Desk, application: object) -> None:
    ledger.contribution_received(
        FUND, usd(10_000), "gift:0", clock.today(), by=None, into=AccountKind.CARD_CLEARING
    )
    desk.work()
    order_id, missing = desk.order.id, usd(desk.order.amount_usd - 10_000)
    visitor = page_of(desk, application)
    assert "Less of the fund's money lies with the card processor" in visitor.page.text
    for words in ("US$ 100.00 lies there", f"{format_money(missing, 'en')} is missing"):
        assert words in visitor.page.text.replace("\xa0", " "), words
    end(desk, visitor, order_id)
    fill()
    desk.work()
    assert desk.made() == NOTHING


def test_without_a_card_processor_it_says_so_and_ends(
    desk: Desk, application: object, settings: Settings
) -> None:
    fill()
    order_id = desk.order.id
    stripe.configure(settings.model_copy(update={"stripe_secret_key": SecretStr("")}))
    visitor = page_of(desk, application)
    assert "has no card processor any more" in visitor.page.text
    end(desk, visitor, order_id)


@pytest.fixture
def ready(real: Desk) -> Desk:
    """Return an order whose next step is to keep the transfer's call."""
    fill()
    for _step in ("the account's call is kept", "the account is made"):
        assert by_processor.pay(real.order) is Progress.FURTHER
        session.commit()
    return real


def acts(desk: Desk) -> tuple[Act, Act, Act]:
    """Return the worker's next step, a rejection and a suspension, each for a thread of its own."""
    order_id, finance_id = desk.order.id, desk.till.finance.id

    def keep() -> None:
        by_processor.pay(session.get_one(PaymentOrder, order_id))

    def reject() -> None:
        order = session.get_one(PaymentOrder, order_id)
        assert order.transfer is None  # as its page read it
        finance = session.get_one(Person, finance_id)
        service.reject_order(order, "Its grant has ended.", by=finance)

    def suspend() -> None:
        audit.take_turn()
        suspended(session.get_one(PaymentOrder, order_id))

    return keep, reject, suspend


def test_what_ended_meanwhile_is_not_sent(ready: Desk) -> None:
    keep, reject, _suspend = acts(ready)
    assert in_turn(reject, keep) == ["done", "done"]
    assert kept() == set()
    session.refresh(ready.order)
    assert ready.order.status is OrderStatus.REJECTED


def test_what_is_about_to_be_sent_is_not_called_dead(ready: Desk) -> None:
    keep, reject, _suspend = acts(ready)
    assert in_turn(keep, reject) == ["done", "Refused"]
    assert kept() == {ready.order.ref}
    session.refresh(ready.order)
    assert ready.order.status is OrderStatus.RELEASED


def test_what_was_stopped_meanwhile_is_not_sent(ready: Desk) -> None:
    keep, _reject, suspend = acts(ready)
    assert in_turn(suspend, keep) == ["done", "done"]
    assert kept() == set()
