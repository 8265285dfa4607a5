"""What a line, or a part of it, is: each purpose calls the verb that it belongs to.

A line that is booked at once goes through the bank account; one that waited, through suspense.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.contributions import service as contributions
from portal.contributions.models.cards import CardMovement, CardPayout
from portal.contributions.service.cards.payouts import payout_arrived, payout_taken_back
from portal.contributions.service.receiving import BOOKED
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.workflow import Refused
from portal.ledger.rules import Rate
from portal.ledger.service import (
    agent_reimbursed,
    card_paid_out,
    charge_given_back,
    charged,
    support_costs_paid,
)
from portal.payments.service.refunds import receive_refund
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine
from portal.payments.statements.service import paying
from portal.payments.statements.service.naming import refuse_other_than_named
from portal.payments.statements.service.parts import Part, Target, rate_of
from portal.payments.statements.service.recovering import recover
from portal.payments.statements.service.transferring import transfer


def enter(line: StatementLine, target: Target, *, by: Person | None, reason: str) -> Allocation:
    """Book a line, or a part of it, as what `target` says; the line is held by the caller.

    Raises Refused where it cannot be that, or is more than is left of the line.
    """
    amount = line.left.minor if target.amount is None else target.amount
    if not 0 < abs(amount) <= abs(line.left.minor) or (amount > 0) != line.is_credit:
        raise Refused(_("Give an amount that is left of this line."))
    target = replace(target, amount=amount)
    number = len(line.allocations) + 1
    dollars, rate = part_in_dollars(line, amount)
    refuse_other_than_named(line, target, dollars)
    ref = f"{line.booking_ref}:{number}"
    part = Part(line, target, Money(abs(amount), line.currency), dollars, rate, ref, by, reason)
    booking_ref, target_ref = VERBS[target.purpose](part)
    allocation = Allocation(
        line=line,
        number=number,
        purpose=target.purpose,
        amount=amount,
        amount_usd=dollars.minor if amount > 0 else -dollars.minor,
        booking_ref=booking_ref,
        from_suspense=line.status is LineStatus.SUSPENSE,
        reason=reason,
        by_id=by.id if by else None,
        order=target.order,
        receivable=target.receivable,
        target_ref=target_ref,
        counterpart=target.counterpart,
    )
    session.add(allocation)
    _move(line, target)
    session.flush()
    audit.record(
        "statement_line.booked" if by is None else "statement_line.allocated",
        line,
        actor_id=by.id if by else None,
        to_status=line.status.value,
        facts={
            "purpose": target.purpose.value,
            "amount": amount,
            "currency": line.currency,
            "number": number,
            "ref": booking_ref,
        },
    )
    return allocation


def _move(line: StatementLine, target: Target) -> None:
    """Set where the line stands once a part of it was booked."""
    if target.purpose is Purpose.SEND_BACK:
        return
    line.status = LineStatus.SUSPENSE if line.left else LineStatus.BOOKED
    line.note = ""


def part_in_dollars(line: StatementLine, amount: int) -> tuple[Money, Rate | None]:
    """Return a part of a line in US$, above zero; the last part takes what rounding left."""
    money = Money(abs(amount), line.currency)
    rate = rate_of(line)
    dollars = money if rate is None else rate.in_usd(money)
    if amount == line.left.minor:
        taken = sum(each.amount_usd for each in line.covering)
        dollars = usd(abs(line.amount_usd - taken))
    return dollars, rate


def _contribution(part: Part) -> tuple[str, str]:
    """Book what a donor gave, under an agreement or without one."""
    if not part.line.is_credit:
        raise Refused(_("A contribution is a credit."))
    agreement = part.target.agreement
    received = contributions.receive_wire(
        fund_code=part.fund,
        amount=part.money,
        amount_usd=part.dollars,
        on=part.line.booked_on,
        source_ref=part.ref,
        agreement=agreement,
        donor=part.target.donor,
        into=part.through,
        by=part.by,
        settles=part.target.settles,
    )
    return BOOKED + received.source_ref, received.ref


def _donor_refund(part: Part) -> tuple[str, str]:
    """Book that a contribution was sent back to its donor."""
    given = part.target.contribution
    if given is None or part.line.is_credit:
        raise Refused(_("Money that goes back to a donor is a debit, of one contribution."))
    if given.fund_code != part.fund:
        raise Refused(_("This contribution is of another fund."))
    contributions.refund_wire(
        given,
        part.money,
        part.line.booked_on,
        source_ref=part.ref,
        reason=part.reason,
        by=part.by,
        out_of=part.through,
    )
    return BOOKED + part.ref, given.ref


def _refund(part: Part) -> tuple[str, str]:
    """Book what a grantee paid back of what it owes."""
    owed = part.target.receivable
    if owed is None or not part.line.is_credit:
        raise Refused(_("A refund is a credit, for one award."))
    receive_refund(
        owed,
        part.dollars,
        ref=part.ref,
        reference=part.line.reference,
        on=part.line.booked_on,
        by=part.by,
        local=part.local,
        rate=part.rate,
        into=part.through,
    )
    return part.ref, owed.award.ref


def _card_payout(part: Part) -> tuple[str, str]:
    """Book what the card processor paid over; a payout that it told of goes with its parts."""
    if not part.line.is_credit:
        raise Refused(_("A payout of the card processor is a credit."))
    payout = payout_of(part.target.payout_ref)
    if payout is not None:
        if payout.money != part.money:
            raise Refused(_("The card processor paid over another amount than this line says."))
        payout_arrived(
            payout,
            part.fund,
            part.dollars,
            part.line.booked_on,
            ref=part.ref,
            by=part.by.id if part.by else None,
            into=part.through,
        )
        return part.ref, payout.payout_id
    _refuse_unknown_payout(part)
    card_paid_out(
        part.fund,
        part.dollars,
        part.ref,
        part.line.booked_on,
        by=part.by.id if part.by else None,
        into=part.through,
        local=part.local,
        rate=part.rate,
    )
    return part.ref, part.target.payout_ref


def _card_payout_back(part: Part) -> tuple[str, str]:
    """Book that the bank debited a payout which failed after it had arrived."""
    payout = payout_of(part.target.payout_ref)
    if payout is None or part.line.is_credit:
        raise Refused(_("A payout that is taken back is a debit: give the payout’s identifier."))
    if payout.money != part.money:
        raise Refused(_("The card processor paid over another amount than this line says."))
    payout_taken_back(
        payout,
        part.fund,
        part.dollars,
        part.line.booked_on,
        ref=part.ref,
        by=part.by.id if part.by else None,
        out_of=part.through,
    )
    return part.ref, payout.payout_id


def payout_of(payout_ref: str) -> CardPayout | None:
    """Return the payout of the card processor with this identifier, in whatever case. One SQL."""
    named = func.lower(CardPayout.payout_id) == payout_ref.lower()
    return session.scalar(select(CardPayout).where(named))


def _refuse_unknown_payout(part: Part) -> None:
    """Raise Refused where the card processor tells of its payouts, and not of this one."""
    told = select(CardMovement.id).where(CardMovement.fund_code == part.fund)
    if session.scalar(select(told.exists())):
        raise Refused(
            _(
                "The card processor told of no payout “%(ref)s”. Take its identifier from the "
                "list of payouts, or wait until the processor has told of it.",
                ref=part.target.payout_ref[:40],
            )
        )


def _charge(part: Part) -> tuple[str, str]:
    """Book a charge of the bank, or one that it gave back."""
    if part.line.is_credit:
        return _book(part, partial(charge_given_back, into=part.through))
    return _book(part, partial(charged, out_of=part.through))


def _agent(part: Part) -> tuple[str, str]:
    """Book that a paying agent got back what it paid to grantees."""
    if part.line.is_credit:
        raise Refused(_("A paying agent is reimbursed by a debit."))
    return _book(part, partial(agent_reimbursed, out_of=part.through))


def _support_costs(part: Part) -> tuple[str, str]:
    """Book that support costs were paid over to the organisation that administers the fund."""
    if part.line.is_credit:
        raise Refused(_("Support costs are paid over by a debit."))
    return _book(part, partial(support_costs_paid, out_of=part.through))


def _book(part: Part, verb: Callable[..., object]) -> tuple[str, str]:
    """Book a part by a verb that needs its money, its day and who says so, and nothing else."""
    verb(
        part.fund,
        part.dollars,
        part.ref,
        part.line.booked_on,
        by=part.by.id if part.by else None,
        local=part.local,
        rate=part.rate,
    )
    return part.ref, ""


def _recovery(part: Part) -> tuple[str, str]:
    """Book what a grantee paid after all of what had been written off."""
    owed = part.target.receivable
    if owed is None or not part.line.is_credit:
        raise Refused(_("What had been written off comes back by a credit, for one award."))
    recover(
        owed,
        part.dollars,
        ref=part.ref,
        on=part.line.booked_on,
        by=part.by,
        local=part.local,
        rate=part.rate,
        into=part.through,
    )
    return part.ref, owed.award.ref


def _send_back(part: Part) -> tuple[str, str]:
    """Note that money goes back where it came from: in suspense until the opposite line comes.

    A credit is sent back to its sender; a debit is claimed back from the bank, or from the payee.
    """
    if part.line.status is not LineStatus.SUSPENSE:
        raise Refused(_("Only what waits in suspense can go back where it came from."))
    if any(each.purpose is Purpose.SEND_BACK for each in part.line.live):
        raise Refused(_("This is to go back already."))
    return "", ""


def _sent_back(part: Part) -> tuple[str, str]:
    """Pair a line with the opposite one that was to go back: in suspense they cancel out.

    It may come in parts, and a bank may keep something of it: what is left of the line that was to
    go back waits for the rest, or is a charge.
    """
    other, line = part.target.counterpart, part.line
    if other is None or line.status is not LineStatus.SUSPENSE:
        raise Refused(_("Choose the line that was to go back."))
    if other.bank_account_id != line.bank_account_id or other.is_credit is line.is_credit:
        raise Refused(_("The line that was to go back is of another account, or of the same side."))
    if part.money > abs(other.left):
        raise Refused(
            _(
                "Only %(most)s of that line has still to go back: enter as much, and say what the "
                "rest is.",
                most=format_money(abs(other.left), str(locale())),
            )
        )
    return "", other.reference


VERBS: Mapping[Purpose, Callable[[Part], tuple[str, str]]] = {
    Purpose.PAYMENT: paying.payment,
    Purpose.RETURN: paying.payment_back,
    Purpose.CONTRIBUTION: _contribution,
    Purpose.DONOR_REFUND: _donor_refund,
    Purpose.REFUND: _refund,
    Purpose.RECOVERY: _recovery,
    Purpose.CARD_PAYOUT: _card_payout,
    Purpose.CARD_PAYOUT_BACK: _card_payout_back,
    Purpose.TRANSFER: transfer,
    Purpose.BANK_CHARGE: _charge,
    Purpose.SUPPORT_COSTS: _support_costs,
    Purpose.AGENT: _agent,
    Purpose.SEND_BACK: _send_back,
    Purpose.SENT_BACK: _sent_back,
}
"""What books each purpose; returns the booking's reference, and what the line led to."""
