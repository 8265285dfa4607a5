"""What the pretend bank does with payments and accounts; each act is a file, taken in at once.

Whatever moves an account is on a statement of its own, which goes on where the last one ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import chain
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased, joinedload

from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money
from portal.core.text import new_ref
from portal.core.workflow import Refused
from portal.demo.bank import messages
from portal.demo.bank.messages import Movement, StatementHead
from portal.payments.models import (
    BankAccount,
    BankAccountStatus,
    FileStatus,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.payees import account_id
from portal.payments.service.bank_messages import Received, receive_file
from portal.payments.statements.models import Statement
from portal.payments.statements.service import book_lines

ACCEPTED, REFUSED = "ACCP", "RJCT"
WITH_THE_BANK = (FileStatus.SENT, FileStatus.ACCEPTED, FileStatus.PARTLY_ACCEPTED)


@dataclass(frozen=True)
class InHand:
    """The payments that the bank could do something with: to pay or refuse, and to give back.

    A bank may also pay what it had refused, and take back a debit that was a mistake.
    """

    waiting: Sequence[PaymentOrder]
    paid: Sequence[PaymentOrder]
    refused: Sequence[PaymentOrder]

    def __iter__(self) -> Iterator[PaymentOrder]:
        return chain(self.waiting, self.paid, self.refused)


def in_hand() -> InHand:
    """Return the payments that the bank has, paid, or refused. One SQL statement."""
    rows = (
        select(PaymentOrder)
        .join(PaymentOrder.file)
        .where(
            or_(
                PaymentOrder.status == OrderStatus.REJECTED,
                and_(
                    PaymentFile.status.in_(WITH_THE_BANK),
                    PaymentOrder.status.in_([OrderStatus.RELEASED, OrderStatus.CONFIRMED]),
                ),
            )
        )
        .options(joinedload(PaymentOrder.file).joinedload(PaymentFile.bank_account))
        .order_by(PaymentOrder.prepared_at.desc(), PaymentOrder.id)
    )
    found = session.scalars(rows).unique().all()

    def standing(status: OrderStatus) -> list[PaymentOrder]:
        return [order for order in found if order.status is status]

    return InHand(
        standing(OrderStatus.RELEASED),
        standing(OrderStatus.CONFIRMED),
        standing(OrderStatus.REJECTED),
    )


def open_accounts() -> Sequence[BankAccount]:
    """Return the funds' accounts in use, by fund and currency. One SQL statement."""
    rows = select(BankAccount).where(BankAccount.status == BankAccountStatus.IN_USE)
    return session.scalars(rows.order_by(BankAccount.fund_code, BankAccount.currency)).all()


def accept(orders: Sequence[PaymentOrder]) -> list[Received]:
    """Say of payments that they will be made (pain.002)."""
    return _report(orders, ACCEPTED, "")


def reject(orders: Sequence[PaymentOrder], reason: str = "AC04") -> list[Received]:
    """Refuse payments (pain.002); `reason` is an ISO code such as `AC04`, account closed."""
    return _report(orders, REFUSED, reason)


def settle(orders: Sequence[PaymentOrder]) -> list[Received]:
    """Debit payments, and say so on a statement of each account (camt.053)."""
    return [
        open_statement(account, [_debit(order) for order in theirs])
        for account, theirs in _by_account(orders)
    ]


def return_payments(
    orders: Sequence[PaymentOrder], reason: str = "AC04", kept: int = 0
) -> list[Received]:
    """Give payments back: a pacs.004 for each file, and a statement of each account.

    The bank keeps `kept` of each (minor units), as its charge; its notice does not say so.
    """
    told = []
    for file, theirs in _by_file(orders):
        payments = [(order.ref, order.money, reason) for order in theirs]
        name = f"PB-RTR-{new_ref()}"
        told.append(_hand_in(messages.returned(name, file.message_id, payments, clock.today())))
    for account, theirs in _by_account(orders):
        told.append(open_statement(account, [_returned(order, reason, kept) for order in theirs]))
    return told


def correct(orders: Sequence[PaymentOrder]) -> list[Received]:
    """Take back debits that were a mistake: credits of the same amounts on a statement."""
    return [
        open_statement(account, [replace(_debit(order), is_credit=True) for order in theirs])
        for account, theirs in _by_account(orders)
    ]


def credit(account: BankAccount, amount: Money, payer: str, text: str) -> Received:
    """Let money arrive on an account, from whomever, with whatever they wrote (camt.053)."""
    if amount.currency != account.currency:
        raise Refused(_("The account is kept in %(currency)s.", currency=account.currency))
    arrived = Movement(amount, True, f"PB-{new_ref()}", payer, text=text)
    return open_statement(account, [arrived])


def open_statement(account: BankAccount, movements: Sequence[Movement]) -> Received:
    """Write the next statement of an account, and hand it in; its lines are booked at once."""
    last = _latest(account)
    number = (last.sequence or 0) + 1 if last else 1
    head = StatementHead(
        name=f"PB-{account.account[-6:]}-{account.currency}-{number}",
        number=number,
        account=account_id(account.account),
        currency=account.currency,
        opening=last.closing if last else 0,
        on=max(clock.today(), last.to_on if last else clock.today()),
    )
    told = _hand_in(messages.statement(head, movements))
    while book_lines().did_something:
        pass
    return told


def _latest(account: BankAccount) -> Statement | None:
    later = aliased(Statement)
    follows = select(later.id).where(later.previous_id == Statement.id).exists()
    return session.scalar(
        select(Statement).where(Statement.bank_account_id == account.id, ~follows)
    )


def _report(orders: Sequence[PaymentOrder], status: str, reason: str) -> list[Received]:
    return [
        _hand_in(
            messages.status_report(
                f"PB-STS-{new_ref()}",
                file.message_id,
                [(order.ref, status, reason) for order in theirs],
            )
        )
        for file, theirs in _by_file(orders)
    ]


def _debit(order: PaymentOrder) -> Movement:
    return Movement(
        order.money,
        is_credit=False,
        reference=f"PB-{new_ref()}",
        counterparty=order.instalment.award.application.organisation.name,
        end_to_end_id=order.ref,
    )


def _returned(order: PaymentOrder, reason: str, kept: int) -> Movement:
    return Movement(
        order.money - Money(kept, order.currency),
        is_credit=True,
        reference=f"PB-{new_ref()}",
        counterparty=order.instalment.award.application.organisation.name,
        end_to_end_id=order.ref,
        return_reason=reason,
    )


def _by_file(orders: Sequence[PaymentOrder]) -> list[tuple[PaymentFile, list[PaymentOrder]]]:
    files = {order.file.id: order.file for order in orders if order.file}
    return [
        (file, [order for order in orders if order.file_id == file_id])
        for file_id, file in files.items()
    ]


def _by_account(orders: Sequence[PaymentOrder]) -> list[tuple[BankAccount, list[PaymentOrder]]]:
    found: dict[UUID, tuple[BankAccount, list[PaymentOrder]]] = {}
    for file, theirs in _by_file(orders):
        account = file.bank_account
        found.setdefault(account.id, (account, []))[1].extend(theirs)
    return list(found.values())


def _hand_in(content: bytes) -> Received:
    return receive_file(BytesIO(content), by=None)
