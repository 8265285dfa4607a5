"""What must always be true of payments, asked of the rows themselves."""

from collections import defaultdict
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.awards.models import Award, Instalment
from portal.core import clock, files
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.ledger.models import AccountKind, LedgerAccount, LedgerEntry, LedgerTransaction
from portal.payments.models import ApprovalStep, OrderStatus, PaymentOrder
from portal.payments.service.signing import expected_digest

MICRO_CEILING_USD = 500_000
"""US$ 5,000 in cents: the most that a micro-grant ever pays."""

STUCK_AFTER = timedelta(days=30)
"""How long a paying agent may take before somebody has to ask."""

SENT = (
    OrderStatus.RELEASED,
    OrderStatus.CONFIRMED,
    OrderStatus.REJECTED,
    OrderStatus.RETURNED,
)
BOOKED = (OrderStatus.CONFIRMED, OrderStatus.RETURNED)
STEPS = {
    OrderStatus.PREPARED: 0,
    OrderStatus.CERTIFIED: 1,
    OrderStatus.APPROVED: 2,
    **dict.fromkeys(SENT, 3),
}


def checks() -> list[Check]:
    """Return the invariants of payments."""
    return [
        Check("every payment is signed by three people, none of whom entered the account", _signed),
        Check("every signature is over what the order says", _digests),
        Check("no grant is paid above its award or its ceiling", _within_award),
        Check("the books hold exactly the payments that were confirmed", _booked),
        Check("every released payment has its instruction, unharmed", _instructed),
        Check("no payment is stuck with a paying agent", _not_stuck),
    ]


def _orders(*statuses: OrderStatus) -> list[PaymentOrder]:
    rows = select(PaymentOrder).options(
        joinedload(PaymentOrder.bank_details), joinedload(PaymentOrder.instruction)
    )
    if statuses:
        rows = rows.where(PaymentOrder.status.in_(statuses))
    return list(session.scalars(rows))


def _signed() -> CheckResult:
    orders = _orders()
    wrong = []
    for order in orders:
        people = {approval.person_id for approval in order.approvals}
        steps = [step.value for step in ApprovalStep][: STEPS.get(order.status, len(people))]
        if len(people) != len(order.approvals) or {a.step.value for a in order.approvals} != set(
            steps
        ):
            wrong.append(f"order {order.ref} is {order.status.value} with other signatures")
        if order.bank_details.entered_by_id in people:
            wrong.append(f"order {order.ref} is signed by who entered the account")
        if order.confirmed_by_id in people:
            wrong.append(f"order {order.ref} is confirmed by one of its signatories")
        if order.bank_details.checked_by_id == order.bank_details.entered_by_id:
            wrong.append(f"order {order.ref} goes to an account that nobody else checked")
    return CheckResult(len(orders), wrong)


def _digests() -> CheckResult:
    orders = _orders()
    wrong = [
        f"order {order.ref} is not what was signed"
        for order in orders
        if {order.digest, *(each.digest for each in order.approvals)} != {expected_digest(order)}
    ]
    return CheckResult(len(orders), wrong)


def _within_award() -> CheckResult:
    paid = (
        select(Instalment.award_id, func.sum(PaymentOrder.amount_usd).label("cents"))
        .join(PaymentOrder.instalment)
        .where(PaymentOrder.status == OrderStatus.CONFIRMED)
        .group_by(Instalment.award_id)
        .subquery()
    )
    rows = session.execute(
        select(Award.ref, Award.amount_usd, Award.micro_grant, paid.c.cents).join(
            paid, paid.c.award_id == Award.id
        )
    ).all()
    wrong = [
        f"award {ref} of {granted} US cents was paid {cents}"
        for ref, granted, micro, cents in rows
        if cents > granted or (micro and cents > MICRO_CEILING_USD)
    ]
    return CheckResult(len(rows), wrong)


def _booked() -> CheckResult:
    """Compare order by order: what the books paid, and what was taken back in them."""
    confirmed = {order.ref: order for order in _orders(*BOOKED)}
    booked, reversed_of = _advances()
    wrong = [
        f"{ref} is booked as paid, and no confirmed order has this reference"
        for ref in booked.keys() - confirmed.keys()
    ]
    for ref, order in confirmed.items():
        taken_back = reversed_of[ref]
        if booked.get(ref) != order.amount_usd:
            wrong.append(f"order {ref} is booked as {booked.get(ref)} US cents, not as it is")
        if taken_back != (order.status is OrderStatus.RETURNED):
            wrong.append(f"order {ref} is {order.status.value}, the books say otherwise")
    return CheckResult(len(confirmed), wrong)


def _advances() -> tuple[dict[str, int], dict[str, bool]]:
    """Return what was advanced by reference, in US cents, and whether it was reversed."""
    rows = (
        select(LedgerTransaction.id, LedgerTransaction.source_ref, func.sum(LedgerEntry.usd))
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerEntry.account)
        .where(
            LedgerTransaction.kind == "advance_paid",
            LedgerAccount.kind == AccountKind.ADVANCES_TO_GRANTEES,
        )
        .group_by(LedgerTransaction.id, LedgerTransaction.source_ref)
    )
    found = session.execute(rows).all()
    mirrored = set(
        session.scalars(
            select(LedgerTransaction.reverses_id).where(LedgerTransaction.reverses_id.is_not(None))
        )
    )
    reversed_of: dict[str, bool] = defaultdict(bool)
    reversed_of |= {ref: booking_id in mirrored for booking_id, ref, _cents in found}
    return {ref: int(cents) for _booking_id, ref, cents in found}, reversed_of


def _instructed() -> CheckResult:
    orders = _orders(*SENT)
    kept = [order.instruction for order in orders if order.instruction is not None]
    harmed = set(files.damaged(kept))
    wrong = [
        f"order {order.ref} left without its instruction, or with another"
        for order in orders
        if order.instruction is None or order.instruction.id in harmed
    ]
    return CheckResult(len(orders), wrong)


def _not_stuck() -> CheckResult:
    orders = _orders(OrderStatus.RELEASED)
    since = clock.now() - STUCK_AFTER
    wrong = [
        f"order {order.ref} was released long ago, and nobody said what became of it"
        for order in orders
        if max(approval.at for approval in order.approvals) < since
    ]
    return CheckResult(len(orders), wrong)
