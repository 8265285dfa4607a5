"""A person says what a line in suspense is, or takes that back: each with a reason, on record."""

from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import service as contributions
from portal.contributions.models import Contribution
from portal.contributions.service.receiving import ABOVE, BOOKED
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.service import reverse
from portal.payments.service.refunds import take_back_refund
from portal.payments.service.signatories import refuse_signatory_of_attempts
from portal.payments.statements import policy
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    ReturnProposal,
    StatementLine,
)
from portal.payments.statements.service.booking import hold, suspend_again
from portal.payments.statements.service.entering import part_in_dollars, payout_of
from portal.payments.statements.service.parts import Target
from portal.payments.statements.service.seconding import (
    book_and_withdraw,
    say_it_came_back,
    takes_two,
    withdraw_all,
    withdraw_overtaken,
)
from portal.payments.statements.service.together import paid_in_several
from portal.payments.statements.service.unreturning import (
    debits_of,
    free_debits,
    is_by_hand,
    pay_anew,
    reverse_credit,
)

FINAL = frozenset({Purpose.PAYMENT, Purpose.RETURN, Purpose.DONOR_REFUND, Purpose.CARD_PAYOUT_BACK})
"""What the bank alone undoes, by a line of its own."""


def allocate(
    line_id: UUID, target: Target, reason: str, *, by: Person
) -> Allocation | ReturnProposal:
    """Say what a line in suspense is, or a part of it, and book that.

    The same as the last that stands changes nothing. That a payment came back which the line does
    not name is only a proposal, until a second person says so too. Raises Refused for who may not,
    for who signed an attempt to make that payment, without a reason, for a line that does not wait,
    and for what it cannot be.
    """
    words = _words(reason)
    line = hold(line_id)
    _refuse_others(line, by)
    if target.order is not None:
        refuse_signatory_of_attempts([target.order.ref], by)
    before = _just_done(line, target, by)
    if before is not None:
        return before
    if line.status is not LineStatus.SUSPENSE:
        raise Refused(_("This line does not wait in suspense."))
    if takes_two(line, target):
        return say_it_came_back(line, target, words, by=by)
    several = paid_in_several(line, target, words, by=by)
    if several is not None:
        return several
    if target.counterpart is not None:
        _lock_counterpart(target.counterpart)
    made = book_and_withdraw(line, target, words, by=by)
    if target.counterpart is not None:
        twin = Target(Purpose.SENT_BACK, counterpart=line)
        _pair(target.counterpart, twin, -made.amount, words, by)
    return made


def undo_allocation(allocation: Allocation, reason: str, *, by: Person) -> None:
    """Take back what a line was booked as: reversed in the books, and in suspense again.

    Twice is once. That a payment came back is taken back where people said so, and no new attempt
    lives: its debit is then entered anew. Raises Refused for who may not, without a reason, for
    what only the bank undoes, and for a decision to send back that was carried out.
    """
    words = _words(reason)
    line = hold(allocation.line_id)
    _refuse_others(line, by)
    session.refresh(allocation)
    if allocation.undone_at is not None:
        return
    if is_by_hand(allocation):
        _take_back_return(allocation, words, by)
        return
    if is_final(allocation):
        raise Refused(
            _("What the bank or the card processor did is undone by them, by a line of its own.")
        )
    _refuse_gone_back(line, allocation)
    _undone(allocation, words, by)
    _unbook(allocation, by)
    twin = _twin(allocation)
    if twin is not None:
        _undone(twin, words, by)
    session.flush()


def _refuse_gone_back(line: StatementLine, allocation: Allocation) -> None:
    """Raise Refused for a decision to send back while the line that carried it out stands."""
    if allocation.purpose is Purpose.SEND_BACK and line.gone_back:
        raise Refused(
            _(
                "This has gone back, and the line that shows it is paired with this one. Take back "
                "“Gone back where it came from” first."
            )
        )


def is_final(allocation: Allocation) -> bool:
    """Say whether only the bank, or the card processor, undoes it. At most three SQL statements."""
    if allocation.purpose in FINAL:
        return not is_by_hand(allocation)
    return _is_payout(allocation)


def _take_back_return(allocation: Allocation, words: str, by: Person) -> None:
    order = allocation.order
    if order is None:
        return
    refuse_signatory_of_attempts([order.ref], by)
    debits = debits_of(order)
    for debit in debits:
        hold(debit.line_id)
    _undone(allocation, words, by)
    withdraw_all(allocation.line, order, words, by=by)
    reverse_credit(order, by)
    for debit in debits:
        _undone(debit, words, by)
    free_debits(order, debits, by)
    pay_anew(order, debits, words, by=by)
    session.flush()


def _is_payout(allocation: Allocation) -> bool:
    """Say whether it is a payout that the card processor told of."""
    is_one = allocation.purpose is Purpose.CARD_PAYOUT
    return is_one and payout_of(allocation.target_ref) is not None


