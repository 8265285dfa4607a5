"""A credit that names no payment comes back as one only where two people say so.

Its instalment is then paid anew: a gift of the same amount, taken for a return, would pay a grantee
twice. Where the line names the payment, or the bank told of the return itself, one person says what
the line is. Until a new attempt lives it can be taken back (`unreturning`).
"""

from sqlalchemy import and_, false, or_, select

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.service.signatories import refuse_signatory_of_attempts
from portal.payments.statements import overtaking, policy
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    ReturnProposal,
    StatementLine,
)
from portal.payments.statements.service.booking import hold
from portal.payments.statements.service.entering import enter
from portal.payments.statements.service.naming import is_named, refuse_other_than_named
from portal.payments.statements.service.parts import Target


def takes_two(line: StatementLine, target: Target) -> bool:
    """Say whether a second person has to confirm what a line is said to be; the line is held."""
    order = target.order
    if target.purpose is not Purpose.RETURN or order is None or is_named(line, order):
        return False
    session.refresh(order, ["status"])
    return order.status is OrderStatus.CONFIRMED


def say_it_came_back(
    line: StatementLine, target: Target, reason: str, *, by: Person
) -> Allocation | ReturnProposal:
    """Record what the first person says, or book what the second one says as well.

    The line is held by the caller. The same by the same person changes nothing, unless what they
    said was overtaken: then they say it anew. Raises Refused for more than is left of the line, and
    for a line that names another payment.
    """
    amount = line.left.minor if target.amount is None else target.amount
    if not 0 < amount <= line.left.minor or target.order is None:
        raise Refused(_("Give an amount that is left of this line."))
    refuse_other_than_named(line, target, line.dollars)
    rows = select(ReturnProposal).where(
        ReturnProposal.line_id == line.id,
        ReturnProposal.order_id == target.order.id,
        ReturnProposal.amount == amount,
        ReturnProposal.withdrawn_at.is_(None),
    )
    for overtaken in session.scalars(
        rows.where(ReturnProposal.by_id == by.id, overtaking.is_overtaken())
    ):
        _withdrawn(overtaken, reason, by)
    said = session.scalars(rows.where(overtaking.counts())).all()
    if any(each.by_id != by.id for each in said):
        return book_and_withdraw(line, target, reason, by=by)
    if said:
        return said[0]
    proposal = ReturnProposal(
        line=line, order=target.order, amount=amount, reason=reason, by_id=by.id
    )
    session.add(proposal)
    session.flush()
    _record(proposal, "statement_line.said_returned", by)
    return proposal


def confirm_return(proposal: ReturnProposal, *, by: Person) -> Allocation:
    """Confirm what somebody else said: the payment came back, and that is booked.

    Twice by the same person is once. Raises Refused for who said it first, for others than finance
    and treasury of the fund, where the line is something else meanwhile, and for what
    `return_by_bank` refuses; for what was withdrawn or overtaken; and for who signed an attempt to
    make this payment (R24).
    """
    line = hold(proposal.line_id)
    session.refresh(proposal)
    if proposal.withdrawn_at is not None:
        raise Refused(_("This has been withdrawn: it waits for nobody any more."))
    if not policy.can_confirm(by, proposal):
        raise Refused(
            _("That a payment came back is confirmed by finance or treasury, by a second person."),
            rule="R22",
        )
    refuse_signatory_of_attempts([proposal.order.ref], by)
    last = line.live[-1] if line.live else None
    if last is not None and (last.order_id, last.by_id) == (proposal.order_id, by.id):
        return last
    if line.status is not LineStatus.SUSPENSE:
        raise Refused(_("This line does not wait in suspense."))
    if is_overtaken(proposal):
        raise Refused(
            _(
                "Since this was said, the line was something else, or was to go back: it counts "
                "no more. Whoever said it says it anew, if it is so, and you confirm that."
            ),
            rule="R22",
        )
    target = Target(Purpose.RETURN, proposal.amount, order=proposal.order)
    return book_and_withdraw(line, target, proposal.reason, by=by)


def withdraw_return(proposal: ReturnProposal, reason: str, *, by: Person) -> None:
    """Withdraw what one said: it was a mistake. It can be said anew. Twice is once.

    What was overtaken is withdrawn by any finance officer of the fund. Raises Refused for others
    than who said it, without a reason, and once it is confirmed.
    """
    words = words_or_refuse(reason, _("Give the reason; it stays on record."))
    line = hold(proposal.line_id)
    session.refresh(proposal)
    if proposal.withdrawn_at is not None:
        return
    overtaken = is_overtaken(proposal)
    if not policy.can_withdraw(by, proposal, overtaken=overtaken):
        raise Refused(_("What somebody said of a line, they withdraw themselves."))
    if not overtaken and any(
        (each.purpose, each.order_id) == (Purpose.RETURN, proposal.order_id) for each in line.live
    ):
        raise Refused(_("It is confirmed already. Take back what the line was booked as."))
    _withdrawn(proposal, words, by)


def is_overtaken(proposal: ReturnProposal) -> bool:
    """Say whether a word counts for nothing, though nobody withdrew it. One SQL statement."""
    rows = select(overtaking.is_overtaken()).where(ReturnProposal.id == proposal.id)
    return bool(session.scalar(rows))


def withdraw_all(line: StatementLine, order: PaymentOrder, reason: str, *, by: Person) -> None:
    """Withdraw what was said of a return that is taken back: it waits for nobody any more.

    The line is held by the caller, who gives the reason.
    """
    rows = select(ReturnProposal).where(
        ReturnProposal.line_id == line.id,
        ReturnProposal.order_id == order.id,
        ReturnProposal.withdrawn_at.is_(None),
    )
    for proposal in session.scalars(rows):
        _withdrawn(proposal, reason, by)


def book_and_withdraw(
    line: StatementLine, target: Target, reason: str, *, by: Person
) -> Allocation:
    """Book a line, or a part of it, as `enter` does, and withdraw what was said against it."""
    made = enter(line, target, by=by, reason=reason)
    withdraw_overtaken(line, reason, by=by)
    return made


def withdraw_overtaken(line: StatementLine, reason: str, *, by: Person) -> None:
    """Withdraw what was said of more of a line than is left of it, now that it is something else.

    A word that was abandoned is no first one of two. What goes back where it came from leaves
    nothing; what has just been confirmed stands. The line is held by the caller.
    """
    goes_back = any(each.purpose is Purpose.SEND_BACK for each in line.live)
    confirmed = [
        and_(ReturnProposal.order_id == each.order_id, ReturnProposal.amount == each.amount)
        for each in line.live
        if each.purpose is Purpose.RETURN
    ]
    rows = select(ReturnProposal).where(
        ReturnProposal.line_id == line.id,
        ReturnProposal.amount > (0 if goes_back else line.left.minor),
        ReturnProposal.withdrawn_at.is_(None),
        ~or_(false(), *confirmed),
    )
    for proposal in session.scalars(rows):
        _withdrawn(proposal, reason, by)


def _withdrawn(proposal: ReturnProposal, words: str, by: Person) -> None:
    proposal.withdrawn_by_id, proposal.withdrawn_at = by.id, clock.now()
    proposal.withdrawn_reason = words
    session.flush()
    _record(proposal, "statement_line.return_withdrawn", by)


def _record(proposal: ReturnProposal, action: str, by: Person) -> None:
    line = proposal.line
    audit.record(
        action,
        line,
        actor_id=by.id,
        to_status=line.status.value,
        facts={
            "amount": proposal.amount,
            "currency": line.currency,
            "ref": proposal.order.ref,
        },
    )
