"""Reads of write-offs: those of a file, what waits for a person, and money that may settle it."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import any_, exists, or_, select, true
from sqlalchemy.orm import contains_eager, joinedload, lazyload

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.payments.models import BankAccount, PaymentOrder, Receivable
from portal.payments.queries import Matter, Waiting
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    Statement,
    StatementLine,
)
from portal.payments.write_offs import policy
from portal.payments.write_offs.models import OPEN_WRITE_OFF, WriteOff
from portal.payments.write_offs.workflow import WRITE_OFF_WORKFLOW


def proposals(receivable: Receivable) -> list[WriteOff]:
    """Return every proposal about what a grantee owes, the newest first. One SQL statement."""
    rows = select(WriteOff).where(WriteOff.receivable_id == receivable.id)
    return list(session.scalars(rows.order_by(WriteOff.proposed_at.desc())))


def refunds(receivable: Receivable) -> list[Allocation]:
    """Return what came back by the bank, also after it was written off, each with its line.

    The oldest first; one SQL statement.
    """
    rows = (
        select(Allocation)
        .join(Allocation.line)
        .where(
            Allocation.receivable_id == receivable.id,
            Allocation.purpose.in_([Purpose.REFUND, Purpose.RECOVERY]),
            Allocation.undone_at.is_(None),
        )
        .options(contains_eager(Allocation.line), lazyload(Allocation.line, StatementLine.order))
        .order_by(StatementLine.booked_on, Allocation.at)
    )
    return list(session.scalars(rows))


def proposal_by_id(proposal_id: UUID) -> WriteOff | None:
    """Return a proposal. One SQL statement."""
    return session.scalar(select(WriteOff).where(WriteOff.id == proposal_id))


def unplaced(receivable: Receivable) -> list[StatementLine]:
    """Return the credits that may be money of this debt, and of which nobody said what they are.

    They name the award or a payment of it, or were entered as its refund and taken back. What is
    to go back where it came from is not waited for. The oldest first; one SQL statement.
    """
    award = receivable.award
    about = (Allocation.line_id == StatementLine.id, Allocation.receivable_id == receivable.id)
    taken_back = exists().where(*about, Allocation.undone_at.is_not(None))
    of_a_payment = (
        exists()
        .where(
            PaymentOrder.instalment_id == Instalment.id,
            Instalment.award_id == award.id,
            or_(
                PaymentOrder.ref == StatementLine.end_to_end_id,
                PaymentOrder.ref == any_(StatementLine.named),
            ),
        )
        .correlate(StatementLine)
    )
    goes_back = exists().where(
        Allocation.line_id == StatementLine.id,
        Allocation.purpose == Purpose.SEND_BACK,
        Allocation.undone_at.is_(None),
    )
    rows = (
        select(StatementLine)
        .join(StatementLine.statement)
        .join(Statement.bank_account)
        .where(
            StatementLine.status != LineStatus.BOOKED,
            StatementLine.amount > 0,
            BankAccount.fund_code == award.application.call.fund_code,
            or_(StatementLine.named.contains([award.ref]), of_a_payment, taken_back),
            ~goes_back,
        )
        .order_by(StatementLine.booked_on, StatementLine.number)
    )
    return list(session.scalars(rows))


def todos(person: Person) -> list[Todo]:
    """Return the proposals that wait for the person, each as a task. One SQL statement."""
    return [_todo(each) for each in waiting(person)]


def waiting(person: Person, *, of: Receivable | None = None) -> list[Waiting]:
    """Return the proposals that wait for the person, of one debt where given. One SQL statement.

    And none for who decides on none.
    """
    if not policy.decides(person):
        return []
    rows = (
        select(WriteOff)
        .where(WriteOff.status.in_(OPEN_WRITE_OFF))
        .where(true() if of is None else WriteOff.receivable_id == of.id)
        .options(
            joinedload(WriteOff.receivable)
            .joinedload(Receivable.award)
            .joinedload(Award.application)
            .joinedload(Application.recusals)
        )
        .order_by(WriteOff.proposed_at)
    )
    return [_line(each) for each in session.scalars(rows).unique() if _is_next(person, each)]


def _is_next(person: Person, proposal: WriteOff) -> bool:
    """Say whether the next approval is the person's."""
    return any(
        row.may(person, proposal)
        for row in WRITE_OFF_WORKFLOW.rows
        if proposal.status in row.sources and row.action.value in {"approve", "authorise"}
    )


def _line(proposal: WriteOff) -> Waiting:
    return Waiting(
        Matter.WRITE_OFF,
        proposal.receivable.award.application,
        proposal.money,
        proposal.approved_at or proposal.proposed_at,
        "payments.write_off",
        {"proposal_id": proposal.id},
    )


def _todo(line: Waiting) -> Todo:
    title = _("Decide on writing off what is owed for %(ref)s", ref=line.application.ref)
    return replace(line.task, title=title)