def _words(reason: str) -> str:
    return words_or_refuse(reason, _("Give the reason; it stays on record."))


def _refuse_others(line: StatementLine, by: Person) -> None:
    if not policy.can_allocate(by, line):
        raise Refused(_("What a line is, finance of the fund says."))


def _just_done(line: StatementLine, target: Target, by: Person) -> Allocation | None:
    """Return what the person's first click did; anything else that they say is refused."""
    last = line.live[-1] if line.live else None
    if last is None or line.status is not LineStatus.BOOKED:
        return None
    said = (by.id, target.purpose, target.amount or last.amount)
    if (last.by_id, last.purpose, last.amount) != said:
        return None
    return last if _leads_to(last, target) else None


def _leads_to(last: Allocation, target: Target) -> bool:
    """Say whether what was booked leads to what is said now. At most one SQL statement."""
    if target.agreement is not None or target.donor is not None:
        given = session.scalar(select(Contribution).where(Contribution.ref == last.target_ref))
        whose = target.agreement.donor_id if target.agreement else target.donor and target.donor.id
        under = target.agreement and target.agreement.id
        return given is not None and (given.donor_id, given.agreement_id) == (whose, under)
    named = target.contribution.ref if target.contribution else target.payout_ref
    if named:
        return last.target_ref.lower() == named.lower()
    return (last.order_id, last.receivable_id, last.counterpart_id) == (
        target.order.id if target.order else None,
        target.receivable.id if target.receivable else None,
        target.counterpart.id if target.counterpart else None,
    )


def _lock_counterpart(other: StatementLine) -> None:
    found = hold(other.id)
    if not any(each.purpose is Purpose.SEND_BACK for each in found.live):
        raise Refused(_("Nobody said yet that this line is to go back."))


def _pair(other: StatementLine, target: Target, amount: int, words: str, by: Person) -> None:
    """Enter the other half of a pair: as much of the line that was to go back has gone back."""
    line = target.counterpart
    dollars = part_in_dollars(other, amount)[0].minor
    allocation = Allocation(
        line=other,
        number=len(other.allocations) + 1,
        purpose=Purpose.SENT_BACK,
        amount=amount,
        amount_usd=dollars if amount > 0 else -dollars,
        booking_ref="",
        from_suspense=True,
        reason=words,
        by_id=by.id,
        target_ref=line.reference if line else "",
        counterpart=line,
    )
    session.add(allocation)
    other.status = LineStatus.SUSPENSE if other.left else LineStatus.BOOKED
    session.flush()
    _record(other, allocation, "statement_line.allocated", by)
    withdraw_overtaken(other, words, by=by)


def _twin(allocation: Allocation) -> Allocation | None:
    if allocation.counterpart is None:
        return None
    other = hold(allocation.counterpart.id)
    pair = (allocation.line_id, -allocation.amount)
    return next((one for one in other.live if (one.counterpart_id, one.amount) == pair), None)


def _undone(allocation: Allocation, words: str, by: Person) -> None:
    allocation.undone_by_id, allocation.undone_at = by.id, clock.now()
    allocation.undone_reason = words
    line = allocation.line
    line.status = LineStatus.SUSPENSE
    session.flush()
    _record(line, allocation, "statement_line.undone", by)


def _unbook(allocation: Allocation, by: Person) -> None:
    """Reverse what was booked; what did not come out of suspense goes there now."""
    today = clock.today()
    if not allocation.booking_ref:
        return
    if allocation.purpose is Purpose.CONTRIBUTION:
        _unbook_contribution(allocation, by)
        return
    if allocation.purpose is Purpose.REFUND and allocation.receivable is not None:
        amount = usd(abs(allocation.amount_usd))
        take_back_refund(allocation.receivable, amount, ref=allocation.booking_ref, on=today, by=by)
    else:
        booking = ledger.find(allocation.booking_ref)
        if booking is not None:
            reverse(booking, on=today, by=by.id)
    if not allocation.from_suspense:
        suspend_again(allocation, by)


def _unbook_contribution(allocation: Allocation, by: Person) -> None:
    """Annul the contribution: it was a mistake, and the money lies in suspense again."""
    cause = allocation.booking_ref.removeprefix(BOOKED).removesuffix(ABOVE)
    rows = select(Contribution).where(Contribution.source_ref.in_([cause, cause + ABOVE]))
    for given in session.scalars(rows).all():
        reason = allocation.undone_reason
        contributions.annul_wire(given, reason, clock.today(), by=by, frees_line=True)
    if not allocation.from_suspense:
        suspend_again(allocation, by)


def _record(line: StatementLine, allocation: Allocation, action: str, by: Person) -> None:
    audit.record(
        action,
        line,
        actor_id=by.id,
        to_status=line.status.value,
        facts={
            "purpose": allocation.purpose.value,
            "amount": allocation.amount,
            "currency": line.currency,
            "number": allocation.number,
            "ref": allocation.booking_ref,
        },
    )
