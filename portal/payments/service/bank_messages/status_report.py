"""The bank's answers to payment files (pain.002): what it took, what it refused, what it has."""

from functools import partial

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.iso20022 import PaymentStatus, Reason, StatusReport
from portal.payments.models import FileStatus, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.reasons import tells_of_a_duplicate
from portal.payments.service.answers import accept_by_bank, reject_by_bank
from portal.payments.service.bank_messages.placing import (
    Act,
    Received,
    Said,
    in_short,
    place,
    refuse_other_fund,
)
from portal.payments.service.orders import hold
from portal.payments.service.sending import mark_sent
from portal.payments.service.signatories import refuse_signatory

ACCEPTS = frozenset({"ACCP", "ACTC", "ACSP", "ACSC", "ACWC", "ACCC"})
"""Statuses by which a bank says that it will pay, or has paid (ISO 20022 external code set)."""

REFUSES = "RJCT"


def take_report(report: StatusReport, found: Received, by: Person | None) -> None:
    """Take the bank's answer to a payment file (pain.002)."""
    file = session.scalar(
        select(PaymentFile).where(PaymentFile.message_id == report.original_message_id)
    )
    if file is None:
        raise Refused(
            _(
                "The bank answers to the file “%(message)s”, which the portal never wrote.",
                message=report.original_message_id,
            )
        )
    refuse_other_fund(file.bank_account, by)
    if file.status is FileStatus.WITHDRAWN:
        raise Refused(
            _(
                "The bank answers to the file “%(message)s”, which was withdrawn before it left. "
                "Ask the bank which file it has, and tell whoever runs the portal.",
                message=report.original_message_id,
            )
        )
    refuse_signatory([order.ref for order in file.orders], by)
    found.funds.add(file.bank_account.fund_code)
    mark_sent(file, by=None)
    if report.group_status == REFUSES and _is_duplicate(report.reasons):
        for order in file.orders:
            _place(found, order.ref, _has_it, file)
        if file.status is FileStatus.SENT:
            _answered(file, FileStatus.DUPLICATE, report)
        return
    for ref, act in _of_all(report, file) or (_of_one(report, each) for each in report.payments):
        _place(found, ref, act, file)
    _answered(file, _status_now(file), report)


def _of_all(report: StatusReport, file: PaymentFile) -> list[Said]:
    """Return what an answer to the whole file says of each of its payments."""
    if report.payments:
        return []
    if report.group_status == REFUSES:
        refused = partial(reject_by_bank, reason=in_short(report.reasons))
        return [(order.ref, refused) for order in file.orders]
    if report.group_status in ACCEPTS:
        return [(order.ref, _takes_it) for order in file.orders]
    return []


def _of_one(report: StatusReport, payment: PaymentStatus) -> Said:
    """Return what an answer says of one payment. One without a reason has those of the file."""
    if payment.status in ACCEPTS:
        return payment.end_to_end_id, _takes_it
    if payment.status != REFUSES:
        return payment.end_to_end_id, _nothing_yet
    reasons = payment.reasons or report.reasons
    if _is_duplicate(reasons):
        return payment.end_to_end_id, _has_it
    return payment.end_to_end_id, partial(reject_by_bank, reason=in_short(reasons))


def _place(found: Received, ref: str, act: Act, file: PaymentFile) -> None:
    """Place what the answer says of a payment. What contradicts us waits until it is seen to."""
    if place(found, ref, act, answered=file):
        found.perhaps_paid.add(ref)


def _takes_it(order: PaymentOrder) -> str | None:
    """Note that the bank will pay. A person is told where the payment had been given up."""
    hold(order)
    accept_by_bank(order)
    if order.status is not OrderStatus.REJECTED:
        return None
    return _(
        "The bank says that it will make payment %(ref)s, which had been given up. Nothing is paid "
        "anew until its statement tells of it, or somebody says how it was seen to. Ask the bank.",
        ref=order.ref,
    )


def _has_it(order: PaymentOrder) -> str | None:
    """Note that the bank has the payment, whatever it refuses now: it may be paid, or was.

    The payment stays with the bank. A person is told, unless the bank had said before what becomes
    of it.
    """
    hold(order)
    is_known = order.accepted_at is not None and order.status is OrderStatus.RELEASED
    accept_by_bank(order)
    if is_known or order.status not in {OrderStatus.RELEASED, OrderStatus.REJECTED}:
        return None
    return _(
        "The bank says that it has payment %(ref)s already: it may have been paid. Do not pay it "
        "in another way; wait for the bank’s statement, or ask the bank.",
        ref=order.ref,
    )


def _nothing_yet(order: PaymentOrder) -> None:
    """Do nothing: the bank has the payment and has not decided on it."""


def _is_duplicate(reasons: tuple[Reason, ...]) -> bool:
    return tells_of_a_duplicate(reason.code for reason in reasons)


def _status_now(file: PaymentFile) -> FileStatus:
    refused = sum(order.status is OrderStatus.REJECTED for order in file.orders)
    if not refused:
        waiting = any(
            order.status is OrderStatus.RELEASED and order.accepted_at is None
            for order in file.orders
        )
        return FileStatus.SENT if waiting else FileStatus.ACCEPTED
    return FileStatus.REFUSED if refused == len(file.orders) else FileStatus.PARTLY_ACCEPTED


def _answered(file: PaymentFile, status: FileStatus, report: StatusReport) -> None:
    before = file.status
    file.answer = " ".join(
        filter(None, [report.group_status, *(reason.code for reason in report.reasons)])
    )
    with session.no_autoflush:
        file.status = status
        file.answered_at = clock.now()
    audit.record(
        "payment_file.answered",
        file,
        actor_id=None,
        from_status=before.value,
        to_status=file.status.value,
        facts={"sha256": file.sha256, "answer": file.answer},
    )
    session.flush()
