"""Debits by which the bank paid again what had come back too late by card (R25).

The money that came back lies in suspense as a credit, the debit lies there too: to say that the one
is the other books nothing more. Who said that it is to be paid again does not say it of the line.
"""

from portal.core.i18n import _, locale
from portal.core.money import format_money
from portal.core.workflow import Refused
from portal.ledger.rules import DOLLAR
from portal.payments.models import LateOutcome
from portal.payments.service.booking import fund_of
from portal.payments.service.late_outcomes import hold_outcome
from portal.payments.service.signatories import refuse_signatory_of_attempts
from portal.payments.statements.models import Allocation, LineStatus
from portal.payments.statements.service.parts import Part


def paid_again(part: Part) -> tuple[str, str]:
    """Note that a debit in suspense paid again what came back, or a part of it.

    Raises Refused for more than still waits, for another account than one of the fund in US$, for
    who said that it is to be paid again, and for who signed an attempt to make the payment.
    """
    outcome, line = part.target.outcome, part.line
    if outcome is None or line.is_credit or line.status is not LineStatus.SUSPENSE:
        raise Refused(_("What is paid again is a debit in suspense, of one payment."))
    late = hold_outcome(outcome)
    order = late.order
    if not outcome.is_open:
        raise Refused(_("Nobody says any more that this is to be paid again."), rule="R25")
    if part.fund != fund_of(order) or line.currency != DOLLAR:
        raise Refused(
            _("What came back is US$ of another account: pay it from the fund’s account in US$."),
            rule="R25",
        )
    if part.money > late.left:
        raise Refused(
            _(
                "Only %(most)s of that payment waits to be paid again: enter as much, and say "
                "what the rest is.",
                most=format_money(late.left, str(locale())),
            ),
            rule="R25",
        )
    _refuse_alone(outcome, part)
    late.settled_usd += part.money.minor
    return "", order.ref


def _refuse_alone(outcome: LateOutcome, part: Part) -> None:
    """Raise Refused where one person alone, or a signatory, would say it all."""
    if part.by is None or part.by.id == outcome.by_id:
        raise Refused(
            _(
                "You said yourself that this is to be paid again. Another finance officer of the "
                "fund says which debit that is."
            ),
            rule="R24",
        )
    refuse_signatory_of_attempts([outcome.late.order.ref], part.by)


def free(allocation: Allocation) -> None:
    """Let what came back wait in suspense again: the line was something else."""
    if allocation.outcome is not None:
        late = hold_outcome(allocation.outcome)
        late.settled_usd += allocation.amount_usd  # a debit is below zero
