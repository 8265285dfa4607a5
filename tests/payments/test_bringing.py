"""Nobody brings in what the bank says of a payment that they signed; what it leaves is seen to."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from portal.accounts.models import Person, Role, RoleGrant
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.demo.bank import messages
from portal.demo.bank.messages import Movement, StatementHead
from portal.payments import banking, checks, policy
from portal.payments.models import BankMessage, OrderStatus, PaymentOrder
from portal.payments.payees import account_id
from portal.payments.service import bank_messages
from portal.payments.service.bank_messages import Received, bring_statement
from portal.payments.service.bank_messages.receiving import MOST_SENTENCES
from portal.payments.statements.models import Purpose, Statement
from portal.payments.statements.service import Target, allocate, book_lines
from tests.make.accounts import person
from tests.payments.payday import FUND, Payday
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller
from tests.payments.test_bank_checks import answered, left

REFUSED = "Somebody who did not sign these payments"


@pytest.fixture
def orders(payday: Payday) -> list[PaymentOrder]:
    """Return two payments that are with the bank in one file."""
    return left(payday, 2)


def file_of(order: PaymentOrder) -> str:
    return order.file.message_id if order.file else ""


def report(order: PaymentOrder, *refs: str) -> bytes:
    return messages.status_report("S-1", file_of(order), [(ref, "RJCT", "AC04") for ref in refs])


def statement(payday: Payday, *orders: PaymentOrder) -> bytes:
    account, today = payday.account, clock.today()
    head = StatementHead("ST-1", 1, account_id(account.account), account.currency, 0, today)
    moves = [
        Movement(
            order.money,
            is_credit=False,
            reference=f"B-{order.ref}",
            counterparty="Somebody",
            end_to_end_id=order.ref,
        )
        for order in orders
    ]
    return messages.statement(head, moves)


def every_kind(payday: Payday, orders: list[PaymentOrder]) -> dict[str, bytes]:
    first = orders[0]
    back = [(first.ref, first.money, "AC04")]
    return {
        "of one": report(first, first.ref),
        "of all": answered(file_of(first)),
        "back": messages.returned("R-1", file_of(first), back, clock.today()),
        "statement": statement(payday, first),
    }


def receive(content: bytes, by: Person | None) -> Received:
    return bank_messages.receive_file(BytesIO(content), by=by)


def test_who_released_a_payment_brings_in_nothing_that_tells_of_it(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    for content in every_kind(payday, orders).values():
        with pytest.raises(Refused, match=REFUSED):
            receive(content, payday.till.treasurer)
        session.rollback()
    with pytest.raises(Refused, match=REFUSED):
        bring_statement(BytesIO(statement(payday, *orders)), by=payday.till.treasurer)
    assert session.scalar(select(func.count()).select_from(BankMessage)) == 0
    assert session.scalar(select(func.count()).select_from(Statement)) == 0
    assert {order.status.value for order in orders} == {"released"}


def test_any_signature_counts_whatever_role_is_held_beside_it(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    certifier = payday.till.certifier
    session.add(RoleGrant(person=certifier, role=Role.FINANCE_OFFICER, fund_code=FUND))
    session.commit()
    with pytest.raises(Refused, match=REFUSED):
        receive(report(orders[0], orders[0].ref), certifier)


def test_others_of_treasury_and_finance_bring_it_in_and_so_does_the_folder(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    other = person(roles=[(Role.TREASURY, FUND, None)])
    assert receive(answered(file_of(orders[0])), None).left == []
    assert receive(report(orders[0], orders[0].ref), other).told == 1
    assert receive(report(orders[1], orders[1].ref), payday.till.finance).told == 1


def gift(payday: Payday, text: str) -> BytesIO:
    account = payday.account
    head = StatementHead("ST-1", 1, account_id(account.account), account.currency, 0, clock.today())
    money = Money(5_00, account.currency)
    return BytesIO(messages.statement(head, [Movement(money, True, "B-1", "A donor", text=text)]))


def test_treasury_brings_in_what_tells_of_no_payment_of_theirs(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    text = f"returned {orders[0].ref.lower()}"
    with pytest.raises(Refused, match=REFUSED):
        bring_statement(gift(payday, text), by=payday.till.treasurer)
    [done] = bring_statement(gift(payday, "Hello"), by=payday.till.treasurer)
    assert done.lines == 1


@pytest.mark.parametrize("short", [100_01, 1])
def test_so_much_less_than_was_paid_does_not_come_back_as_the_payment(
    payday: Payday, orders: list[PaymentOrder], short: int
) -> None:
    first = orders[0]
    receive(statement(payday, first), None)
    while book_lines().did_something:
        session.commit()
    came = Money(first.amount - short, first.currency)
    back = [(first.ref, came, "AC04")]
    found = receive(messages.returned("R-1", file_of(first), back, clock.today()), None)
    session.commit()
    session.refresh(first)
    assert (first.status is OrderStatus.RETURNED) is (short == 1)
    assert ["more than a bank's charge" in sentence for sentence in found.left] == [True] * (
        short > 1
    )


def test_nor_does_a_signatory_say_that_a_line_is_the_payment(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    order, treasurer = orders[0], payday.till.treasurer
    session.add(RoleGrant(person=treasurer, role=Role.FINANCE_OFFICER, fund_code=FUND))
    session.commit()
    teller = Teller(payday.account.account, payday.account.currency)
    [line] = taken_in(teller, Move(-order.amount, note="Transfer"))
    said = Target(Purpose.PAYMENT, order=order)
    with pytest.raises(Refused, match=f"You signed payment {order.ref}"):
        allocate(line.id, said, "It must be this one.", by=treasurer)
    session.rollback()
    allocate(line.id, said, "The bank says so by telephone.", by=payday.till.finance)
    assert order.status is OrderStatus.CONFIRMED


def test_messages_of_other_funds_are_in_nobodys_list(orders: list[PaymentOrder]) -> None:
    message = unplaced(orders[0])
    assert message.fund_code == FUND
    for roles, seen in (
        ((Role.FINANCE_OFFICER, "act", None), 0),
        ((Role.FINANCE_OFFICER, FUND, "KEN"), 0),
        ((Role.PROGRAMME_OFFICER, FUND, None), 0),
        ((Role.AUDITOR, None, None), 1),
        ((Role.TREASURY, FUND, None), 1),
    ):
        reader = person(roles=[roles])
        assert banking.messages(reader, 1).total == seen
        assert policy.can_see_message(reader, message) is bool(seen)


def test_what_the_books_refuse_is_left_for_a_person_and_the_rest_is_taken_in(
    orders: list[PaymentOrder],
) -> None:
    first, second = orders
    never = "ALTER TABLE ledger_entry ADD CONSTRAINT never CHECK (false) NOT VALID"
    session.execute(sa.text(never))
    session.commit()
    told = [(first.ref, "RJCT", "AC04"), (second.ref, "ACCP", "")]
    found = receive(messages.status_report("S-1", file_of(first), told), None)
    session.commit()
    [sentence] = found.left
    assert f"payment {first.ref} contradicts what is recorded already (IntegrityError)" in sentence
    assert first.status is OrderStatus.RELEASED
    assert second.accepted_at is not None


def unplaced(order: PaymentOrder, count: int = 1) -> BankMessage:
    refs = [f"NOBODY-{number}" for number in range(count)]
    receive(report(order, *refs), None)
    session.commit()
    return session.scalars(select(BankMessage)).one()


def test_sentences_stay_with_their_message_and_are_bounded(orders: list[PaymentOrder]) -> None:
    message = unplaced(orders[0], 130)
    assert (message.left, len(message.sentences)) == (130, MOST_SENTENCES)
    assert message.sentences[0] == "“NOBODY-0” is no payment of the portal."
    assert message.fund_code == FUND


def test_what_was_left_waits_until_somebody_says_how_it_was_seen_to(
    payday: Payday, orders: list[PaymentOrder]
) -> None:
    message, finance = unplaced(orders[0]), payday.till.finance
    assert banking.waiting(finance).left == 1
    assert banking.waiting(payday.till.treasurer).left == 1
    with pytest.raises(Refused, match="Say how"):
        bank_messages.see_to(message, " ", by=finance)
    with pytest.raises(Refused, match="Treasury or finance"):
        bank_messages.see_to(message, "Done.", by=payday.till.approver)
    bank_messages.see_to(message, "The bank took it back.", by=finance)
    bank_messages.see_to(message, "The bank took it back.", by=finance)
    session.commit()
    assert banking.waiting(finance).left == 0
    with pytest.raises(Refused, match="Nothing of this message"):
        bank_messages.see_to(message, "Again.", by=payday.till.treasurer)
    assert [each.name for each in checks.of_files() if each.run().violations] == []


def test_another_fund_neither_sees_nor_sees_to_it(orders: list[PaymentOrder]) -> None:
    message = unplaced(orders[0])
    stranger = person(roles=[(Role.TREASURY, "act", None)])
    assert banking.waiting(stranger).left == 0
    assert not policy.can_see_message(stranger, message)
    assert not policy.can_see_to(stranger, message)
    everywhere = person(roles=[(Role.TREASURY, None, None)])
    assert banking.waiting(everywhere).left == 1


@pytest.mark.parametrize(
    "edit", ["seen_note = 'other'", "sentences = '[]'", '"left" = 0', "seen_at = NULL"]
)
def test_the_database_keeps_what_was_said_and_seen_to(
    payday: Payday, orders: list[PaymentOrder], edit: str
) -> None:
    bank_messages.see_to(unplaced(orders[0]), "The bank took it back.", by=payday.till.finance)
    session.commit()
    with pytest.raises(DBAPIError):
        session.execute(sa.text(f"UPDATE bank_message SET {edit}"))  # noqa: S608 — ours
    session.rollback()
