"""What comes from the bank, whichever way it came: by upload, by command or from its folder.

A file is taken in whole, once, and kept as it came, sealed. Answers that name none of our files
are refused; what they say of a payment that does not fit it is left for a person, with the reason.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.core import audit, clock, crypto, files
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.payments import iso20022, policy
from portal.payments.banking import account_named
from portal.payments.iso20022 import (
    Entry,
    Notification,
    PaymentStatus,
    Reason,
    ReturnMessage,
    StatusReport,
    Transaction,
)
from portal.payments.models import (
    BankAccount,
    BankMessage,
    FileStatus,
    MessageKind,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.reasons import coded, together
from portal.payments.service.answers import (
    accept_by_bank,
    reject_by_bank,
    return_by_bank,
    settle_by_bank,
)
from portal.payments.service.bringing import bring_statement, refuse_signatory
from portal.payments.service.sending import MEDIA_TYPE, mark_sent
from portal.payments.statements import service as statements

ACCEPTS = frozenset({"ACCP", "ACTC", "ACSP", "ACSC", "ACWC", "ACCC"})
"""Statuses by which a bank says that it will pay, or has paid (ISO 20022 external code set)."""

REFUSES = "RJCT"
ALREADY = "DUPL"
"""The reason of a bank that has seen this MsgId: it has the file."""

MOST_SENTENCES, MOST_WORDS = 100, 500
"""How many sentences are kept of what was left for a person, and how many characters of each."""

MOST_BYTES = 20 * 1024 * 1024
"""The largest answer that is read into memory; statements are read as they stream."""


@dataclass
class Received:
    """What became of a file: what kind it is, what it said, and what nobody could place.

    `again` is true for a file that was taken in before: nothing changed. `funds` are the codes of
    the funds whose payments it is about.
    """

    kind: MessageKind
    message_id: str
    told: int = 0
    left: list[str] = field(default_factory=list)
    again: bool = False
    imported: list[statements.Imported] = field(default_factory=list)
    funds: set[str] = field(default_factory=set)


def receive_file(stream: BinaryIO, *, by: Person | None) -> Received:
    """Take in a message of the bank: an answer, a notification, a statement, or returns.

    `stream` can be rewound; `by` is None where a command or the worker does it. Raises Refused
    with one sentence, and keeps nothing, for whatever cannot be read or is not about us, and for
    somebody who signed a payment that it tells of (`refuse_signatory`).
    """
    if by is not None and not policy.handles_bank(by):
        raise Refused(_("What the bank says is brought in by treasury or finance."))
    message = iso20022.read(stream)
    stream.seek(0)
    if isinstance(message, iso20022.Statement):
        imported = bring_statement(stream, by=by)
        return Received(
            MessageKind.STATEMENT,
            message.message_id,
            told=sum(each.lines for each in imported),
            again=all(each.again for each in imported),
            imported=imported,
        )
    return _answer(message, stream.read(MOST_BYTES + 1), by)


Act = Callable[[PaymentOrder], None]
Said = tuple[str, Act]
"""What the bank says of one payment: its EndToEndId, and what follows from it."""

Answer = StatusReport | Notification | ReturnMessage


def _answer(message: Answer, content: bytes, by: Person | None) -> Received:
    if len(content) > MOST_BYTES:
        raise Refused(_("This file is too large for an answer of the bank."))
    audit.take_turn()
    kind, take = _taking(message, by)
    found = Received(kind, message.message_id)
    known = select(BankMessage.id).where(BankMessage.sha256 == sha256_hex(content))
    if session.scalar(known) is not None:
        found.again = True
        return found
    take(found)
    _keep(found, content, by)
    return found


def _taking(message: Answer, by: Person | None) -> tuple[MessageKind, Callable[[Received], None]]:
    if isinstance(message, StatusReport):
        return MessageKind.STATUS_REPORT, lambda found: _take_report(message, found, by)
    if isinstance(message, Notification):
        return MessageKind.NOTIFICATION, lambda found: _take_notification(message, found, by)
    return MessageKind.RETURN, lambda found: _take_returns(message, found, by)


def _keep(found: Received, content: bytes, by: Person | None) -> None:
    digest, key = sha256_hex(content), crypto.new_key()
    sealed = crypto.seal(key, base64.b64encode(content).decode(), _place(digest))
    name = f"{found.kind.value}-{digest[:12]}.xml"
    message = BankMessage(
        kind=found.kind,
        message_id=found.message_id,
        sha256=digest,
        sealing_key=key,
        content=files.keep_document(sealed, name, by.id if by else None, media_type=MEDIA_TYPE),
        received_by_id=by.id if by else None,
        told=found.told,
        left=len(found.left),
        fund_code=next(iter(found.funds)) if len(found.funds) == 1 else None,
        sentences=[sentence[:MOST_WORDS] for sentence in found.left[:MOST_SENTENCES]],
    )
    session.add(message)
    session.flush()
    audit.record(
        "bank_message.received",
        message,
        actor_id=by.id if by else None,
        facts={"kind": found.kind.value, "sha256": digest, "told": found.told},
    )


def content_of_message(message: BankMessage) -> bytes:
    """Return a message of the bank as it came. Raises Refused where it cannot be read."""
    sealed = files.read_stored(message.content)
    try:
        return base64.b64decode(crypto.unseal(message.sealing_key, sealed, _place(message.sha256)))
    except crypto.Unreadable as gone:
        raise Refused(_("This message can no longer be read.")) from gone


def _place(digest: str) -> str:
    return f"bank_message:{digest}"


def _take_report(report: StatusReport, found: Received, by: Person | None) -> None:
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
    _refuse_other_fund(file.bank_account, by)
    refuse_signatory([order.ref for order in file.orders], by)
    found.funds.add(file.bank_account.fund_code)
    mark_sent(file, by=None)
    if report.group_status == REFUSES and _is_duplicate(report.reasons):
        if file.status is FileStatus.SENT:
            _answered(file, FileStatus.DUPLICATE, report)
        found.told = 1
        return
    for ref, act in _of_all(report, file) or map(_of_one, report.payments):
        _each(found, ref, act)
    _answered(file, _status_now(file), report)


def _of_all(report: StatusReport, file: PaymentFile) -> list[Said]:
    """Return what an answer to the whole file says of each of its payments."""
    if report.payments:
        return []
    if report.group_status == REFUSES:
        refused = partial(reject_by_bank, reason=_said(report.reasons))
        return [(order.ref, refused) for order in file.orders]
    if report.group_status in ACCEPTS:
        return [(order.ref, accept_by_bank) for order in file.orders]
    return []


def _of_one(payment: PaymentStatus) -> Said:
    if payment.status in ACCEPTS:
        return payment.end_to_end_id, accept_by_bank
    if payment.status == REFUSES:
        return payment.end_to_end_id, partial(reject_by_bank, reason=_said(payment.reasons))
    return payment.end_to_end_id, _nothing_yet


def _nothing_yet(order: PaymentOrder) -> None:
    """Do nothing: the bank has the payment and has not decided on it."""


def _is_duplicate(reasons: tuple[Reason, ...]) -> bool:
    return any(reason.code == ALREADY for reason in reasons)


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


def _take_notification(notice: Notification, found: Received, by: Person | None) -> None:
    """Take debits and returns of our payments (camt.054); all else waits for the statement.

    Raises Refused for an account that is none of ours, or not of a fund that `by` works for.
    """
    account = account_named(notice.account)
    if account is None:
        raise Refused(
            _(
                "No fund has the account ending with %(ends)s: nothing of this file is taken in.",
                ends=notice.account.value[-4:],
            )
        )
    _refuse_other_fund(account, by)
    parts = [part for entry in notice.entries for part in entry.transactions]
    refuse_signatory([part.end_to_end_id for part in parts], by)
    found.funds.add(account.fund_code)
    for entry in notice.entries:
        for part in entry.transactions:
            act = _moved(entry, part)
            order = _order(part.end_to_end_id)
            if act is None or order is None or order.file is None:
                continue
            if order.file.bank_account_id != account.id:
                found.left.append(_of_other_account(order))
                continue
            _each(found, part.end_to_end_id, act)


def _moved(entry: Entry, part: Transaction) -> Act | None:
    """Return what an entry says became of a payment; None where it may not be about one."""
    if not entry.is_booked:
        return None
    if not part.is_credit:
        return partial(
            settle_by_bank, debited=part.amount, on=entry.booked_on, reference=entry.reference
        )
    if not entry.is_return:
        return None
    return partial(
        return_by_bank,
        credited=part.amount,
        on=entry.booked_on,
        reference=entry.reference,
        reason=_said((part.return_reason,) if part.return_reason else ()),
    )


def _of_other_account(order: PaymentOrder) -> str:
    return _(
        "Payment %(ref)s was made from another account than this file tells of.", ref=order.ref
    )


def _refuse_other_fund(account: BankAccount, by: Person | None) -> None:
    """Raise Refused where a person brings in what the bank says of another fund."""
    if by is not None and not policy.can_bring(by, account):
        raise Refused(_("What the bank says is brought in by treasury or finance of the fund."))


def _take_returns(message: ReturnMessage, found: Received, by: Person | None) -> None:
    """Take payments that come back (pacs.004)."""
    refuse_signatory([each.end_to_end_id for each in message.returns], by)
    for each in message.returns:
        order = _order(each.end_to_end_id)
        if order is not None and order.file is not None:
            _refuse_other_fund(order.file.bank_account, by)
            found.funds.add(order.file.bank_account.fund_code)
        returned = partial(
            return_by_bank,
            credited=each.amount,
            on=each.settled_on,
            reference=message.message_id,
            reason=_said((each.reason,)),
        )
        _each(found, each.end_to_end_id, returned)


def _each(found: Received, ref: str, act: Act) -> None:
    """Do `act` with the order of this reference; what does not fit is left, with its reason."""
    order = _order(ref)
    if order is None:
        found.left.append(_("“%(ref)s” is no payment of the portal.", ref=ref))
        return
    try:
        with session.begin_nested():
            act(order)
    except Refused as refused:
        found.left.append(refused.sentence)
    else:
        found.told += 1


def _order(ref: str) -> PaymentOrder | None:
    rows = (
        select(PaymentOrder)
        .where(PaymentOrder.ref == ref, PaymentOrder.file_id.is_not(None))
        .options(joinedload(PaymentOrder.file))
    )
    return session.scalar(rows)


def _said(reasons: tuple[Reason, ...]) -> str:
    return together(coded(each.code, each.text) for each in reasons)
