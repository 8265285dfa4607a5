"""Attempts to pay an instalment that came to nothing, for whoever prepares or signs anew."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import lazyload

from portal.awards.models import Award, InstalmentStatus
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.reasons import in_words

ENDED = (OrderStatus.REJECTED, OrderStatus.RETURNED, OrderStatus.CANCELLED)
ENDINGS = (
    "payment_order.reject",
    "payment_order.return",
    "payment_order.cancel",
    "payment_order.voided",
)
"""The acts by which an attempt ends without the money having arrived."""


@dataclass(frozen=True)
class Attempt:
    """An attempt that ended: its order, when it ended, the day on which money came back, if any."""

    ref: str
    number: int
    status: OrderStatus
    ended_at: datetime | None
    returned_on: date | None
    remark: str

    @property
    def reason(self) -> str:
        """Why it ended, in plain words, a bank's code in brackets."""
        return in_words(self.remark) or _("The bank details under it no longer stood.")


Attempts = Mapping[UUID, Sequence[Attempt]]
"""Attempts that ended, the first of them first, by their instalment."""


def ended(instalments: Iterable[UUID]) -> Attempts:
    """Return the attempts at these instalments that came to nothing. One SQL statement."""
    rows = (
        select(PaymentOrder, ended_at())
        .where(PaymentOrder.instalment_id.in_(set(instalments)), PaymentOrder.status.in_(ENDED))
        .options(lazyload("*"))
        .order_by(PaymentOrder.attempt)
    )
    return told_of((order, at) for order, at in session.execute(rows))


def ended_at() -> ScalarSelect[datetime]:
    """Return when an order came to nothing, as a column: NULL where it did not."""
    return (
        select(func.max(AuditEvent.at))
        .where(AuditEvent.subject_id == PaymentOrder.id, AuditEvent.action.in_(ENDINGS))
        .scalar_subquery()
    )


def told_of(orders: Iterable[tuple[PaymentOrder, datetime | None]]) -> Attempts:
    """Return those of `orders`, each with its `ended_at`, that came to nothing. No statement."""
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for order, at in orders:
        if order.status in ENDED:
            day, why = order.returned_on, order.remark
            attempt = Attempt(order.ref, order.attempt, order.status, at, day, why)
            found[order.instalment_id].append(attempt)
    return found


def last_lost(award: Award, found: Attempts) -> Attempt | None:
    """Return the latest payment that did not reach the grantee and was not made anew, or None."""
    lost = [
        found[instalment.id][-1]
        for instalment in award.instalments
        if instalment.status is InstalmentStatus.PLANNED and found.get(instalment.id)
    ]
    told = [each for each in lost if each.status is not OrderStatus.CANCELLED]
    return told[-1] if told else None


def up_to(order: PaymentOrder) -> tuple[list[Attempt], Attempt | None]:
    """Return the attempts that came to nothing before this one, and this one where it did too.

    One SQL statement.
    """
    theirs = ended([order.instalment_id]).get(order.instalment_id, ())
    this = next((attempt for attempt in theirs if attempt.ref == order.ref), None)
    return [attempt for attempt in theirs if attempt.number < order.attempt], this
