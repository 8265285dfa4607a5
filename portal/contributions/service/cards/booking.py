"""Booking what the card processor's account shows: one movement, one booking, once.

A gift in another currency than the processor keeps for us is exchanged by it on the spot: the
books exchange it inside card clearing, at what the processor gave. So card clearing holds only
what a payout will bring.
"""

from datetime import UTC, date, datetime

from sqlalchemy import select

from portal.contributions.models.cards import CardGift, CardMovement, MovementKind
from portal.core import stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind, TransactionKind
from portal.ledger.rules import DOLLAR, Line, NoRate
from portal.ledger.service.clearing import evened

CLEARING = AccountKind.CARD_CLEARING
CARD = "card:"
"""What stands before the processor's name of a movement where the books name it."""


def known(transaction_id: str) -> CardMovement | None:
    """Return the movement that is booked already. One SQL statement."""
    return session.scalar(select(CardMovement).where(CardMovement.transaction_id == transaction_id))


def movement(
    gift: CardGift | None,
    kind: MovementKind,
    object_id: str,
    line: stripe.Json,
    *,
    fund_code: str = "",
) -> CardMovement:
    """Store a line of the processor's account as a movement, whose bookings come next.

    Raises Refused where its figures do not sum, or no rate holds for its currency.
    """
    amount = stripe.from_stripe(line["amount"], line["currency"])
    fee = stripe.from_stripe(line["fee"], line["currency"])
    net = stripe.from_stripe(line["net"], line["currency"])
    if amount - fee != net:
        raise Refused(_("The figures of %(line)s do not sum up.", line=line["id"]))
    on = datetime.fromtimestamp(line["created"], UTC).date()
    moved = CardMovement(
        transaction_id=line["id"],
        object_id=object_id,
        gift=gift,
        fund_code=gift.fund_code if gift else fund_code,
        kind=kind,
        currency=amount.currency,
        amount=amount.minor,
        fee=fee.minor,
        amount_usd=in_dollars(amount, on).minor,
        fee_usd=in_dollars(fee, on).minor,
        moved_on=on,
    )
    session.add(moved)
    session.flush()
    return moved


def in_dollars(amount: Money, on: date) -> Money:
    """Return an amount of the processor's account in US$. Raises Refused where no rate holds."""
    try:
        rate = books.rate_on(amount.currency, on)
    except NoRate as missing:
        raise Refused(missing.sentence) from missing
    return usd(rate.in_usd(abs(amount)).minor * (-1 if amount.minor < 0 else 1))


def exchange(moved: CardMovement, own: Money, own_usd: int) -> None:
    """Book that the processor exchanged `own` (signed as it moved) into its account's currency.

    `own_usd` is what `own` was booked at. The difference is a gain or loss on exchange.
    """
    if own.currency == moved.currency:
        return
    ledger.post(
        TransactionKind.EXCHANGE_DIFFERENCE,
        f"{CARD}{moved.transaction_id}:exchanged",
        evened(
            [
                Line(moved.fund_code, CLEARING, -own, -own_usd),
                Line(
                    moved.fund_code,
                    CLEARING,
                    Money(moved.amount, moved.currency),
                    moved.amount_usd,
                ),
            ]
        ),
        on=moved.moved_on,
        by=None,
        subject_ref=subject(moved.gift),
    )


def charge(moved: CardMovement) -> None:
    """Book what the processor kept of a movement, or gave back of what it had kept."""
    keep(moved, moved.kept, moved.fee_usd)


def keep(moved: CardMovement, kept: Money, cents: int) -> None:
    """Book that the processor kept `kept`, `cents` in US cents, or gave it back: below zero."""
    if not kept:
        return
    ref = f"{CARD}{moved.transaction_id}:fee"
    if kept.minor > 0:
        ledger.charged(
            moved.fund_code,
            usd(cents),
            ref,
            moved.moved_on,
            by=None,
            out_of=CLEARING,
            local=None if moved.currency == DOLLAR else kept,
            subject_ref=subject(moved.gift),
        )
        return
    ledger.post(
        TransactionKind.CHARGED,
        ref,
        [
            Line(moved.fund_code, AccountKind.BANK_CHARGES, kept, cents),
            Line(moved.fund_code, CLEARING, -kept, -cents),
        ],
        on=moved.moved_on,
        by=None,
        subject_ref=subject(moved.gift),
    )


def subject(gift: CardGift | None) -> str | None:
    """Return the reference under which the money of a gift stands in the books."""
    return gift.contribution.ref if gift and gift.contribution else None
