"""What must always be true of payment files, of what the bank answered, and of its accounts."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from lxml import etree
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import joinedload, selectinload

from portal.awards.models import Instalment
from portal.core import clock
from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.formats import format_day
from portal.core.i18n import _
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.payments.banking import is_under_way
from portal.payments.holding import held_back_at_all
from portal.payments.models import (
    BankMessage,
    FileStatus,
    OrderStatus,
    PaymentApproval,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.rails import BANK
from portal.payments.rules import SILENT_AFTER
from portal.payments.service.bank_messages import content_of_message
from portal.payments.service.sending import content_of

FILED_AFTER = timedelta(days=1)
"""How long a released payment may wait for its file: the worker writes one within minutes."""

LEFT_AFTER = timedelta(days=1)
"""How long a file may be leaving: by itself it takes minutes, by treasury's hand a day's work."""

BATCH = 50

UNRELEASED = """
SELECT o.ref FROM payment_order o WHERE o.file_id IS NOT NULL AND (
    o.status NOT IN ('released', 'confirmed', 'rejected', 'returned')
    OR (SELECT count(DISTINCT p.person_id) FROM payment_approval p
        WHERE p.order_id = o.id AND p.digest = o.digest) <> 3 + o.second_approval::int
    OR NOT EXISTS (SELECT FROM payment_approval p
        WHERE p.order_id = o.id AND p.step = 'release' AND p.digest = o.digest))
ORDER BY o.ref
"""
"""Orders in a file without every signature over what they say."""

BY_HAND = """
SELECT ref FROM payment_order WHERE rail = 'bank' AND confirmed_at IS NOT NULL
AND (confirmed_by_id IS NOT NULL OR file_id IS NULL)
ORDER BY ref
"""
"""Payments by the bank that somebody says were made, or that were in no file."""

IN_TRANSIT = r"""
WITH of_order AS (
    SELECT o.ref, o.status, o.currency, o.amount, t.id FROM payment_order o
    JOIN payment_file f ON f.id = o.file_id AND f.status <> 'kept'
    LEFT JOIN ledger_transaction t ON t.source_ref = o.ref OR t.source_ref LIKE o.ref || '\:%'
        OR t.reverses_id IN (SELECT id FROM ledger_transaction
            WHERE source_ref = o.ref OR source_ref LIKE o.ref || '\:%')
), moved AS (
    SELECT w.ref, w.status, w.amount,
        coalesce(sum(e.amount) FILTER (WHERE e.currency = w.currency), 0) AS way,
        coalesce(sum(abs(e.amount)), 0) AS ever
    FROM of_order w LEFT JOIN (ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        AND a.kind = 'payments_in_transit') ON e.transaction_id = w.id
    GROUP BY w.ref, w.status, w.amount
)
SELECT ref FROM moved WHERE ever = 0 AND status <> 'rejected'
OR way <> CASE WHEN status = 'released' THEN -amount ELSE 0 END ORDER BY ref
"""
"""Payments that left, and are not in transit until the bank has spoken, and then no longer.

One that was given up before anybody knew that its file had left never was.
"""

TOLD = """
SELECT id, message_id AS ref, 'payment_file.kept' AS act, NULL::uuid AS person_id, made_at AS at,
    'sha256' AS fact, sha256 AS value FROM payment_file
