"""What a line, or a part of it, is: each purpose calls the verb that it belongs to.

A line that is booked at once goes through the bank account; one that waited, through suspense.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import service as contributions
from portal.contributions.models import Contribution, ContributionAgreement, Donor
from portal.contributions.models.cards import CardPayout
from portal.contributions.service.cards.payouts import payout_arrived
from portal.contributions.service.receiving import BOOKED
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import Rate
from portal.ledger.service import agent_reimbursed, card_paid_out, charged, reverse
from portal.payments.models import OrderStatus, PaymentOrder, Receivable
from portal.payments.service.answers import return_by_bank, settle_by_bank
from portal.payments.service.booking import in_dollars
from portal.payments.service.refunds import receive_refund
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine

SETTLED, CREDITED = ":settled", ":credited"
"""How the ledger names the bookings of a payment that the bank debited, or gave back."""


@dataclass(frozen=True)
class Target:
    """What a line is said to be. `amount` is signed as the line's; none means all that is left.

    `settles` is how much of an `agreement` in another currency it settles, in that currency.
    """

    purpose: Purpose
    amount: int | None = None
    order: PaymentOrder | None = None
    receivable: Receivable | None = None
    agreement: ContributionAgreement | None = None
    settles: Money | None = None
    donor: Donor | None = None
    contribution: Contribution | None = None
    payout_ref: str = ""
    counterpart: StatementLine | None = None


@dataclass(frozen=True)
class Part:
    """A part of a line on its way into the books. `money` is above zero."""

    line: StatementLine
    target: Target
    money: Money
    dollars: Money
    rate: Rate | None
    ref: str
    by: Person | None
    reason: str

    @property
    def fund(self) -> str:
        """The fund whose account it is."""
        return self.line.statement.bank_account.fund_code

    @property
    def through(self) -> AccountKind:
        """The account that it goes through."""
        waited = self.line.status is LineStatus.SUSPENSE
        return AccountKind.SUSPENSE if waited else AccountKind.BANK

    @property
    def local(self) -> Money | None:
        """The amount in the account's currency, none for US$."""
        return None if self.rate is None else self.money


def enter(line: StatementLine, target: Target, *, by: Person | None, reason: str) -> Allocation:
    """Book a line, or a part of it, as what `target` says; the line is held by the caller.

    Raises Refused where it cannot be that, or is more than is left of the line.
    """
    amount = line.left.minor if target.amount is None else target.amount
    if not 0 < abs(amount) <= abs(line.left.minor) or (amount > 0) != line.is_credit:
        raise Refused(_("Give an amount that is left of this line."))
    target = replace(target, amount=amount)
    number = len(line.allocations) + 1
    dollars, rate = _dollars(line, amount)
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


def _dollars(line: StatementLine, amount: int) -> tuple[Money, Rate | None]:
    """Return a part of a line in US$, above zero; the last part takes what rounding left."""
    money = Money(abs(amount), line.currency)
    dollars, rate = in_dollars(money, line.booked_on)
    if amount == line.left.minor:
        taken = sum(each.amount_usd for each in line.covering)
        dollars = usd(abs(line.amount_usd - taken))
    return dollars, rate


def _payment(part: Part) -> tuple[str, str]:
    """Book that the bank debited an order. What a notice told of is in the books already."""
    order = part.target.order
    if order is None or part.line.is_credit:
        raise Refused(_("A payment is a debit, of one order."))
    ref = order.ref + SETTLED
    if order.status is not OrderStatus.RELEASED and ledger.find(ref) is not None:
        _take_from_suspense(part)
        return ref, order.ref
    settle_by_bank(
        order,
        debited=part.money,
        on=part.line.booked_on,
        reference=part.line.reference,
        from_=part.through,
    )
    return ref, order.ref


def _return(part: Part) -> tuple[str, str]:
    """Book that a payment came back. What a notice told of is in the books already."""
    order = part.target.order
    if order is None or not part.line.is_credit:
        raise Refused(_("A payment that comes back is a credit, of one order."))
    ref = order.ref + CREDITED
    if order.status is OrderStatus.RETURNED and ledger.find(ref) is not None:
        _take_from_suspense(part)
        return ref, order.ref
    return_by_bank(
        order,
        credited=part.money,
        on=part.line.booked_on,
        reference=part.line.reference,
        reason=part.line.return_code,
        into=part.through,
    )
    return ref, order.ref


def _take_from_suspense(part: Part) -> None:
    """Reverse the booking into suspense: what the line is stands in the bank account already."""
    if part.through is AccountKind.BANK:
        return
    waits = ledger.find(part.line.booking_ref)
    if waits is None or part.money.minor != abs(part.line.amount) or part.line.live:
        raise Refused(_("Only a whole line can be the booking that a notice told of before."))
    reverse(waits, on=part.line.booked_on, by=part.by.id if part.by else None)


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


def payout_of(payout_ref: str) -> CardPayout | None:
    """Return the payout of the card processor with this identifier. One SQL statement."""
    return session.scalar(select(CardPayout).where(CardPayout.payout_id == payout_ref))


def _charge(part: Part) -> tuple[str, str]:
    """Book a charge of the bank."""
    if part.line.is_credit:
        raise Refused(_("A bank charge is a debit."))
    charged(
        part.fund,
        part.dollars,
        part.ref,
        part.line.booked_on,
        by=part.by.id if part.by else None,
        out_of=part.through,
        local=part.local,
        rate=part.rate,
    )
    return part.ref, ""


def _agent(part: Part) -> tuple[str, str]:
    """Book that a paying agent got back what it paid to grantees."""
    if part.line.is_credit:
        raise Refused(_("A paying agent is reimbursed by a debit."))
    agent_reimbursed(
        part.fund,
        part.dollars,
        part.ref,
        part.line.booked_on,
        by=part.by.id if part.by else None,
        out_of=part.through,
        local=part.local,
        rate=part.rate,
    )
    return part.ref, ""


def _send_back(part: Part) -> tuple[str, str]:
    """Note that a credit goes back to its sender: owed, in suspense, until it has left."""
    if not part.line.is_credit or part.line.status is not LineStatus.SUSPENSE:
        raise Refused(_("Only a credit that waits in suspense can be sent back."))
    if any(each.purpose is Purpose.SEND_BACK for each in part.line.live):
        raise Refused(_("This is to be sent back already."))
    return "", ""


def _sent_back(part: Part) -> tuple[str, str]:
    """Pair a debit with the credit that was to be sent back: in suspense they cancel out."""
    other, line = part.target.counterpart, part.line
    if other is None or line.status is not LineStatus.SUSPENSE:
        raise Refused(_("Choose the line that was to be sent back."))
    if other.bank_account_id != line.bank_account_id or other.left != -line.left:
        raise Refused(_("The line that was to be sent back is of another account or amount."))
    return "", other.reference


VERBS: Mapping[Purpose, Callable[[Part], tuple[str, str]]] = {
    Purpose.PAYMENT: _payment,
    Purpose.RETURN: _return,
    Purpose.CONTRIBUTION: _contribution,
    Purpose.DONOR_REFUND: _donor_refund,
    Purpose.REFUND: _refund,
    Purpose.CARD_PAYOUT: _card_payout,
    Purpose.BANK_CHARGE: _charge,
    Purpose.AGENT: _agent,
    Purpose.SEND_BACK: _send_back,
    Purpose.SENT_BACK: _sent_back,
}
"""What books each purpose; returns the booking's reference, and what the line led to."""
