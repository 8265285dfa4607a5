"""Reads of giving by card: gifts, and the payout that a line of a statement brings in."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models import Contribution, ContributionStatus
from portal.contributions.models.cards import (
    CardGift,
    CardMovement,
    CardPayout,
    CardRefund,
    Standing,
)
from portal.contributions.queries.lookup import names
from portal.core.db import session


def gift_by_ref(ref: str) -> CardGift | None:
    """Return a gift by its reference. One SQL statement."""
    return session.scalar(select(CardGift).where(CardGift.ref == ref))


def gift_of(contribution: Contribution) -> CardGift | None:
    """Return the gift that a contribution by card came by. One SQL statement."""
    return session.scalar(select(CardGift).where(CardGift.contribution_id == contribution.id))


def gifts_visible_to(person: Person, standing: Standing | None = None) -> Select[CardGift]:
    """Return the gifts of the person's funds that stand somewhere, newest first."""
    rows = (
        select(CardGift)
        .where(policy.scope(person, CardGift.fund_code))
        .options(joinedload(CardGift.contribution))
        .order_by(CardGift.begun_at.desc(), CardGift.id)
    )
    if isinstance(standing, ContributionStatus):
        return rows.where(CardGift.contribution.has(Contribution.status == standing))
    return rows if standing is None else rows.where(CardGift.status == standing)


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
