"""Lines of statements as lists: beside what they were booked as, narrowed, and as a spreadsheet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.money import Money
from portal.core.paging import Page, select_page
from portal.payments.models import BankAccount, PaymentOrder, Receivable
from portal.payments.statements import policy
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Statement,
    StatementLine,
)

EXPORT_ROWS = 20_000
"""Lines that a spreadsheet holds; a last line says how many more there are."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How a list of lines is narrowed; empty means all."""

    status: str = ""
    text: str = ""


@dataclass(frozen=True)
class Row:
    """A line as a reader sees it. What belongs to a file that they do not see is left out."""

    line: StatementLine
    parts: Sequence[Allocation]
    hidden: bool

    @property
    def age(self) -> int:
        """For how many days it has waited."""
        return (clock.today() - self.line.booked_on).days

    @property
    def left(self) -> Money:
        """What of the line nobody has said yet what it is."""
        return self.line.left


def lines(of: BankAccount | Statement, wanted: Wanted, number: int, person: Person) -> Page[Row]:
    """Return a page of the lines of an account or a statement. Four SQL statements."""
    return _shown(select_page(_narrowed(of, wanted), number), person)


def suspense(person: Person, number: int) -> Page[Row]:
    """Return a page of all lines in suspense that the person sees, oldest first. Four.

    With each comes its file, under whose key the particulars are sealed.
    """
    rows = (
        _rows()
        .join(BankAccount, BankAccount.id == StatementLine.bank_account_id)
        .where(policy.visible(person), StatementLine.status == LineStatus.SUSPENSE)
        .options(joinedload(StatementLine.statement).joinedload(Statement.file))
        .order_by(StatementLine.booked_on, StatementLine.id)
    )
    return _shown(select_page(rows, number), person)


def _rows() -> Select[StatementLine]:
    return (
        select(StatementLine)
        .join(StatementLine.statement)
        .options(
            joinedload(StatementLine.statement),
            lazyload(StatementLine.order),
            selectinload(StatementLine.allocations),
        )
    )


def _narrowed(of: BankAccount | Statement, wanted: Wanted) -> Select[StatementLine]:
    rows = _rows().where(_within(of))
    if wanted.status in set(LineStatus):
        rows = rows.where(StatementLine.status == LineStatus(wanted.status))
    words = wanted.text.strip()
    if words:
        rows = rows.where(
            or_(
                StatementLine.reference.icontains(words, autoescape=True),
                StatementLine.end_to_end_id.icontains(words, autoescape=True),
                StatementLine.named.contains([words.upper()]),
            )
        )
    if isinstance(of, Statement):
        return rows.order_by(StatementLine.number)
    return rows.order_by(Statement.to_on.desc(), Statement.imported_at.desc(), StatementLine.number)


def _within(of: BankAccount | Statement) -> ColumnElement[bool]:
    if isinstance(of, Statement):
        return StatementLine.statement_id == of.id
    return StatementLine.bank_account_id == of.id


def _shown(page: Page[StatementLine], person: Person) -> Page[Row]:
    hidden = _hidden(page.rows, person)
    rows = [_row(line, hidden) for line in page.rows]
    return Page(rows, page.number, page.total)


def _row(line: StatementLine, hidden: set[UUID]) -> Row:
    parts = [each for each in line.live if each.id not in hidden]
    return Row(line, parts, hidden=len(parts) < len(line.live) or line.id in hidden)


def _hidden(found: Iterable[StatementLine], person: Person) -> set[UUID]:
    """Return which lines and parts lead to files that do not exist for the person. One statement.

    Those they are recused from, and those of their own organisations.
    """
    ids = [line.id for line in found]
    theirs = or_(
        applications.is_recused_from(person),
        Application.organisation_id.in_(person.organisation_ids()),
    )
    to_order = and_(PaymentOrder.instalment_id == Instalment.id, Instalment.award_id == Award.id)
    rows = (
        select(StatementLine.id, Allocation.id)
        .outerjoin(Allocation, Allocation.line_id == StatementLine.id)
        .where(
            StatementLine.id.in_(ids),
            select(Application.id)
            .join(Award, Award.application_id == Application.id)
            .where(
                theirs,
                or_(
                    select(PaymentOrder.id)
                    .join(Instalment, to_order)
                    .where(
                        or_(
                            PaymentOrder.id == Allocation.order_id,
                            PaymentOrder.id == StatementLine.order_id,
                        )
                    )
                    .correlate(Allocation, StatementLine, Award)
                    .exists(),
                    select(Receivable.id)
                    .where(
                        Receivable.award_id == Award.id,
                        or_(
                            Receivable.id == Allocation.receivable_id,
                            Receivable.id == StatementLine.receivable_id,
                        ),
                    )
                    .correlate(Allocation, StatementLine, Award)
                    .exists(),
                ),
            )
            .correlate(Allocation, StatementLine)
            .exists(),
        )
    )
    return {each for pair in session.execute(rows) for each in pair if each is not None}


def is_hidden(line: StatementLine, person: Person) -> bool:
    """Say whether a line belongs to a file that does not exist for the person. One statement."""
    return line.id in _hidden([line], person)


def line_by_id(line_id: UUID) -> StatementLine | None:
    """Return a line with its statement and everything that was done with it. Two statements."""
    rows = select(StatementLine).where(StatementLine.id == line_id)
    parts = selectinload(StatementLine.allocations)
    return (
        session.scalars(
            rows.options(
                joinedload(StatementLine.statement).joinedload(Statement.file),
                parts.joinedload(Allocation.receivable)
                .joinedload(Receivable.award)
                .joinedload(Award.application),
                parts.joinedload(Allocation.order).lazyload(PaymentOrder.approvals),
            )
        )
        .unique()
        .one_or_none()
    )


def as_table(of: Statement, person: Person) -> tuple[list[str], list[list[str]]]:
    """Return the lines of a statement for a spreadsheet: the heads of the columns, and the rows.

    At most EXPORT_ROWS lines, and how many more there are. Three SQL statements.
    """
    found = session.scalars(_narrowed(of, Wanted()).limit(EXPORT_ROWS)).unique().all()
    hidden = _hidden(found, person)
    heads = [
        _("Number"),
        _("Day"),
        _("Bank's reference"),
        _("Our reference"),
        _("Amount"),
        _("Currency"),
        _("State"),
        _("What it is"),
        _("Leads to"),
    ]
    rows = [_cells(_row(line, hidden)) for line in found]
    more = of.line_count - len(found)
    if more:
        said = ngettext(
            "%(num)d more line is not in this file", "%(num)d more lines are not in this file", more
        )
        rows.append([said])
    return heads, rows


def _cells(row: Row) -> list[str]:
    line = row.line
    return [
        str(line.number),
        line.booked_on.isoformat(),
        line.reference,
        "" if row.hidden else line.end_to_end_id,
        f"{line.money.amount:f}",
        line.currency,
        str(line.status.label),
        "; ".join(str(each.purpose.label) for each in row.parts),
        "; ".join(each.target_ref for each in row.parts if each.target_ref),
    ]
