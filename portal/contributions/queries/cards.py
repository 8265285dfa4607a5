"""Reads of giving by card: gifts, and the payout that a line of a statement brings in."""

import re
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models.cards import (
    CardGift,
    CardMovement,
    CardPayout,
    CardRefund,
    GiftStatus,
    PayoutStatus,
)
from portal.contributions.queries.lookup import names
from portal.core.db import session
from portal.core.money import Money

ITS_NAME = "STRIPE"
"""The word that the card processor's transfers carry."""


def gift_by_ref(ref: str) -> CardGift | None:
    """Return a gift by its reference. One SQL statement."""
    return session.scalar(select(CardGift).where(CardGift.ref == ref))


def gifts_visible_to(person: Person, status: GiftStatus | None = None) -> Select[CardGift]:
    """Return the gifts of the person's funds, newest first."""
    rows = (
        select(CardGift)
        .where(policy.scope(person, CardGift.fund_code))
        .options(joinedload(CardGift.contribution))
        .order_by(CardGift.begun_at.desc(), CardGift.id)
    )
    return rows if status is None else rows.where(CardGift.status == status)


def gift_in_full(ref: str) -> CardGift | None:
    """Return a gift with its refunds and movements. Four SQL statements at most."""
    return session.scalar(
        select(CardGift)
        .where(CardGift.ref == ref)
        .options(
            joinedload(CardGift.contribution),
            selectinload(CardGift.refunds),
            selectinload(CardGift.movements).joinedload(CardMovement.payout),
        )
    )


def payouts_visible_to(person: Person) -> Select[CardPayout]:
    """Return the payouts in which there is money of the person's funds, newest first.

    Also those that came to nothing: their movements belong to the payout that paid them over again.
    """
    mine = select(CardMovement.payout_id).where(policy.scope(person, CardMovement.fund_code))
    seen = select(CardPayout.id).where(CardPayout.id.in_(mine)).cte("seen", recursive=True)
    earlier = aliased(CardPayout)
    seen = seen.union(select(earlier.id).join(seen, earlier.again_by_id == seen.c.id))
    return (
        select(CardPayout)
        .where(CardPayout.id.in_(select(seen.c.id)))
        .options(joinedload(CardPayout.again_by))
        .order_by(CardPayout.paid_on.desc(), CardPayout.payout_id)
    )


def names_of(refunds: Iterable[CardRefund]) -> dict[UUID, str]:
    """Return the names of those who asked for refunds, and confirmed them. One SQL statement."""
    return names(who for each in refunds for who in (each.asked_by_id, each.confirmed_by_id))


def payout_named_in(fund_code: str, text: str, amount: Money) -> CardPayout | None:
    """Return the payout of the card processor that a line of a statement brings in, if it is one.

    A line names it by its identifier or by the number under which banks trace it. A line that
    only carries the processor's name is the payout of exactly that amount, where there is just
    one on its way. `fund_code` is the fund of the bank account; the payout may hold shares of
    other funds too. Two SQL statements.
    """
    del fund_code  # one account at the card processor serves all funds
    on_its_way = select(CardPayout).where(
        CardPayout.status == PayoutStatus.PAID,
        CardPayout.amount == amount.minor,
        CardPayout.currency == amount.currency,
    )
    plain = re.sub(r"[^A-Z0-9]", "", text.upper())
    fitting = list(session.scalars(on_its_way.options(selectinload(CardPayout.movements))))
    named = [
        each
        for each in fitting
        if each.payout_id.upper().replace("_", "") in plain
        or (len(each.trace) > len(ITS_NAME) and each.trace.upper() in plain)
    ]
    if named:
        return named[0] if len(named) == 1 else None
    return fitting[0] if ITS_NAME in plain and len(fitting) == 1 else None
