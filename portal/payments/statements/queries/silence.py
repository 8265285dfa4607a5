"""Payments that the bank says nothing of, and what waits for those who keep the money."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import ngettext
from portal.core.paging import Page, select_page
from portal.core.todo import Todo
from portal.payments import late
from portal.payments.models import BankAccount, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.rules import is_silent
from portal.payments.statements import policy
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    Statement,
    StatementLine,
)
from portal.payments.statements.queries.seconding import waits_for

UNBOOKED_AFTER = timedelta(days=1)
"""How long a line may wait to be booked before somebody looks why."""


def unlined(account: BankAccount, person: Person, number: int) -> Page[PaymentOrder]:
    """Return a page of payments sent from an account that no line tells of. Two statements.

    Oldest first; those in files that the person does not see are left out.
    """
    told = (
        select(Allocation.id)
        .where(
            Allocation.order_id == PaymentOrder.id,
            Allocation.purpose == Purpose.PAYMENT,
            Allocation.undone_at.is_(None),
        )
        .exists()
    )
    visible = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    rows = (
        select(PaymentOrder)
        .join(PaymentOrder.file)
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .where(
            PaymentFile.bank_account_id == account.id,
            PaymentOrder.status.in_([OrderStatus.RELEASED, OrderStatus.CONFIRMED]),
            Award.application_id.in_(visible),
            ~told,
        )
        .options(joinedload(PaymentOrder.file))
        .order_by(PaymentFile.made_at, PaymentOrder.ref)
    )
    return select_page(rows, number)


def silent(orders: Sequence[PaymentOrder]) -> set[str]:
    """Return which of the payments the bank has said nothing of for too long. No statement."""
    now = clock.now()
    return {
        order.ref
        for order in orders
        if order.file is not None and is_silent(order.file.made_at, now)
    }


def todos(person: Person) -> list[Todo]:
    """Return what waits in suspense, or cannot be booked, for those who say what lines are.

    One SQL statement.
    """
    if not policy.allocates_lines(person):
        return []
    unbooked = (StatementLine.status == LineStatus.WAITING) & (
        Statement.imported_at < clock.now() - UNBOOKED_AFTER
    )
    rows = (
        select(
            func.count().filter(StatementLine.status == LineStatus.SUSPENSE),
            func.count().filter(unbooked),
            func.min(cast(StatementLine.id, String)).filter(unbooked),
            late.waiting(person),
            func.count().filter(StatementLine.status == LineStatus.SUSPENSE, waits_for(person)),
        )
        .join(StatementLine.statement)
        .join(BankAccount, BankAccount.id == StatementLine.bank_account_id)
        .where(policy.visible(person), StatementLine.status != LineStatus.BOOKED)
    )
    return list(_waiting(*session.execute(rows).one()))


def _waiting(
    suspended: int,
    unbooked: int,
    first_unbooked: str | None,
    came_late: Sequence[Mapping[str, Any]] | None,
    seconds: int,
) -> Iterator[Todo]:
    if unbooked:
        title = ngettext(
            "See why %(num)s line of the bank cannot be booked",
            "See why %(num)s lines of the bank cannot be booked; this is one of them",
            unbooked,
        )
        yield Todo(title, "payments.line", {"line_id": first_unbooked})
    if seconds:
        title = ngettext(
            "Confirm that %(num)s line in suspense is a payment that came back",
            "Confirm that %(num)s lines in suspense are payments that came back",
            seconds,
        )
        yield Todo(title, "payments.suspense")
    if suspended:
        title = ngettext(
            "Say what %(num)s line in suspense is",
            "Say what %(num)s lines in suspense are",
            suspended,
        )
        yield Todo(title, "payments.suspense")
    yield from late.todos(came_late)
