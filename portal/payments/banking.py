"""Reads about the bank: the funds' accounts, files that left, what came back. Fixed statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import Money
from portal.core.paging import Page, select_page
from portal.payments import policy
from portal.payments.iso20022 import AccountId
from portal.payments.models import (
    BankAccount,
    BankAccountStatus,
    BankMessage,
    FileStatus,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.rails.bank import drop_folder
from portal.payments.rules import LEAVES_WITHIN, SILENT_AFTER, is_overdue, is_silent
from portal.payments.unmade import is_barred

ANSWERABLE = (FileStatus.KEPT, FileStatus.SENT, FileStatus.DUPLICATE)
"""Files of which the bank may still have to speak, once they began to leave."""

Tally = tuple[int, Money, int, int, int]
"""How many payments of what sum a file has; how many were paid, were not, and came back."""


@dataclass(frozen=True)
class FileRow:
    """A file in a list: how many payments of what sum, and what became of how many of them."""

    file: PaymentFile
    count: int
    total: Money
    paid: int
    unpaid: int
    came_back: int

    @property
    def is_told(self) -> bool:
        """Whether it is known of each of its payments what became of it."""
        return self.count == self.paid + self.unpaid + self.came_back

    @property
    def is_silent(self) -> bool:
        """Whether the bank owes an answer for too long."""
        return not self.is_told and file_is_silent(self.file)

    @property
    def is_overdue(self) -> bool:
        """Whether it should have left long ago."""
        return file_is_overdue(self.file)


def file_is_silent(file: PaymentFile) -> bool:
    """Say whether the bank has said nothing for too long of a file that it may have.

    Where its statements told of all of its payments, nothing is asked any more (`file_is_told`).
    """
    return file.status in ANSWERABLE and is_silent(file.sent_at or file.leaving_at, clock.now())


def is_under_way() -> ColumnElement[bool]:
    """Return whether a payment of a file is still on its way: for the rest nobody waits."""
    return PaymentFile.orders.any(PaymentOrder.status == OrderStatus.RELEASED)


def file_is_told(file: PaymentFile) -> bool:
    """Say whether it is known of each payment of a file what became of it. Reads its orders."""
    return all(order.status is not OrderStatus.RELEASED for order in file.orders)


def file_is_overdue(file: PaymentFile) -> bool:
    """Say whether a file should have left long ago: nobody says that the bank has it.

    One that treasury takes to the bank is overdue once it was taken out only.
    """
    by_itself = file.made_at if drop_folder() is not None else None
    return file.status is FileStatus.KEPT and is_overdue(file.leaving_at or by_itself, clock.now())


def files(person: Person, page: int) -> Page[FileRow]:
    """Return the payment files that the person sees, those that have not left, then the newest.

    Three SQL statements.
    """
    mine = policy.accounts_visible_to(person).with_only_columns(BankAccount.id).order_by(None)
    rows = (
        select(PaymentFile)
        .where(PaymentFile.bank_account_id.in_(mine))
        .options(joinedload(PaymentFile.bank_account))
        .order_by(PaymentFile.status != FileStatus.KEPT, PaymentFile.made_at.desc(), PaymentFile.id)
    )
    found = select_page(rows, page)
    tallies = _tallies([file.id for file in found.rows])
    return Page(
        [FileRow(file, *_tally(file, tallies)) for file in found.rows], found.number, found.total
    )


def _tally(file: PaymentFile, tallies: dict[UUID, Tally]) -> Tally:
    """Return the tally of a file; one that was withdrawn has no payments any more."""
    return tallies.get(file.id, (0, Money(0, file.bank_account.currency), 0, 0, 0))


def _tallies(files: Sequence[UUID]) -> dict[UUID, Tally]:
    """Return the tallies of those files that have payments. One SQL statement."""
    ended = PaymentOrder.status
    rows = (
        select(
            PaymentOrder.file_id,
            PaymentOrder.currency,
            func.count(),
            func.sum(PaymentOrder.amount),
            func.count().filter(ended == OrderStatus.CONFIRMED),
            func.count().filter(ended == OrderStatus.REJECTED),
            func.count().filter(ended == OrderStatus.RETURNED),
        )
        .where(PaymentOrder.file_id.in_(files))
        .group_by(PaymentOrder.file_id, PaymentOrder.currency)
    )
    return {
        file_id: (count, Money(int(total), currency), paid, unpaid, back)
        for file_id, currency, count, total, paid, unpaid, back in session.execute(rows)
        if file_id is not None
    }


def file_named(message_id: str) -> PaymentFile | None:
    """Return a payment file with its account, its orders, their details and cases.

    Four SQL statements.
    """
    rows = select(PaymentFile).where(PaymentFile.message_id == message_id)
    orders = selectinload(PaymentFile.orders)
    return session.scalar(
        rows.options(
            joinedload(PaymentFile.bank_account),
            orders.options(_CASE, joinedload(PaymentOrder.bank_details)),
        )
    )


def withdrawn_from(file: PaymentFile) -> list[tuple[PaymentOrder, bool]]:
    """Return the payments that a withdrawn file had, each with whether it stopped the file.

    Which they were stands in the audit trail alone: they left the file. Four SQL statements.
    """
    said = select(AuditEvent.facts).where(
        AuditEvent.subject_id == file.id, AuditEvent.action == "payment_file.withdrawn"
    )
    facts = session.scalar(said) or {}
    rows = (
        select(PaymentOrder)
        .where(PaymentOrder.ref.in_(facts.get("orders", ())))
        .options(_CASE, joinedload(PaymentOrder.file), joinedload(PaymentOrder.bank_details))
        .order_by(PaymentOrder.ref)
    )
    stopped = set(facts.get("stopped", ()))
    return [(order, order.ref in stopped) for order in session.scalars(rows)]


_CASE = (
    joinedload(PaymentOrder.instalment)
    .joinedload(Instalment.award)
    .joinedload(Award.application)
    .selectinload(Application.recusals)
)
"""What is read with orders in a list, so that it takes no statement for each of them."""


def messages(person: Person, page: int) -> Page[BankMessage]:
    """Return what the bank sent that exists for the person, the newest first. Two statements."""
    rows = policy.messages_visible_to(person)
    return select_page(rows.order_by(BankMessage.received_at.desc(), BankMessage.id), page)


def fund_accounts(person: Person) -> Sequence[BankAccount]:
    """Return the accounts of the funds that the person sees, closed ones last. One statement."""
    rows = policy.accounts_visible_to(person)
    last = BankAccount.status == BankAccountStatus.CLOSED
    return session.scalars(rows.order_by(None).order_by(last, *_BY_FUND)).all()


_BY_FUND = (BankAccount.fund_code, BankAccount.currency, BankAccount.proposed_at)


def unanswered(account: BankAccount) -> Sequence[str]:
    """Return the files that may be with the bank, with payments of which it has not spoken.

    By name, the oldest first. One SQL statement.
    """
    rows = select(PaymentFile.message_id).where(
        PaymentFile.bank_account_id == account.id,
        PaymentFile.leaving_at.is_not(None),
        PaymentFile.orders.any(PaymentOrder.status == OrderStatus.RELEASED),
    )
    return session.scalars(rows.order_by(PaymentFile.made_at, PaymentFile.id)).all()


def account_named(account: AccountId) -> BankAccount | None:
    """Return the fund's account that a message of the bank names, whatever its currency."""
    rows = select(BankAccount).where(
        BankAccount.account == account.value, BankAccount.status != BankAccountStatus.PROPOSED
    )
    return session.scalar(rows.order_by(BankAccount.closed_at.is_not(None)).limit(1))


