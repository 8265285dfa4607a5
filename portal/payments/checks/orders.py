"""What must always be true of orders and of bank details, asked of the rows themselves."""

from collections import defaultdict
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import aliased, joinedload

from portal.applications.models import Application
from portal.awards.models import Award
from portal.core import clock, files
from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind, LedgerAccount, LedgerEntry, LedgerTransaction
from portal.payments.models import (
    ApprovalStep,
    BankDetails,
    FileStatus,
    OrderStatus,
    PaymentApproval,
    PaymentOrder,
)
from portal.payments.rails import AGENT
from portal.payments.service.bank import fingerprint_holds
from portal.payments.service.signing import expected_digest
from portal.payments.unmade import said_unmade

STUCK_AFTER = timedelta(days=30)
"""How long an order may be on its way before somebody must have asked."""

SENT = (
    OrderStatus.RELEASED,
    OrderStatus.CONFIRMED,
    OrderStatus.REJECTED,
    OrderStatus.RETURNED,
)
BOOKED = (OrderStatus.CONFIRMED, OrderStatus.RETURNED)
TAKEN_BACK = (OrderStatus.REJECTED, OrderStatus.RETURNED)
STEPS = {
    OrderStatus.PREPARED: (),
    OrderStatus.CERTIFIED: (ApprovalStep.CERTIFY,),
    OrderStatus.APPROVED_ONCE: (ApprovalStep.CERTIFY, ApprovalStep.APPROVE),
    OrderStatus.APPROVED: (ApprovalStep.CERTIFY, ApprovalStep.APPROVE),
    **dict.fromkeys(SENT, (ApprovalStep.CERTIFY, ApprovalStep.APPROVE, ApprovalStep.RELEASE)),
}
"""Which signatures an order has; a large one, once approved, has the second approval too."""

SECOND_FROM = (OrderStatus.APPROVED, *SENT)

BATCH = 200

SIGNATURES = """
SELECT o.id, o.ref, 'payment_order.' || p.step AS act, p.person_id, p.at, 'digest' AS fact,
    p.digest AS value
FROM payment_approval p JOIN payment_order o ON o.id = p.order_id
UNION ALL
SELECT id, ref, 'payment_order.prepared', prepared_by_id, prepared_at, 'digest', digest
FROM payment_order
UNION ALL
SELECT o.id, o.ref, 'instalment.paid:' || i.number, o.confirmed_by_id, o.confirmed_at,
    'digest', o.digest
FROM payment_order o JOIN instalment i ON i.id = o.instalment_id WHERE o.confirmed_at IS NOT NULL
UNION ALL
SELECT id, ref, 'payment_order.accepted', NULL, accepted_at, 'digest', digest
FROM payment_order WHERE accepted_at IS NOT NULL
UNION ALL
SELECT id, ref, 'payment_order.acknowledged', acknowledged_by_id, acknowledged_at, NULL, NULL
FROM payment_order WHERE acknowledged_at IS NOT NULL
UNION ALL
SELECT d.id, w.ref, 'bank_details.entered', d.entered_by_id, d.entered_at, 'digest', d.digest
FROM bank_details d JOIN award w ON w.id = d.award_id
UNION ALL
SELECT d.id, w.ref, CASE d.status WHEN 'rejected' THEN 'bank_details.reject'
    ELSE 'bank_details.verify' END, d.checked_by_id, d.checked_at, 'digest', d.digest
FROM bank_details d JOIN award w ON w.id = d.award_id WHERE d.checked_at IS NOT NULL
UNION ALL
SELECT d.id, w.ref, 'bank_details.doubt', NULL, d.doubted_at, 'digest', d.digest
FROM bank_details d JOIN award w ON w.id = d.award_id WHERE d.doubted_at IS NOT NULL
"""
"""Whoever put their name to a payment, or to the account that it goes to, when and over what."""


def checks() -> list[Check]:
    """Return the invariants of orders and bank details."""
    return [
        Check(
            _("Every payment is signed by three people, none of whom entered the account"), _signed
        ),
        Check(_("Nobody signs anew what they said was not made"), _unmade),
        Check(_("Every signature is over what the order says"), _digests),
        Check(_("The books hold exactly the payments that were confirmed or left"), _booked),
        Check(_("Every payment by an agent has its instruction, unharmed"), _instructed),
        Check(_("No payment is stuck on its way"), _not_stuck),
        Check(_("Every payment is signed by whom the audit chain names"), _signed_as_told),
        Check(_("Sealed bank details open, and are what was entered"), _sealed),
    ]


def _orders(*statuses: OrderStatus) -> list[PaymentOrder]:
    rows = select(PaymentOrder).options(
        joinedload(PaymentOrder.bank_details),
        joinedload(PaymentOrder.instruction),
        joinedload(PaymentOrder.file),
    )
    if statuses:
        rows = rows.where(PaymentOrder.status.in_(statuses))
    return list(session.scalars(rows))


