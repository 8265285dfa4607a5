"""What moved on a fund's account (camt.054): payments that left, payments that came back."""

from datetime import date
from functools import partial

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.workflow import Refused
from portal.payments.banking import account_named
from portal.payments.iso20022 import Entry, Notification, Transaction
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.service.answers import return_by_bank, settle_by_bank
from portal.payments.service.bank_messages.placing import (
    Act,
    Received,
    file_named,
    in_short,
    order_named,
    place,
    refuse_other_fund,
)
from portal.payments.service.orders import hold
from portal.payments.service.signatories import refuse_signatory


def take_notification(notice: Notification, found: Received, by: Person | None) -> None:
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
    refuse_other_fund(account, by)
    parts = [part for entry in notice.entries for part in entry.transactions]
    refuse_signatory([part.end_to_end_id for part in parts], by)
    found.funds.add(account.fund_code)
    for entry in notice.entries:
        for part in entry.transactions:
            act = _moved(entry, part)
            order = order_named(part.end_to_end_id)
            if act is None or order is None or order.file is None:
                continue
            if order.file.bank_account_id != account.id:
                found.left.append(_of_other_account(order))
                continue
            answered = file_named(part.message_id, entry.batch_id)
            before = len(found.left)
            place(found, order.ref, act, answered=answered)
            if not part.is_credit and len(found.left) > before:
                found.perhaps_paid.add(order.ref)


def _moved(entry: Entry, part: Transaction) -> Act | None:
    """Return what an entry says became of a payment; None where it may not be about one."""
    if not entry.is_booked:
        return None
    if not part.is_credit:
        return partial(_debited, debited=part.amount, on=entry.booked_on, reference=entry.reference)
    if not entry.is_return:
        return None
    return partial(
        return_by_bank,
        credited=part.amount,
        on=entry.booked_on,
        reference=entry.reference,
        reason=in_short((part.return_reason,) if part.return_reason else ()),
    )


def _debited(order: PaymentOrder, *, debited: Money, on: date, reference: str) -> str | None:
    """Settle a payment, or say why a person looks at its debit: given up, or debited before."""
    hold(order)
    session.refresh(order, ["agent_reference"])
    if order.status is OrderStatus.REJECTED:
        return _(
            "The bank tells of a debit of payment %(ref)s, which had been given up. Nothing is "
            "paid anew until its statement tells of it, or somebody says how it was seen to.",
            ref=order.ref,
        )
    if order.status in {OrderStatus.CONFIRMED, OrderStatus.RETURNED} and (
        debited != order.money or _is_another(order, reference)
    ):
        return _(
            "The bank tells of another debit of payment %(ref)s, of %(amount)s, under its "
            "reference “%(reference)s”. Ask the bank: one of them may have to come back.",
            ref=order.ref,
            amount=format_money(debited, str(locale())),
            reference=reference,
        )
    settle_by_bank(order, debited=debited, on=on, reference=reference)
    return None


def _is_another(order: PaymentOrder, reference: str) -> bool:
    """Say whether the bank's reference is another than that of the debit that was booked.

    An order that was settled without one carries its own (`settle_by_bank`).
    """
    return bool(reference) and order.agent_reference not in {None, order.ref, reference}


def _of_other_account(order: PaymentOrder) -> str:
    return _(
        "Payment %(ref)s was made from another account than this file tells of.", ref=order.ref
    )
