"""Payment files: bytes before wire.

One transaction claims released orders, fixes the MsgId and keeps the bytes of the file; then they
are sent; another transaction writes the state and books the payments together. A process that ends
in between leaves a kept file, whose same bytes are sent again: the bank refuses a MsgId that it has
seen, so that nothing is paid twice. What is unknown stays unknown until the bank speaks.
"""

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.awards.models import Award, AwardStatus, Instalment
from portal.core import audit, clock, crypto, files
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import new_ref, sha256_hex
from portal.core.workflow import Refused
from portal.funds import countries
from portal.funds.models import Call
from portal.ledger.models import AccountKind
from portal.payments import payees, policy
from portal.payments.banking import perhaps_paid
from portal.payments.iso20022 import Party, Transfer
from portal.payments.models import (
    BankAccount,
    BankDetails,
    BankStatus,
    FileStatus,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
)
from portal.payments.rails import BANK
from portal.payments.service.bank import payee
from portal.payments.service.booking import book_advance
from portal.payments.service.unexplained import unexplained
from portal.payments.ways import paying_account

MOST_PER_FILE = 500
MEDIA_TYPE = "application/xml"


def gather() -> PaymentFile | None:
    """Put released orders that one account pays into a new file, and keep its bytes.

    Several at once never take the same order. Returns None where nothing waits, or only what a
    fund pays that has no account in use any more. The caller commits before anything is sent.
    """
    audit.take_turn()
    for fund_code, currency in session.execute(_payable()).all():
        account = paying_account(fund_code, currency)
        orders = [] if account is None else _safe(fund_code, currency)
        if account is not None and orders:
            return _filed(account, orders)
    return None


_CASE = (
    joinedload(PaymentOrder.instalment).joinedload(Instalment.award).joinedload(Award.application)
)
_UNFILED = (
    PaymentOrder.rail == BANK.name,
    PaymentOrder.status == OrderStatus.RELEASED,
    PaymentOrder.file_id.is_(None),
    PaymentOrder.bank_details.has(BankDetails.status == BankStatus.VERIFIED),
    Award.status == AwardStatus.ACTIVE,
)
"""What may leave: what was released waits while the account is doubted or the grant suspended."""


def _safe(fund_code: str, currency: str) -> list[PaymentOrder]:
    """Return what goes into one file: nothing that a debit of the bank may have paid already.

    Three SQL statements.
    """
    found = session.scalars(_released(fund_code, currency)).all()
    asked = [order.instalment_id for order in found]
    debited = unexplained(asked) | perhaps_paid(asked)
    return [order for order in found if order.instalment_id not in debited]


def _payable() -> Select[str, str]:
    """Return from which fund and in which currency something waits, the longest first."""
    return (
        select(Call.fund_code, PaymentOrder.currency)
        .select_from(PaymentOrder)
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .join(Award.application)
        .join(Application.call)
        .where(*_UNFILED)
        .group_by(Call.fund_code, PaymentOrder.currency)
        .order_by(func.min(PaymentOrder.prepared_at), Call.fund_code, PaymentOrder.currency)
    )


def _released(fund_code: str, currency: str) -> Select[PaymentOrder]:
    """Return what goes into one file, locked; what another holds is passed over."""
    return (
        select(PaymentOrder)
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .join(Award.application)
        .join(Application.call)
        .where(*_UNFILED, Call.fund_code == fund_code, PaymentOrder.currency == currency)
        .options(joinedload(PaymentOrder.bank_details), _CASE)
        .order_by(PaymentOrder.prepared_at, PaymentOrder.id)
        .limit(MOST_PER_FILE)
        .with_for_update(of=PaymentOrder, skip_locked=True)
    )


def _filed(account: BankAccount, taken: Sequence[PaymentOrder]) -> PaymentFile:
    message_id, now = f"VFP-{new_ref()}", clock.now()
    content = BANK.prepare(
        {
            "message_id": message_id,
            "created_at": now,
            "execute_on": now.date(),
            "debtor": debtor(account),
            "transfers": [_transfer(order) for order in taken],
        }
    )
    key = crypto.new_key()
    sealed = crypto.seal(key, content.decode(), _place(message_id))
    file = PaymentFile(
        message_id=message_id,
        bank_account=account,
        sealing_key=key,
        content=files.keep_document(sealed, f"{message_id}.xml", None, media_type=MEDIA_TYPE),
        sha256=sha256_hex(content),
        execute_on=now.date(),
        made_at=now,
    )
    session.add(file)
    for order in taken:
        order.file = file
    session.flush()
    facts = {"message": message_id, "sha256": file.sha256, "orders": [each.ref for each in taken]}
    audit.record(
        "payment_file.kept", file, actor_id=None, to_status=FileStatus.KEPT.value, facts=facts
    )
    return file


