"""Payments that come back (pacs.004)."""

from functools import partial

from portal.accounts.models import Person
from portal.payments.iso20022 import ReturnMessage
from portal.payments.service.answers import return_by_bank
from portal.payments.service.bank_messages.placing import (
    Received,
    file_named,
    in_short,
    order_named,
    place,
    refuse_other_fund,
)
from portal.payments.service.signatories import refuse_signatory


def take_returns(message: ReturnMessage, found: Received, by: Person | None) -> None:
    """Take payments that come back (pacs.004)."""
    refuse_signatory([each.end_to_end_id for each in message.returns], by)
    for each in message.returns:
        order = order_named(each.end_to_end_id)
        if order is not None and order.file is not None:
            refuse_other_fund(order.file.bank_account, by)
            found.funds.add(order.file.bank_account.fund_code)
        returned = partial(
            return_by_bank,
            credited=each.amount,
            on=each.settled_on,
            reference=message.message_id,
            reason=in_short((each.reason,)),
        )
        answered = file_named(each.original_message_id)
        place(found, each.end_to_end_id, returned, answered=answered)
