"""What somebody said to be a payment that came back, and what waits for a second person."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload, lazyload

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.payments.models import BankAccount, PaymentApproval, PaymentOrder
from portal.payments.statements import policy
from portal.payments.statements.models import LineStatus, ReturnProposal, StatementLine
from portal.payments.statements.overtaking import counts, is_overtaken

MOST = 5
"""Tasks of this kind that a home page shows; each that is done lets another in."""

CASE = joinedload(ReturnProposal.order).options(
    lazyload(PaymentOrder.approvals),
    joinedload(PaymentOrder.instalment)
    .joinedload(Instalment.award)
    .joinedload(Award.application)
    .joinedload(Application.recusals),
)


@dataclass(frozen=True)
class Said:
    """What was said of a line: what waits for a second person, and what counts for nothing."""

    waiting: list[ReturnProposal]
    overtaken: list[ReturnProposal]


def said_of(line: StatementLine) -> Said:
    """Return what was said of a line, and neither confirmed nor withdrawn. One SQL statement."""
    waits = counts() & (ReturnProposal.amount <= line.left.minor)
    overtaken = and_(ReturnProposal.withdrawn_at.is_(None), is_overtaken())
    in_suspense = line.status is LineStatus.SUSPENSE
    rows = select(ReturnProposal, overtaken).where(
        ReturnProposal.line_id == line.id, or_(waits, overtaken) if in_suspense else overtaken
    )
    found = session.execute(rows.options(CASE)).unique().all()
    return Said([said for said, gone in found if not gone], [said for said, gone in found if gone])


def signed(person: Person, said: Collection[ReturnProposal]) -> set[UUID]:
    """Return those proposals of whose payment the person signed an attempt. One SQL statement."""
    if not said:
        return set()
    rows = select(ReturnProposal.id).where(
        ReturnProposal.id.in_([each.id for each in said]), _signed_by(person)
    )
    return set(session.scalars(rows))


def waiting_for_second(lines: Collection[UUID]) -> set[UUID]:
    """Return those lines of which a second person is to say what one said. One SQL statement."""
    rows = select(ReturnProposal.line_id).where(ReturnProposal.line_id.in_(lines), counts())
    return set(session.scalars(rows))


def waits_for(person: Person) -> ColumnElement[bool]:
    """Return whether a line waits for the person, as the second one, to say that it came back."""
    return exists().where(
        ReturnProposal.line_id == StatementLine.id,
        counts(),
        ReturnProposal.by_id != person.id,
        ~_signed_by(person),
    )


def proposal_by_id(proposal_id: UUID) -> ReturnProposal | None:
    """Return what somebody said, with its line and its payment. One SQL statement."""
    rows = select(ReturnProposal).where(ReturnProposal.id == proposal_id)
    return (
        session.scalars(rows.options(joinedload(ReturnProposal.line), CASE)).unique().one_or_none()
    )


def to_confirm(person: Person) -> list[Todo]:
    """Return what waits for the person to confirm, the oldest first. At most two statements.

    Those who say what lines are read it with the lines in suspense (`waits_for`).
    """
    if policy.allocates_lines(person) or not policy.imports_statements(person):
        return []
    rows = (
        select(ReturnProposal)
        .join(ReturnProposal.line)
        .join(BankAccount, BankAccount.id == StatementLine.bank_account_id)
        .where(
            policy.visible(person),
            StatementLine.status == LineStatus.SUSPENSE,
            counts(),
            ReturnProposal.by_id != person.id,
            ~_signed_by(person),
        )
        .options(contains_eager(ReturnProposal.line), CASE)
        .order_by(ReturnProposal.at)
    )
    found = session.scalars(rows).unique()
    theirs = (each for each in found if policy.can_confirm(person, each))
    return [_todo(each) for each in islice(theirs, MOST)]


def _signed_by(person: Person) -> ColumnElement[bool]:
    """Return whether the person signed an attempt to make the payment of a proposal (R24)."""
    said, attempt = aliased(PaymentOrder), aliased(PaymentOrder)
    return (
        exists()
        .where(said.id == ReturnProposal.order_id)
        .where(attempt.instalment_id == said.instalment_id)
        .where(PaymentApproval.order_id == attempt.id, PaymentApproval.person_id == person.id)
    )


def _todo(proposal: ReturnProposal) -> Todo:
    title = _("Confirm that payment %(ref)s came back", ref=proposal.order.ref)
    where = {"line_id": proposal.line_id, "proposal_id": proposal.id}
    return Todo(title, "payments.confirm_return", where, since=proposal.at)
