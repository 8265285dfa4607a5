"""Payment files: bytes before wire.

One transaction claims released orders, fixes the MsgId and keeps the bytes of the file
(`gathering`). A second one says that the file leaves, unless one of its payments must not be made
any more, or its account was taken out of use: then it is withdrawn, and the others enter another
one. It does so only once the bytes could be written where the bank takes them, since what leaves is
never withdrawn. Only then are they sent, by a third, which books the payments too. A process that
ends in between leaves a file that was leaving, whose same bytes are sent again: the bank refuses a
MsgId that it has seen, so that nothing is paid twice. What is unknown stays so until the bank
speaks.
"""

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Person
from portal.awards.models import Instalment
from portal.core import audit, clock, crypto, files
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.payments import banking, policy
from portal.payments.holding import stopped_in
from portal.payments.models import FileStatus, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.rails import BANK
from portal.payments.rails.bank import drop_folder
from portal.payments.service.booking import UNBOOKABLE, book_advance

MEDIA_TYPE = "application/xml"

UNANSWERED = frozenset({FileStatus.KEPT, FileStatus.SENT})
"""Files of which the bank has said nothing: their bytes may still be taken to it."""

log = logging.getLogger(__name__)


def begin_next() -> PaymentFile | None:
    """Say of one kept file that it leaves, or withdraw it where a payment of it must wait.

    One that cannot be read is passed over. Raises OSError where the folder cannot be written: the
    file stands still then. Returns None where no file is left that could leave. The caller commits
    before it is sent.
    """
    audit.take_turn()
    for file in session.scalars(_kept().where(PaymentFile.leaving_at.is_(None))).all():
        if withdraw_if_stopped(file):
            return file
        try:
            content = content_of(file)
        except Refused as refused:
            log.warning("payment file %s does not leave", file.message_id, exc_info=refused)
            continue
        BANK.prove(file.message_id, content)
        file.leaving_at = clock.now()
        session.flush()
        return file
    return None


def withdraw_next() -> PaymentFile | None:
    """Withdraw one kept file with a payment that must wait; None where there is none.

    Where treasury takes files to the bank by hand, they lie here for longer.
    """
    audit.take_turn()
    for file in session.scalars(_kept().where(PaymentFile.leaving_at.is_(None))):
        if withdraw_if_stopped(file):
            return file
    return None


def send_next() -> PaymentFile | None:
    """Put one leaving file where the bank takes it, and book its payments as on their way.

    The file is locked meanwhile, so no two send it at once. One that cannot be sent is passed
    over: it stays with what treasury is to send. Raises OSError where the folder cannot be
    written; returns None where nothing can be sent.
    """
    audit.take_turn()
    for file in session.scalars(_kept().where(PaymentFile.leaving_at.is_not(None))).all():
        try:
            with session.begin_nested():
                _refuse_stopped(file)
                content = content_of(file)
                mark_sent(file, by=None)
        except UNBOOKABLE as refused:
            log.warning("payment file %s is not sent", file.message_id, exc_info=refused)
            continue
        BANK.submit(file.message_id, content)
        return file
    return None


def _kept() -> Select[PaymentFile]:
    """Return files that have not left, the oldest first, locked; what another holds is left out."""
    return (
        _whole()
        .where(PaymentFile.status == FileStatus.KEPT)
        .order_by(PaymentFile.made_at, PaymentFile.id)
        .with_for_update(of=PaymentFile, skip_locked=True)
    )


def _whole() -> Select[PaymentFile]:
    """Return files with all that says whether their payments must wait, read anew."""
    orders = selectinload(PaymentFile.orders)
    return (
        select(PaymentFile)
        .options(
            joinedload(PaymentFile.bank_account),
            orders.joinedload(PaymentOrder.bank_details),
            orders.joinedload(PaymentOrder.instalment).joinedload(Instalment.award),
        )
        .execution_options(populate_existing=True)
    )


def _hold(file: PaymentFile) -> None:
    """Take the turn, lock the file and read it anew. Raises Refused once it was withdrawn."""
    session.flush()
    audit.take_turn()
    held = _whole().where(PaymentFile.id == file.id).with_for_update(of=PaymentFile)
    session.scalars(held).one()
    if file.status is FileStatus.WITHDRAWN:
        raise Refused(_("This file was withdrawn before it left: take the one that follows it."))


def withdraw_if_stopped(file: PaymentFile) -> bool:
    """Withdraw a file that has not left where it must not be sent; say whether it was withdrawn.

    That is so where a payment of it must wait, or its account was taken out of use. Its payments
    stand in no file then, with their signatures; those that may leave enter another. The caller
    holds the file.
    """
    orders, stopped = list(file.orders), sorted(why_not(file))
    if not stopped:
        return False
    file.status = FileStatus.WITHDRAWN
    session.flush()  # the database lets payments out of a withdrawn file only
    for order in orders:
        order.file = None
    audit.record(
        "payment_file.withdrawn",
        file,
        actor_id=None,
        from_status=FileStatus.KEPT.value,
        to_status=FileStatus.WITHDRAWN.value,
        facts={"orders": [order.ref for order in orders], "stopped": stopped},
    )
    session.flush()
    return True


def why_not(file: PaymentFile) -> dict[str, str]:
    """Return which payments the file must not make now, with the reason, by reference.

    Some must wait, others were settled or given up. Two SQL statements, as `stopped_in`.
    """
    ended = {
        order.ref: _("It is “%(status)s”.", status=order.status.label)
        for order in file.orders
        if order.status is not OrderStatus.RELEASED
    }
    return ended | stopped_in(file)


