"""Two at once, with real transactions: what can be done once is done once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from portal.accounts.models import Person, Role
from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger.models import LedgerTransaction, TransactionKind
from portal.payments import service
from portal.payments.models import ApprovalStep, BankDetails, BankStatus, OrderStatus, PaymentOrder
from tests.make import payments as make
from tests.make.accounts import person as make_person
from tests.make.accounts import person_with
from tests.make.turns import in_turn
from tests.payments.conftest import World

Status = OrderStatus
Act = Callable[[], object]


def at_once(*acts: Act) -> list[str]:
    """Run each act in a transaction of its own, all at the same moment; return how each ended."""
    session.commit()
    gate = Barrier(len(acts))

    def run(act: Act) -> str:
        try:
            session.execute(sa.text("SELECT 1"))
            gate.wait(timeout=20)
            act()
            session.commit()
        except (Refused, sa.exc.IntegrityError, sa.orm.exc.StaleDataError) as refused:
            session.rollback()
            return type(refused).__name__
        else:
            return "done"
        finally:
            session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(run, acts))


def order_of(world: World) -> PaymentOrder:
    """Return the order as this thread's own row."""
    return session.scalars(select(PaymentOrder).where(PaymentOrder.ref == world.town.order)).one()


def who(world: World, part: str) -> Person:
    return person_with(world.town.emails[part])


def advances() -> int:
    rows = select(func.count()).where(LedgerTransaction.kind == TransactionKind.ADVANCE_PAID)
    return int(session.scalar(rows) or 0)


def test_two_releases_make_one_instruction(world: World) -> None:
    make.signed(world.order, world.till, Status.APPROVED)

    def release() -> None:
        service.release(order_of(world), by=who(world, "treasurer"))

    assert at_once(release, release) == ["done", "done"]
    order = order_of(world)
    assert order.status is Status.RELEASED
    assert len(order.approvals) == 3
    told = select(func.count()).select_from(sa.table("audit_event", sa.column("action")))
    released = told.where(sa.column("action") == "payment_order.release")
    assert session.scalar(released) == 1


def test_two_confirmations_book_once(world: World) -> None:
    make.signed(world.order, world.till)
    today = clock.today()

    def confirm(reference: str) -> Act:
        return lambda: service.confirm(
            order_of(world), reference=reference, paid_on=today, by=who(world, "finance")
        )

    assert at_once(confirm("AG-1"), confirm("AG-2")) == ["Refused", "done"]
    assert advances() == 1


def test_two_preparations_make_one_order(world: World) -> None:
    make.verified(world.award, world.till)
    first = world.award.instalments[0].id

    def prepare(part: str) -> Act:
        return lambda: service.prepare_order(
            session.get_one(Instalment, first), by=who(world, part)
        )

    assert at_once(prepare("finance"), prepare("officer")) == ["Refused", "done"]
    rows = select(func.count()).where(PaymentOrder.instalment_id == first)
    assert session.scalar(rows) == 1


def test_one_person_cannot_sign_two_steps_at_once(world: World) -> None:
    both = [(Role.CERTIFYING_OFFICER, "act", None), (Role.APPROVING_OFFICER, "act", None)]
    email = make_person("both@example.org", both).email

    def certify() -> None:
        service.certify(order_of(world), by=person_with(email))

    def approve() -> None:
        service.approve(order_of(world), by=person_with(email))

    assert in_turn(certify, approve) == ["done", "Refused"]
    assert [approval.step for approval in order_of(world).approvals] == [ApprovalStep.CERTIFY]


def test_two_people_sign_two_steps_right_after_each_other(world: World) -> None:
    def certify() -> None:
        service.certify(order_of(world), by=who(world, "certifier"))

    def approve() -> None:
        service.approve(order_of(world), by=who(world, "approver"))

    assert in_turn(certify, approve) == ["done", "done"]


def test_a_release_and_a_change_of_account_never_both_happen(world: World) -> None:
    make.signed(world.order, world.till, Status.APPROVED)
    award = world.paid.id

    def release() -> None:
        service.release(order_of(world), by=who(world, "treasurer"))

    def change() -> None:
        service.enter_bank_details(
            session.get_one(Award, award),
            make.payee(account=make.OTHER_IBAN),
            by=who(world, "grantee of paid"),
        )

    assert at_once(release, change) == ["Refused", "done"]
    order = order_of(world)
    ends = (order.status, order.bank_details.status)
    assert ends in {
        (Status.RELEASED, BankStatus.VERIFIED),
        (Status.CANCELLED, BankStatus.REPLACED),
    }


def test_two_new_accounts_at_once_leave_one_that_stands(world: World) -> None:
    award = world.award.id

    def enter(account: str) -> Act:
        return lambda: service.enter_bank_details(
            session.get_one(Award, award),
            make.payee(account=account),
            by=who(world, "grantee of award"),
        )

    assert at_once(enter("0123456789"), enter("9876543210")) == ["done", "done"]
    rows = select(func.count()).where(
        BankDetails.award_id == award, BankDetails.status == BankStatus.ENTERED
    )
    assert session.scalar(rows) == 1


@pytest.mark.parametrize("other", ["cancel", "release"])
def test_a_cancellation_and_another_step_do_not_both_count(world: World, other: str) -> None:
    make.signed(world.order, world.till, Status.APPROVED)

    def cancel() -> None:
        service.cancel_order(order_of(world), "Not now.", by=who(world, "finance"))

    def step() -> None:
        if other == "cancel":
            service.cancel_order(order_of(world), "Another reason.", by=who(world, "officer"))
        else:
            service.release(order_of(world), by=who(world, "treasurer"))

    assert at_once(cancel, step) == ["Refused", "done"]
