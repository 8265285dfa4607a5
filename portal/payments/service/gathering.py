"""Putting released payments into a file: one transaction claims them and keeps the file's bytes."""

import logging
from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from portal.applications.models import Application
from portal.awards.models import Award, AwardStatus, Instalment
from portal.core import audit, clock, crypto, files
from portal.core.db import session
from portal.core.text import new_ref, sha256_hex
from portal.core.workflow import Refused
from portal.funds import countries
from portal.funds.models import Call
from portal.payments import payees
from portal.payments.holding import must_wait
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
from portal.payments.service.sending import MEDIA_TYPE, place_of
from portal.payments.ways import paying_account

MOST_PER_FILE = 500

log = logging.getLogger(__name__)


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
    """Return what goes into one file: nothing that must wait. Three SQL statements."""
    found = session.scalars(_released(fund_code, currency)).all()
    waiting = {order.id for order in must_wait(found)}
    return [order for order in found if order.id not in waiting and _has_a_payee(order)]


def _has_a_payee(order: PaymentOrder) -> bool:
    """Say whether the bank details can be read; one order without does not stop the others."""
    try:
        payee(order.bank_details)
    except Refused:
        log.exception("order %s enters no file", order.ref)
        return False
    return True


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
    sealed = crypto.seal(key, content.decode(), place_of(message_id))
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
