"""Booking lines: what was matched as what it is, the rest into suspense, each line atomic.

A slice at a time: whoever calls commits, and calls again. What a crash left is still to be booked,
and the next sweep finds it.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Person
from portal.contributions.models import ContributionAgreement
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger.service import suspense_booked
from portal.payments.models import PaymentFile
from portal.payments.service.booking import UNBOOKABLE
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    Statement,
    StatementLine,
)
from portal.payments.statements.service.entering import enter
from portal.payments.statements.service.parts import Target, rate_of

SLICE = 50
"""Lines that are booked in one transaction: others who write wait no longer than that."""

log = logging.getLogger(__name__)


@dataclass
class Booked:
    """What a slice did: lines booked, lines put into suspense, lines that could not be booked."""

    booked: int = 0
    suspended: int = 0
    stuck: int = 0

    @property
    def did_something(self) -> bool:
        """Whether there may be more to do."""
        return bool(self.booked or self.suspended)


def book_lines(most: int = SLICE, *, of: Statement | None = None) -> Booked:
    """Book lines that wait for it, the oldest first, at most `most`; say what was done.

    What was matched is booked as what it is; what was not, or cannot be, goes into suspense and
    waits for a person. A line that cannot even go there stays, with the reason: whatever is wrong
    with it, the others are booked.
    """
    done = Booked()
    for line_id in _waiting(most, of):
        try:
            with session.begin_nested():
                _book(line_id, done)
        except Refused as refused:
            log.warning("line %s cannot be booked: %s", line_id, type(refused).__name__)
            _note(line_id, refused.sentence)
            done.stuck += 1
        except Exception as failed:
            log.exception("line %s cannot be booked", line_id)
            _note(line_id, _unexpected(failed))
            done.stuck += 1
    return done


def _unexpected(failed: Exception) -> str:
    return _(
        "The portal failed at this line (%(error)s). It is tried again with the next ones; tell "
        "whoever runs the portal, whose log says more.",
        error=type(failed).__name__,
    )


def waiting(of: Statement | None = None) -> int:
    """Return how many lines are still to be booked. One SQL statement."""
    rows = select(func.count()).where(StatementLine.status == LineStatus.WAITING)
    if of is not None:
        rows = rows.where(StatementLine.statement_id == of.id)
    return int(session.scalar(rows) or 0)


def _waiting(most: int, of: Statement | None) -> list[UUID]:
    rows = (
        select(StatementLine.id)
        .join(StatementLine.statement)
        .where(StatementLine.status == LineStatus.WAITING)
        .order_by(
            StatementLine.note != "",  # what could not be booked does not hold up the rest
            Statement.to_on,
            Statement.imported_at,
            StatementLine.number,
        )
        .limit(most)
    )
    if of is not None:
        rows = rows.where(StatementLine.statement_id == of.id)
    return list(session.scalars(rows))


def hold(line_id: UUID) -> StatementLine:
    """Take the turn, lock the line until the transaction ends, and return it read anew."""
    session.flush()
    audit.take_turn()
    rows = (
        select(StatementLine)
        .where(StatementLine.id == line_id)
        .options(joinedload(StatementLine.statement), selectinload(StatementLine.allocations))
        .with_for_update(of=StatementLine)
        .execution_options(populate_existing=True)
    )
    return session.scalars(rows).unique().one()


def _book(line_id: UUID, done: Booked) -> None:
    line = hold(line_id)
    if line.status is not LineStatus.WAITING:
        return
    targets = _targets(line)
    if targets and not _booked_as(line, targets):
        line = hold(line_id)
    if line.status is LineStatus.WAITING:
        suspend(line, line.note)
    if line.status is LineStatus.BOOKED:
        done.booked += 1
    else:
        done.suspended += 1


def _booked_as(line: StatementLine, targets: list[Target]) -> bool:
    """Book the line as what it was matched with; say whether that could be."""
    try:
        with session.begin_nested():
            if sum(abs(each.amount or line.amount) for each in targets) < abs(line.amount):
                suspend(line, "")
            for target in targets:
                enter(line, target, by=None, reason="")
    except UNBOOKABLE as refused:
        log.info("line %s is not what it was matched with: %s", line.id, type(refused).__name__)
        _note(line.id, refused.sentence if isinstance(refused, Refused) else "")
        return False
    return True


def _note(line_id: UUID, sentence: str) -> None:
    session.execute(update(StatementLine).where(StatementLine.id == line_id).values(note=sentence))


def _targets(line: StatementLine) -> list[Target]:
    """Return what the line is by what was matched; more than one part only for a whole file."""
    if line.purpose is Purpose.PAYMENT and line.order is None:
        return _orders_of_file(line)
    if line.purpose in {Purpose.PAYMENT, Purpose.RETURN}:
        return [Target(line.purpose, order=line.order)]
    if line.purpose is Purpose.CONTRIBUTION:
        return _of_agreement(line)
    if line.purpose is Purpose.REFUND and line.receivable is not None:
        most = line.receivable.left_usd
        return [Target(Purpose.REFUND, min(line.amount, most), receivable=line.receivable)]
    if line.purpose is Purpose.CARD_PAYOUT:
        return [Target(Purpose.CARD_PAYOUT, payout_ref=line.target_ref)]
    return []


def _of_agreement(line: StatementLine) -> list[Target]:
    """Return that a line is for the agreement it names, where both are in one currency.

    How much of an agreement in another currency it settles is for a person to say.
    """
    agreement = session.scalar(
        select(ContributionAgreement).where(ContributionAgreement.ref == line.target_ref)
    )
    if agreement is None or agreement.currency != line.currency:
        return []
    return [Target(Purpose.CONTRIBUTION, agreement=agreement)]


def _orders_of_file(line: StatementLine) -> list[Target]:
    file = session.scalar(select(PaymentFile).where(PaymentFile.message_id == line.target_ref))
    if file is None:
        return []
    return [
        Target(Purpose.PAYMENT, -order.amount, order=order)
        for order in file.orders
        if order.status in {"released", "confirmed"}
    ]


def suspend(line: StatementLine, note: str) -> None:
    """Book a line into suspense, where it waits for a person. Raises Refused."""
    account = line.statement.bank_account
    rate = rate_of(line)
    suspense_booked(
        account.fund_code,
        line.dollars,
        line.booking_ref,
        line.booked_on,
        by=None,
        local=line.money if rate else None,
        rate=rate,
    )
    line.status, line.note = LineStatus.SUSPENSE, note
    session.flush()
    audit.record(
        "statement_line.suspended",
        line,
        actor_id=None,
        to_status=line.status.value,
        facts={"amount": line.amount, "currency": line.currency, "ref": line.booking_ref},
    )


def suspend_again(allocation: Allocation, by: Person) -> None:
    """Book a part of a line back into suspense, today, that is no longer what it was said to be."""
    line = allocation.line
    rate = rate_of(line)
    suspense_booked(
        line.statement.bank_account.fund_code,
        usd(allocation.amount_usd),
        f"{line.booking_ref}:{allocation.number}:back",
        clock.today(),
        by=by.id,
        local=allocation.money if rate else None,
        rate=rate,
    )