UNION ALL
SELECT id, message_id, 'payment_file.sent', NULL, sent_at, 'sha256', sha256
FROM payment_file WHERE sent_at IS NOT NULL
UNION ALL
SELECT id, message_id, 'payment_file.answered', NULL, answered_at, 'answer', answer
FROM payment_file WHERE answered_at IS NOT NULL
UNION ALL
SELECT id, message_id, 'bank_message.received', received_by_id, received_at, 'sha256', sha256
FROM bank_message
UNION ALL
SELECT id, message_id, 'bank_message.seen_to', seen_by_id, seen_at, NULL, NULL
FROM bank_message WHERE seen_at IS NOT NULL
UNION ALL
SELECT id, account, 'bank_account.proposed', proposed_by_id, proposed_at, 'fund', fund_code
FROM bank_account
UNION ALL
SELECT id, account, 'bank_account.confirm', confirmed_by_id, confirmed_at, NULL, NULL
FROM bank_account WHERE confirmed_at IS NOT NULL
UNION ALL
SELECT id, account, 'bank_account.close', NULL, closed_at, NULL, NULL
FROM bank_account WHERE closed_at IS NOT NULL
"""
"""What files, messages and accounts say of how they came to be, each with its moment."""

BY_ANYBODY = ("payment_file.sent", "bank_account.close")


def checks() -> list[Check]:
    """Return the invariants of payment files and of what came from the bank."""
    return [
        Check(_("Every payment file opens, and pays exactly its orders"), _sound_files),
        Check(_("What the bank answered is kept as it came"), _sound_messages),
        Check(_("Every payment released for the bank is in a file within a day"), _filed),
        Check(_("Every payment file leaves in time, or is withdrawn"), _left),
        Check(
            _("Every order in a file was signed by all, and released"),
            _over(UNRELEASED, _("Order %(ref)s is in a file without all its signatures.")),
        ),
        Check(
            _("What the bank paid, nobody says by hand"),
            _over(BY_HAND, _("Order %(ref)s was confirmed by hand.")),
        ),
        Check(
            _("Payments by the bank are in transit until it speaks, and then no longer"),
            _over(IN_TRANSIT, _("Order %(ref)s is not in transit as its state says.")),
        ),
        Check(_("Files, messages and accounts are what the audit chain says"), _as_told),
    ]


def _sound_files() -> CheckResult:
    """Open every file that was kept, and read what it pays. Two statements for each batch."""
    count, wrong = 0, []
    rows = select(PaymentFile).options(
        joinedload(PaymentFile.sealing_key),
        joinedload(PaymentFile.content),
        joinedload(PaymentFile.bank_account),
        selectinload(PaymentFile.orders),
    )
    for file in session.scalars(rows.execution_options(yield_per=BATCH)):
        count += 1
        if file.sealing_key.destroyed_at is not None:
            continue
        try:
            paid = _paid_by(content_of(file))
        except (Refused, etree.XMLSyntaxError):
            wrong.append(_("File %(ref)s does not open as it was kept.", ref=file.message_id))
            continue
        own = Counter((order.ref, f"{order.money.amount:f}") for order in file.orders)
        if file.status is not FileStatus.WITHDRAWN and paid != own:
            wrong.append(_("File %(ref)s pays other orders than its own.", ref=file.message_id))
    return CheckResult(count, wrong)


def _paid_by(content: bytes) -> Counter[tuple[str, str]]:
    """Return what a payment file of ours pays: EndToEndIds with the amounts as written."""
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    return Counter(
        (transfer.findtext(".//{*}EndToEndId", ""), transfer.findtext(".//{*}InstdAmt", ""))
        for transfer in root.iter("{*}CdtTrfTxInf")
    )


def _sound_messages() -> CheckResult:
    """Open every message that was kept. One SQL statement for each batch."""
    count, wrong = 0, []
    rows = select(BankMessage).options(
        joinedload(BankMessage.sealing_key), joinedload(BankMessage.content)
    )
    for message in session.scalars(rows.execution_options(yield_per=BATCH)):
        count += 1
        if message.sealing_key.destroyed_at is not None:
            continue
        try:
            sound = sha256_hex(content_of_message(message)) == message.sha256
        except Refused:
            sound = False
        if not sound:
            ref = message.message_id
            wrong.append(_("The message %(ref)s of the bank is not what came.", ref=ref))
    return CheckResult(count, wrong)


def _filed() -> CheckResult:
    """Find what was released for the bank long ago, and stands in no file. Two SQL statements."""
    released = (
        select(func.max(PaymentApproval.at))
        .where(PaymentApproval.order_id == PaymentOrder.id)
        .scalar_subquery()
    )
    rows = (
        select(PaymentOrder)
        .where(
            PaymentOrder.rail == BANK.name,
            PaymentOrder.status == OrderStatus.RELEASED,
            PaymentOrder.file_id.is_(None),
            released < clock.now() - FILED_AFTER,
        )
        .options(
            joinedload(PaymentOrder.bank_details),
            joinedload(PaymentOrder.instalment).joinedload(Instalment.award),
        )
        .order_by(PaymentOrder.ref)
    )
    return CheckResult(_by_bank(), [_unfiled(order) for order in session.scalars(rows)])


def _unfiled(order: PaymentOrder) -> str:
    """Return that an order is in no file, and why where that is known."""
    found = _("Order %(ref)s was released, and is in no file.", ref=order.ref)
    held = held_back_at_all(order)
    return found if held is None else f"{found} {held.why} {held.advice}"


def _left() -> CheckResult:
    """Find files of which nobody says for too long that the bank has them. Two SQL statements.

    What was all given up meanwhile is waited for no more.

    Those that had not begun to leave have as long as a bank has for an answer: treasury may take
    them there by hand, and rests at the weekend.
    """
    now = clock.now()
    late = or_(PaymentFile.leaving_at < now - LEFT_AFTER, PaymentFile.made_at < now - SILENT_AFTER)
    rows = select(PaymentFile).where(PaymentFile.status == FileStatus.KEPT, late, is_under_way())
    found = session.scalars(rows.order_by(PaymentFile.made_at, PaymentFile.id))
    count = session.scalar(select(func.count()).select_from(PaymentFile))
    return CheckResult(count or 0, [_not_gone(file) for file in found])


def _not_gone(file: PaymentFile) -> str:
    if file.leaving_at is None:
        return _(
            "File %(ref)s was written on %(day)s, and has not left.",
            ref=file.message_id,
            day=format_day(file.made_at),
        )
    return _(
        "File %(ref)s began to leave on %(day)s, and nobody says that the bank has it: ask the "
        "bank.",
        ref=file.message_id,
        day=format_day(file.leaving_at),
    )


def _over(offending: str, sentence: str) -> Callable[[], CheckResult]:
    """Return the question whether `offending` finds an order; `sentence` names its `ref`."""

    def asked() -> CheckResult:
        found = session.scalars(text(offending))
        return CheckResult(_by_bank(), [sentence % {"ref": ref} for ref in found])

    return asked


def _by_bank() -> int:
    rows = select(func.count()).select_from(PaymentOrder).where(PaymentOrder.rail == BANK.name)
    return int(session.scalar(rows) or 0)


def _as_told() -> CheckResult:
    """Look for the event of each file, message and account. Two SQL statements."""
    count, denied = untold(TOLD, by_anybody=BY_ANYBODY)
    wrong = [
        _("%(ref)s: the chain names somebody else, or another time, for %(act)s.", ref=ref, act=act)
        for ref, act in denied
    ]
    return CheckResult(count, wrong)
