"""What moved on a fund's account (camt.054): payments that left, payments that came back."""

from functools import partial

from portal.accounts.models import Person
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments.banking import account_named
from portal.payments.iso20022 import Entry, Notification, Transaction
from portal.payments.models import PaymentOrder
from portal.payments.service.answers import return_by_bank, settle_by_bank
from portal.payments.service.bringing import refuse_signatory
from portal.payments.service.placing import (
    Act,
    Received,
    file_named,
    in_short,
    order_named,
    place,
    refuse_other_fund,
)


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
            place(found, part.end_to_end_id, act, answered=answered)


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
        reason=in_short((part.return_reason,) if part.return_reason else ()),
    )


def _of_other_account(order: PaymentOrder) -> str:
    return _(
        "Payment %(ref)s was made from another account than this file tells of.", ref=order.ref
    )
