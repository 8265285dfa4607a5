"""Returns (pacs.004): payments that had settled and come back."""

from dataclasses import dataclass
from datetime import date

from portal.core.i18n import _
from portal.core.money import Money
from portal.payments.iso20022 import values
from portal.payments.iso20022.part import Part
from portal.payments.iso20022.values import Reason, Unreadable


@dataclass(frozen=True, slots=True)
class Return:
    """One payment that comes back: how much of it, on which day, and why."""

    end_to_end_id: str
    original_message_id: str
    amount: Money
    settled_on: date
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReturnMessage:
    """The returns that one message tells of."""

    message_id: str
    returns: tuple[Return, ...]


def read_returns(body: Part) -> ReturnMessage:
    """Return the returns of a message. Raises Unreadable for one that cannot be taken."""
    message_id = body.need("GrpHdr/MsgId")
    found = tuple(_return(body, each) for each in body.all("TxInf"))
    if not found:
        raise Unreadable(_("The message returns no payment: it holds nothing to read."))
    return ReturnMessage(message_id, found)


def _return(body: Part, part: Part) -> Return:
    amount = part.needed("RtrdIntrBkSttlmAmt").own_money()
    if not amount.minor:
        raise Unreadable(_("A return gives back an amount of zero."))
    settled = part.text("IntrBkSttlmDt") or body.need("GrpHdr/IntrBkSttlmDt")
    reason = part.first("RtrRsnInf")
    return Return(
        end_to_end_id=part.text("OrgnlEndToEndId"),
        original_message_id=part.text("OrgnlGrpInf/OrgnlMsgId")
        or body.text("OrgnlGrpInf/OrgnlMsgId"),
        amount=amount,
        settled_on=values.day(settled),
        reason=reason.reason() if reason is not None else Reason("", ""),
    )
