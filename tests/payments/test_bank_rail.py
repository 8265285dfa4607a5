"""Payments by the bank, against an independent one: files out, answers in, books that agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.awards.models import Award, InstalmentStatus, PayingAgent
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import exchange, service
from portal.payments.models import FileStatus, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.rails import bank as rail
from portal.payments.service import bank_messages, sending
from tests.ledger.books import journal
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.make.payments import Till
from tests.payments.bank import OURS
from tests.payments.conftest import World
from tests.payments.counter import Counter, opened

ELSEWHERE = "NL30MOCK0000000005"
"""An account at another bank: a payment to it settles."""

CLOSED = "NL84MOCK0000000003"
"""A closed account at the same bank."""


@pytest.fixture
def till(world: World) -> Till:
    return world.till


@pytest.fixture
def counter(till: Till, tmp_path: Path) -> Iterator[Counter]:
    make.fund_account(who=till)
    session.commit()
    with opened(tmp_path / "bank") as found:
        yield found


def released(till: Till, account: str = ELSEWHERE, award: Award | None = None) -> PaymentOrder:
    of = award or make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(of, till, account=account, country="NLD", bic="")
    order = make.signed(service.prepare_order(of.instalments[0], by=till.finance), till)
    session.commit()
    return order


def stands(order: PaymentOrder) -> OrderStatus:
    return order.status


def balance(order: PaymentOrder, kind: AccountKind) -> int:
    return ledger.subject_sums("act", order.instalment.award.ref).get(kind, 0)


def test_a_payment_goes_out_by_the_bank_and_is_paid(counter: Counter, till: Till) -> None:
    order = released(till)
    assert (order.rail, order.instruction_id) == ("bank", None)
    [file] = counter.send()
    assert file.status is FileStatus.SENT
    assert balance(order, AccountKind.PAYMENTS_IN_TRANSIT) == -order.amount_usd
    counter.next_day()
    assert not [read.refusal for read in counter.answers() if read.refusal]
    assert (order.status, file.status) == (OrderStatus.CONFIRMED, FileStatus.ACCEPTED)
    assert order.instalment.status is InstalmentStatus.PAID
    [debit] = counter.bank.payments()
    assert (debit["end_to_end_id"], debit["amount"]) == (order.ref, order.amount)
    assert balance(order, AccountKind.BANK) == -order.amount_usd
    assert balance(order, AccountKind.PAYMENTS_IN_TRANSIT) == 0


def test_a_refused_payment_is_set_aside_again(counter: Counter, till: Till) -> None:
    order = released(till, CLOSED)
    [file] = counter.send()
    counter.answers()
    assert (order.status, file.status) == (OrderStatus.REJECTED, FileStatus.REFUSED)
    assert "AC04" in order.remark
    award = order.instalment.award
    assert ledger.outstanding("act", award.ref).minor == award.amount_usd
    assert balance(order, AccountKind.PAYMENTS_IN_TRANSIT) == 0
    assert order.instalment.status is InstalmentStatus.PLANNED


def test_a_payment_that_comes_back_is_paid_anew_with_new_signatures(
    counter: Counter, till: Till
) -> None:
    counter.bank.patch(OURS, behaviour="return-later", parameters={"days": 2})
    order = released(till)
    counter.send()
    counter.next_day()
    counter.answers()
    assert order.status is OrderStatus.CONFIRMED
    counter.bank.patch(OURS, behaviour="accept", parameters={})
    counter.next_day(2)
    counter.answers()
    list(exchange.book_all())
    assert stands(order) is OrderStatus.RETURNED
    assert balance(order, AccountKind.BANK) == 0
    with pytest.raises(Refused, match=r"The account is closed \(AC04\)"):
        service.prepare_order(order.instalment, by=till.finance)
    service.verify_bank_details(order.bank_details, screened=True, by=till.finance)
    again = service.prepare_order(order.instalment, by=till.finance)
    assert (again.attempt, again.ref != order.ref) == (2, True)
    make.signed(again, till)
    session.commit()
    counter.send()
    counter.next_day()
    counter.answers()
    assert again.status is OrderStatus.CONFIRMED
    assert balance(again, AccountKind.BANK) == -again.amount_usd


def test_a_file_sent_twice_is_the_same_file_and_the_bank_keeps_the_first(
    counter: Counter, till: Till
) -> None:
    order = released(till)
    [file] = exchange.gather_all()
    bytes_kept = sending.content_of(file)
    rail.BANK.submit(file.message_id, bytes_kept)  # and then the process ends, before it says so
    counter.bank.scan()
    session.rollback()
    [sent] = exchange.send_all()
    assert (sent.id, sending.content_of(sent)) == (file.id, bytes_kept)
    counter.bank.scan()
    counter.answers()
    counter.next_day()
    counter.answers()
    assert len(counter.bank.payments()) == 1
    assert (order.status, file.status) == (OrderStatus.CONFIRMED, FileStatus.ACCEPTED)


def test_a_duplicate_is_no_refusal_the_bank_has_the_file(counter: Counter, till: Till) -> None:
    order = released(till)
    [file] = counter.send()
    [lost] = counter.bank.pickup.glob("pain.002*")
    lost.unlink()
    service.send_again(file, by=till.treasurer)
    session.commit()
    counter.bank.scan()
    [read] = [each for each in counter.answers() if "pain.002" in each.name]
    assert read.received is not None
    assert (order.status, file.status) == (OrderStatus.CONFIRMED, FileStatus.DUPLICATE)
    assert len(counter.bank.payments()) == 1


def test_an_answer_proves_that_a_file_left(counter: Counter, till: Till) -> None:
    order = released(till)
    [file] = exchange.gather_all()
    rail.BANK.submit(file.message_id, sending.content_of(file))
    counter.bank.scan()
    counter.next_day()
    counter.answers()
    assert (order.status, file.status) == (OrderStatus.CONFIRMED, FileStatus.ACCEPTED)
    assert balance(order, AccountKind.BANK) == -order.amount_usd


def test_while_the_bank_is_silent_nothing_is_failed_and_nobody_can_say_so(
    counter: Counter, till: Till
) -> None:
    order = released(till)
    counter.send()
    with pytest.raises(Refused, match="still has time"):
        service.reject_order(order, "It must have failed.", by=till.finance)
    session.rollback()
    with pytest.raises(Refused, match="comes from the bank"):
        service.confirm(order, reference="X", paid_on=clock.today(), by=till.finance)
    session.rollback()
    assert order.status is OrderStatus.RELEASED


def test_the_same_answer_again_changes_nothing(counter: Counter, till: Till) -> None:
    released(till)
    counter.send()
    counter.next_day()
    counter.answers()
    before = len(journal("act"))
    for path in sorted((counter.bank.pickup / "done").iterdir()):
        with path.open("rb") as stream:
            assert bank_messages.receive_file(stream, by=None).again
    assert len(journal("act")) == before


def test_an_answer_to_a_file_of_somebody_else_is_refused(counter: Counter, till: Till) -> None:
    released(till)
    [file] = counter.send()
    [answer] = counter.bank.pickup.glob("pain.002*")
    text = answer.read_bytes().replace(file.message_id.encode(), b"VFP-0000-0000")
    answer.write_bytes(text)
    [read] = [each for each in counter.answers() if "pain.002" in each.name]
    assert read.received is None
    assert "which the portal never wrote" in read.refusal
    assert (counter.bank.pickup / "refused" / answer.with_suffix(".txt").name).exists()


def test_a_file_holds_all_that_was_released_for_one_account(counter: Counter, till: Till) -> None:
    orders = [released(till) for _number in range(3)]
    [file] = counter.send()
    assert sorted(order.ref for order in file.orders) == sorted(order.ref for order in orders)
    assert session.query(PaymentFile).count() == 1