def _signed() -> CheckResult:
    orders = _orders()
    wrong = []
    for order in orders:
        people = {approval.person_id for approval in order.approvals}
        steps = {approval.step for approval in order.approvals}
        if len(people) != len(order.approvals) or steps not in _signatures_of(order):
            wrong.append(f"order {order.ref} is {order.status.value} with other signatures")
        if order.bank_details.entered_by_id in people:
            wrong.append(f"order {order.ref} is signed by who entered the account")
        if order.confirmed_by_id in people:
            wrong.append(f"order {order.ref} is confirmed by one of its signatories")
        if order.bank_details.checked_by_id == order.bank_details.entered_by_id:
            wrong.append(f"order {order.ref} goes to an account that nobody else checked")
    return CheckResult(len(orders), wrong)


def _unmade() -> CheckResult:
    """Look for those who signed an attempt and had said that an earlier one was not made (R24)."""
    earlier = aliased(PaymentOrder)
    rows = (
        select(PaymentOrder.ref, earlier.ref)
        .join(PaymentOrder.approvals)
        .join(earlier, earlier.instalment_id == PaymentOrder.instalment_id)
        .where(
            earlier.attempt < PaymentOrder.attempt,
            said_unmade(earlier, PaymentApproval.person_id),
        )
        .order_by(PaymentOrder.ref)
    )
    wrong = [
        f"order {ref} is signed by who said that its earlier attempt {other} was not made"
        for ref, other in session.execute(rows)
    ]
    looked_at = session.scalar(select(func.count()).select_from(PaymentApproval)) or 0
    return CheckResult(looked_at, wrong)


def _signatures_of(order: PaymentOrder) -> list[set[ApprovalStep]]:
    """Return the sets of signatures that an order may have; a cancelled one has any so far."""
    ends = [order.status] if order.status in STEPS else list(STEPS)
    again = {ApprovalStep.APPROVE_AGAIN} if order.second_approval else set[ApprovalStep]()
    return [set(STEPS[end]) | (again if end in SECOND_FROM else set()) for end in ends]


def _digests() -> CheckResult:
    orders = _orders()
    wrong = [
        f"order {order.ref} is not what was signed"
        for order in orders
        if {order.digest, *(each.digest for each in order.approvals)} != {expected_digest(order)}
    ]
    return CheckResult(len(orders), wrong)


def _booked() -> CheckResult:
    """Compare order by order: what the books paid, and what was taken back in them.

    By the bank, an order is booked as its file leaves, before anybody knows what becomes of it.
    """
    left = [order for order in _orders(*SENT) if _is_booked(order)]
    expected = {order.booking_ref: order for order in left}
    given_up = {order.ref for order in left if order.paid_after_all}
    booked, reversed_of = _advances()
    wrong = [
        f"{ref} is booked as paid, and no order that left has this reference"
        for ref in booked.keys() - expected.keys() - given_up
    ]
    wrong += [
        f"order {ref} was given up and paid after all, and stands in the books twice"
        for ref in sorted(given_up)
        if ref in booked and not reversed_of[ref]
    ]
    for ref, order in expected.items():
        if order.status is OrderStatus.REJECTED and ref not in booked:
            continue  # given up before anybody knew that its file had left
        taken_back = reversed_of[ref]
        if booked.get(ref) != order.amount_usd:
            wrong.append(f"order {ref} is booked as {booked.get(ref)} US cents, not as it is")
        if taken_back != (order.status in TAKEN_BACK):
            wrong.append(f"order {ref} is {order.status.value}, the books say otherwise")
    return CheckResult(len(expected), wrong)


def _is_booked(order: PaymentOrder) -> bool:
    left = order.file is not None and order.file.status is not FileStatus.KEPT
    return left or order.status in BOOKED


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
    orders = [order for order in _orders(*SENT) if order.rail == AGENT.name]
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


def _signed_as_told() -> CheckResult:
    """Look for the event of each signature. Two SQL statements."""
    count, denied = untold(SIGNATURES)
    wrong = [
        _("%(ref)s: the chain names somebody else, or another time, for %(act)s.", ref=ref, act=act)
        for ref, act in denied
    ]
    return CheckResult(count, wrong)


def _sealed() -> CheckResult:
    """Open all bank details; erased ones are counted and left. One SQL statement."""
    count, wrong = 0, []
    rows = select(BankDetails).options(
        joinedload(BankDetails.award)
        .joinedload(Award.application)
        .joinedload(Application.sealing_key)
    )
    for details in session.scalars(rows.execution_options(yield_per=BATCH)):
        count += 1
        if details.award.application.sealing_key.destroyed_at is not None:
            continue
        try:
            sound = fingerprint_holds(details)
        except Refused:
            sound = False
        if not sound:
            ref = details.award.ref
            wrong.append(_("The bank details of award %(ref)s are not what was entered.", ref=ref))
    return CheckResult(count, wrong)