def debtor(account: BankAccount) -> Party:
    """Return an account of a fund as payment files name it."""
    return Party(
        name=account.holder,
        account=payees.account_id(account.account),
        bic=account.bic,
        clearing_code="",
        bank_name=account.bank,
        country=countries.country(account.country).iso2,
        town=account.town,
    )


def _transfer(order: PaymentOrder) -> Transfer:
    instalment = order.instalment
    return Transfer(
        end_to_end_id=order.ref,
        instruction_id=order.ref,
        amount=order.money,
        creditor=payees.party(payee(order.bank_details)),
        remittance=f"Grant {instalment.award.ref} instalment {instalment.number}",
    )


def send_next() -> PaymentFile | None:
    """Put one kept file where the bank takes it, and book its payments as on their way.

    The file is locked meanwhile, so no two send it at once. Raises OSError where it cannot be
    written; returns None where nothing waits.
    """
    audit.take_turn()
    waiting = (
        select(PaymentFile)
        .where(PaymentFile.status == FileStatus.KEPT)
        .order_by(PaymentFile.made_at, PaymentFile.id)
        .limit(1)
        .with_for_update(of=PaymentFile, skip_locked=True)
    )
    file = session.scalar(waiting)
    if file is None:
        return None
    BANK.submit(file.message_id, content_of(file))
    mark_sent(file, by=None)
    return file


def send_again(file: PaymentFile, *, by: Person) -> None:
    """Put the same bytes once more where the bank takes them; it refuses what it has.

    Raises Refused for anybody but treasury, once the bank has answered, and where the folder
    cannot be written: then nothing left.
    """
    _refuse_others(file, by)
    if file.status not in {FileStatus.KEPT, FileStatus.SENT}:
        raise Refused(_("The bank has answered: nothing is sent again."))
    try:
        BANK.submit(file.message_id, content_of(file))
    except OSError as closed:
        raise Refused(
            _("The file could not be written into the bank's folder. Tell whoever runs the portal.")
        ) from closed
    mark_sent(file, by=by)
    audit.record("payment_file.sent_again", file, actor_id=by.id, facts={"sha256": file.sha256})


def read_file(file: PaymentFile, *, by: Person) -> bytes:
    """Return the file for treasury to take to the bank; it names accounts, so that is recorded.

    Raises Refused for others, and once its key was destroyed.
    """
    _refuse_others(file, by)
    content = content_of(file)
    audit.record("payment_file.read", file, actor_id=by.id, facts={"sha256": file.sha256})
    return content


def hand_over(file: PaymentFile, *, by: Person) -> None:
    """Record that treasury took the file to the bank. Twice is once. Raises Refused."""
    _refuse_others(file, by)
    mark_sent(file, by=by)


def mark_sent(file: PaymentFile, *, by: Person | None) -> None:
    """Say that the file left, and book its payments as on their way. Twice is once."""
    audit.take_turn()
    session.refresh(file, ["status", "version"], with_for_update=True)
    if file.status is not FileStatus.KEPT:
        return
    now = clock.now()
    with session.no_autoflush:  # the database wants status and moment at once
        file.status, file.sent_at = FileStatus.SENT, now
    for order in file.orders:
        book_advance(order, now.date(), through=AccountKind.PAYMENTS_IN_TRANSIT, by=by)
    audit.record(
        "payment_file.sent",
        file,
        actor_id=by.id if by else None,
        from_status=FileStatus.KEPT.value,
        to_status=FileStatus.SENT.value,
        facts={"sha256": file.sha256},
    )
    session.flush()


def content_of(file: PaymentFile) -> bytes:
    """Return the bytes that were kept. Raises Refused where they cannot be read, or changed."""
    sealed = files.read_stored(file.content)
    try:
        content = crypto.unseal(file.sealing_key, sealed, _place(file.message_id)).encode()
    except crypto.Unreadable as gone:
        raise Refused(_("This payment file can no longer be read.")) from gone
    if sha256_hex(content) != file.sha256:
        raise Refused(_("This payment file is not the one that was kept. Send nothing."))
    return content


def _refuse_others(file: PaymentFile, by: Person) -> None:
    if not policy.can_hand_over(by, file):
        raise Refused(_("Payment files are taken to the bank by treasury."))


def _place(message_id: str) -> str:
    return f"payment_file:{message_id}"
