"""What tests ask of the books and the lines."""

from sqlalchemy import select

from portal.core.db import session
from portal.payments.statements import checks, service
from portal.payments.statements.models import LineStatus, Purpose, Statement, StatementLine
from tests.payments.statements.teller import Move, Teller


def taken_in(teller: Teller, *moves: Move) -> list[StatementLine]:
    """Import a statement of these movements, book it, and return its lines."""
    [done] = service.import_statement(teller.file(*moves), by=None)
    session.commit()
    while service.book_lines().did_something:
        session.commit()
    session.commit()
    return lines(done.statement)


def lines(of: Statement) -> list[StatementLine]:
    """Return the lines of a statement in their order."""
    rows = select(StatementLine).where(StatementLine.statement_id == of.id)
    return list(session.scalars(rows.order_by(StatementLine.number)))


def booked_as(line: StatementLine) -> list[tuple[Purpose, int]]:
    """Return what stands of what a line was booked as, with the amounts."""
    session.refresh(line, ["status", "version"])
    session.expire(line, ["allocations"])
    return [(each.purpose, each.amount) for each in line.live]


def wrong() -> list[str]:
    """Return what the invariants of statements find."""
    return [f"{check.name}: {said}" for check in checks.checks() for said in check.run().violations]


def suspended(line: StatementLine) -> bool:
    """Say whether a line waits in suspense."""
    session.refresh(line, ["status", "version"])
    return line.status is LineStatus.SUSPENSE