@dataclass(frozen=True)
class Waiting:
    """How many things wait at the bank for a person, and since when.

    Files to take to the bank, or, where they leave by themselves, such as did not; files over which
    it is silent; answers of which something was left
    and nobody saw to it, accounts to confirm.
    """

    to_send: int
    to_send_since: datetime | None
    silent: int
    silent_since: datetime | None
    left: int
    left_since: datetime | None
    to_confirm: int
    to_confirm_since: datetime | None


def waiting(person: Person) -> Waiting:
    """Return what waits at the bank for the person. One SQL statement."""
    seen = policy.accounts_visible_to(person).with_only_columns(BankAccount.id).order_by(None)
    mine = PaymentFile.bank_account_id.in_(seen)
    kept, now = PaymentFile.status == FileStatus.KEPT, clock.now()
    if drop_folder() is not None:
        begun = func.coalesce(PaymentFile.leaving_at, PaymentFile.made_at)
        kept &= begun < now - LEAVES_WITHIN
    left = func.coalesce(PaymentFile.sent_at, PaymentFile.leaving_at)
    late = PaymentFile.status.in_(ANSWERABLE) & (left < now - SILENT_AFTER)
    theirs = policy.accounts_confirmed_by(person).with_only_columns(BankAccount.id).order_by(None)
    kinds = (
        (PaymentFile.made_at, mine & kept & is_under_way()),
        (left, mine & late & is_under_way()),
        (BankMessage.received_at, policy.waits_for(person)),
        (BankAccount.proposed_at, BankAccount.id.in_(theirs)),
    )
    columns = [
        select(found).where(condition).scalar_subquery()
        for since, condition in kinds
        for found in (func.count(since), func.min(since))
    ]
    return Waiting(*session.execute(select(*columns)).one())


def signable(person: Person, status: OrderStatus) -> list[PaymentOrder]:
    """Return the orders at `status` that the person may sign now, oldest first.

    Three SQL statements.
    """
    from portal.payments.queries import SIGNING
    from portal.payments.workflow import ORDER_WORKFLOW

    action = SIGNING[status][1]
    rows = (
        select(PaymentOrder)
        .join(PaymentOrder.instalment)
        .where(PaymentOrder.status == status, ~is_barred(person))
        .options(
            joinedload(PaymentOrder.bank_details),
            joinedload(PaymentOrder.approvals),
            _CASE,
            joinedload(PaymentOrder.instalment)
            .joinedload(Instalment.award)
            .selectinload(Award.instalments),
        )
        .order_by(PaymentOrder.prepared_at, PaymentOrder.id)
    )
    found = session.scalars(rows).unique()
    return [
        order
        for order in found
        if (row := ORDER_WORKFLOW.find(order, action)) is not None and row.may(person, order)
    ]