def _refuse_stopped(file: PaymentFile) -> None:
    """Raise Refused where a payment of the file must not be made, or was settled, or given up."""
    stopped = why_not(file)
    if stopped:
        raise Refused(_not_now(file, *min(stopped.items())), rule="R22")


def _not_now(file: PaymentFile, ref: str, why: str) -> str:
    """Return that a payment of the file must not be made, why, and what is done about it."""
    if file.leaving_at is None:
        return _(
            "Payment %(ref)s of this file must not be made now. %(why)s The file has not left: it "
            "is withdrawn within minutes, and the rest enters another one.",
            ref=ref,
            why=why,
        )
    return _(
        "Payment %(ref)s of this file must not be made now. %(why)s The file may be with the bank: "
        "unless the bank has paid already, tell it not to.",
        ref=ref,
        why=why,
    )


def send_again(file: PaymentFile, *, by: Person) -> None:
    """Put the same bytes once more where the bank takes them; it refuses what it has.

    Raises Refused for anybody but treasury, once the bank has answered, where a payment of it must
    not be made any more, and where the folder cannot be written: then nothing left.
    """
    _refuse_others(file, by)
    _hold(file)
    if file.status not in UNANSWERED:
        raise Refused(_("The bank has answered: nothing is sent again."))
    if file.leaving_at is None:
        raise Refused(_("This file has not begun to leave: it leaves by itself within minutes."))
    _refuse_stopped(file)
    content = content_of(file)
    mark_sent(file, by=by)
    try:
        BANK.submit(file.message_id, content)
    except OSError as closed:
        raise Refused(
            _("The file could not be written into the bank's folder. Tell whoever runs the portal.")
        ) from closed
    audit.record("payment_file.sent_again", file, actor_id=by.id, facts={"sha256": file.sha256})


def read_file(file: PaymentFile, *, by: Person) -> bytes:
    """Return the file for treasury to take to the bank; it names accounts, so that is recorded.

    From then on it may have left. Raises Refused for others; as long as the bank has not answered,
    where a payment of it must not be made; for a file that was withdrawn, and once its key was
    destroyed.
    """
    _refuse_others(file, by)
    _hold(file)
    content = content_of(file)
    if file.status in UNANSWERED:
        _refuse_stopped(file)
    if file.status is FileStatus.KEPT and file.leaving_at is None:
        file.leaving_at = clock.now()
    audit.record("payment_file.read", file, actor_id=by.id, facts={"sha256": file.sha256})
    return content


def hand_over(file: PaymentFile, *, by: Person, told_to_stop: Collection[str] = ()) -> None:
    """Record that treasury took the file to the bank. Twice is once.

    Raises Refused for others, for a file that was withdrawn, or is about to be, and for one that
    leaves by itself. Where payments of it must not be made, it is recorded only where `by` says
    that the bank had the file before, and was `told_to_stop` each of them, by reference.
    """
    _refuse_others(file, by)
    _hold(file)
    if file.status is not FileStatus.KEPT:
        return
    if not is_handed_over(file):
        raise Refused(
            _(
                "This file leaves by itself within minutes: nobody takes it to the bank. Where it "
                "has not left after an hour, its page says what to do."
            )
        )
    stopped = why_not(file)
    if file.leaving_at is None or not stopped.keys() <= set(told_to_stop):
        _refuse_stopped(file)
    mark_sent(file, by=by, told_to_stop=sorted(stopped))


def is_handed_over(file: PaymentFile) -> bool:
    """Say whether treasury records that the bank has a file.

    Where a folder sends files, the worker says so: it is recorded only of one that did not leave.
    """
    by_hand = drop_folder() is None or banking.file_is_overdue(file)
    return file.status is FileStatus.KEPT and by_hand


def mark_sent(file: PaymentFile, *, by: Person | None, told_to_stop: Sequence[str] = ()) -> None:
    """Say that the file left, and book its payments as on their way. Twice is once.

    `told_to_stop` names the payments that the bank was told not to make.
    """
    audit.take_turn()
    session.refresh(file, ["status", "leaving_at", "version"], with_for_update=True)
    if file.status is not FileStatus.KEPT:
        return
    now, told = clock.now(), list(told_to_stop)
    with session.no_autoflush:  # the database wants status and moments at once
        file.status, file.sent_at = FileStatus.SENT, now
        file.leaving_at = file.leaving_at or now
    for order in file.orders:
        if order.status is not OrderStatus.RELEASED:
            continue
        book_advance(order, now.date(), through=AccountKind.PAYMENTS_IN_TRANSIT, by=by)
    audit.record(
        "payment_file.sent",
        file,
        actor_id=by.id if by else None,
        from_status=FileStatus.KEPT.value,
        to_status=FileStatus.SENT.value,
        facts={"sha256": file.sha256} | ({"told_to_stop": told} if told else {}),
    )
    session.flush()


def content_of(file: PaymentFile) -> bytes:
    """Return the bytes that were kept. Raises Refused where they cannot be read, or changed."""
    sealed = files.read_stored(file.content)
    try:
        content = crypto.unseal(file.sealing_key, sealed, place_of(file.message_id)).encode()
    except crypto.Unreadable as gone:
        raise Refused(_("This payment file can no longer be read.")) from gone
    if sha256_hex(content) != file.sha256:
        raise Refused(_("This payment file is not the one that was kept. Send nothing."))
    return content


def _refuse_others(file: PaymentFile, by: Person) -> None:
    if not policy.can_hand_over(by, file):
        raise Refused(_("Payment files are taken to the bank by treasury."))


def place_of(message_id: str) -> str:
    """Return where the bytes of a file are sealed to: they open nowhere else."""
    return f"payment_file:{message_id}"
