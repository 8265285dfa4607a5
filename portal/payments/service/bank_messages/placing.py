"""Placing what the bank says: which of our payments it is about, or a sentence for a person."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments import policy
from portal.payments.iso20022 import Reason
from portal.payments.models import BankAccount, MessageKind, PaymentFile, PaymentOrder
from portal.payments.reasons import coded, together
from portal.payments.service.booking import UNBOOKABLE
from portal.payments.statements import service as statements

log = logging.getLogger(__name__)


@dataclass
class Received:
    """What became of a file: what kind it is, what it said, and what nobody could place.

    `again` is true for a file that was taken in before: nothing changed. `funds` are the codes of
    the funds whose payments it is about, `perhaps_paid` the references of payments that the bank
    says it made, takes or has, against what the portal knew.
    """

    kind: MessageKind
    message_id: str
    told: int = 0
    left: list[str] = field(default_factory=list)
    again: bool = False
    imported: list[statements.Imported] = field(default_factory=list)
    funds: set[str] = field(default_factory=set)
    perhaps_paid: set[str] = field(default_factory=set)


Act = Callable[[PaymentOrder], str | None]
"""What follows for an order from what the bank says. Returns what is left for a person, or None."""

Said = tuple[str, Act]
"""What the bank says of one payment: its EndToEndId, and what follows from it."""


def refuse_other_fund(account: BankAccount, by: Person | None) -> None:
    """Raise Refused where a person brings in what the bank says of another fund."""
    if by is not None and not policy.can_bring(by, account):
        raise Refused(_("What the bank says is brought in by treasury or finance of the fund."))


def place(found: Received, ref: str, act: Act, *, answered: PaymentFile | None) -> str | None:
    """Do `act` with the order of this reference; what does not fit is left, with its reason.

    `answered` is the file that the message answers, where it says which: for a payment of another
    one nothing is done. Whose file it is decides who may bring the message in. Returns what `act`
    itself left for a person.
    """
    order = order_named(ref)
    if order is None:
        found.left.append(_("“%(ref)s” is no payment of the portal.", ref=ref))
        return None
    if answered is not None and order.file is not answered:
        found.left.append(
            _("Payment %(ref)s is not in the file that this message answers.", ref=ref)
        )
        return None
    try:
        with session.begin_nested():
            left = act(order)
    except UNBOOKABLE as refused:
        found.left.append(_why(ref, refused))
        return None
    found.told += 1
    if left:
        found.left.append(left)
    return left


def _why(ref: str, refused: Exception) -> str:
    """Return why nothing was done; what the books refuse goes to the log as well."""
    if isinstance(refused, Refused):
        return refused.sentence
    log.error("what the bank says of %s contradicts the books", ref, exc_info=refused)
    return _(
        "What the bank says of payment %(ref)s contradicts what is recorded already (%(error)s). "
        "Tell whoever runs the portal, whose log says more.",
        ref=ref,
        error=type(refused).__name__,
    )


def file_named(*message_ids: str) -> PaymentFile | None:
    """Return the file of ours that one of the bank's references names, or None. One statement.

    Banks also name messages of their own there: these say nothing.
    """
    named = [each for each in message_ids if each]
    if not named:
        return None
    return session.scalar(select(PaymentFile).where(PaymentFile.message_id.in_(named)).limit(1))


def order_named(ref: str) -> PaymentOrder | None:
    """Return the order of this EndToEndId that left in a file of ours, or None. One statement."""
    rows = (
        select(PaymentOrder)
        .where(PaymentOrder.ref == ref, PaymentOrder.file_id.is_not(None))
        .options(joinedload(PaymentOrder.file))
    )
    return session.scalar(rows)


def in_short(reasons: tuple[Reason, ...]) -> str:
    """Return the bank's reasons as they are kept: each code, and what it wrote beside it."""
    return together(coded(each.code, each.text) for each in reasons)
