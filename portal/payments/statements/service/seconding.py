"""A credit that names no payment comes back as one only where two people say so.

Its instalment is then paid anew: a gift of the same amount, taken for a return, would pay a grantee
twice. Where the line names the payment, or the bank told of the return itself, one person says what
the line is. Until a new attempt lives it can be taken back (`unreturning`).
"""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.models import OrderStatus
from portal.payments.service.signatories import refuse_signatory_of_attempts
from portal.payments.statements import policy
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

    The line is held by the caller. The same by the same person changes nothing. Raises Refused for
    more than is left of the line, and for a line that names another payment.
    """
    amount = line.left.minor if target.amount is None else target.amount
    if not 0 < amount <= line.left.minor or target.order is None:
        raise Refused(_("Give an amount that is left of this line."))
    refuse_other_than_named(line, target, line.dollars)
    rows = select(ReturnProposal).where(
        ReturnProposal.line_id == line.id,
        ReturnProposal.order_id == target.order.id,
        ReturnProposal.amount == amount,
    )
    said = session.scalars(rows).all()
    if any(each.by_id != by.id for each in said):
        return enter(line, target, by=by, reason=reason)
    if said:
        return said[0]
    proposal = ReturnProposal(
        line=line, order=target.order, amount=amount, reason=reason, by_id=by.id
    )
    session.add(proposal)
    session.flush()
    audit.record(
        "statement_line.said_returned",
        line,
        actor_id=by.id,
        to_status=line.status.value,
        facts={"amount": amount, "currency": line.currency, "ref": target.order.ref},
    )
    return proposal


def confirm_return(proposal: ReturnProposal, *, by: Person) -> Allocation:
    """Confirm what somebody else said: the payment came back, and that is booked.

    Twice by the same person is once. Raises Refused for who said it first, for others than finance
    and treasury of the fund, where the line is something else meanwhile, and for what
    `return_by_bank` refuses; and for who signed an attempt to make this payment (R24).
    """
    line = hold(proposal.line_id)
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
    target = Target(Purpose.RETURN, proposal.amount, order=proposal.order)
    return enter(line, target, by=by, reason=proposal.reason)
