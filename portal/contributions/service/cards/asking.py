"""Refunds by card as people ask for them: two of them, before anything leaves."""

from uuid import uuid4

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models.cards import (
    CardGift,
    CardRefund,
    GiftStatus,
    RefundAction,
    RefundStatus,
)
from portal.contributions.workflow import REFUND_WORKFLOW
from portal.core import audit, clock, stripe
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.text import normalise
from portal.core.workflow import Refused

REFUNDS = "/v1/refunds"
MOST_WORDS = 1000
UNDER_WAY = (RefundStatus.PROPOSED, RefundStatus.ASKED)


def refundable(gift: CardGift) -> Money:
    """Return what of a gift can still be asked for.

    That is what was not refunded, is not asked for already, nor in dispute.
    """
    return _left(gift, UNDER_WAY)


def confirmable(refund: CardRefund) -> Money:
    """Return what of its gift can go back now, were this refund confirmed; maybe less than it."""
    return _left(refund.gift, (RefundStatus.ASKED,))


def _left(gift: CardGift, statuses: tuple[RefundStatus, ...]) -> Money:
    """Return what is kept of a gift, less the refunds at one of `statuses`; never below zero.

    A dispute may take what somebody has asked for before.
    """
    if gift.contribution is None:
        return Money.zero(gift.currency)
    taken = sum(each.amount for each in gift.refunds if each.status in statuses)
    return Money(max(gift.contribution.kept.minor - taken, 0), gift.currency)


def ask_refund(gift: CardGift, amount: Money, reason: str, *, by: Person) -> CardRefund:
    """Store a refund that somebody asks for; it waits for a second person.

    Raises Refused for who may not, without a reason, and above what is left of the gift.
    """
    if gift.contribution is None or not policy.can_ask_refund(by, gift.contribution):
        raise Refused(_("This gift cannot be refunded by you."))
    words = normalise(reason).strip()
    if not 0 < len(words) <= MOST_WORDS:
        raise Refused(_("Give the reason, in 1,000 characters at most."))
    _read_again(gift)
    if gift.status is not GiftStatus.PAID or amount.currency != gift.currency:
        raise Refused(_("A gift goes back in its own currency."))
    _refuse_above(amount, refundable(gift))
    refund = CardRefund(
        id=uuid4(),
        gift=gift,
        amount=amount.minor,
        reason=words,
        status=RefundStatus.PROPOSED,
        asked_by_id=by.id,
    )
    session.add(refund)
    session.flush()
    record(refund, "asked", by)
    return refund


def confirm_refund(refund: CardRefund, *, by: Person) -> None:
    """Confirm a refund as the second person, and store its call; commit, then the worker sends it.

    Raises Refused for whoever asked for it, for who may not, and where less is left by now.
    """
    gift = _read_again(refund.gift)
    REFUND_WORKFLOW.check(refund, RefundAction.CONFIRM, by)
    _refuse_above(refund.money, _left(gift, (RefundStatus.ASKED,)))
    with session.no_autoflush:
        refund.call = stripe.prepare(
            f"refund:{refund.id}",
            REFUNDS,
            {
                "charge": gift.charge_id,
                "amount": stripe.to_stripe(refund.money),
                "reason": "requested_by_customer",
                "metadata": {"gift": gift.ref, "refund": refund.ref},
            },
        )
        refund.confirmed_by_id, refund.confirmed_at = by.id, clock.now()
        REFUND_WORKFLOW.perform(refund, RefundAction.CONFIRM, by=by, facts=facts(refund))
    session.flush()


def close_refund(refund: CardRefund, action: RefundAction, *, by: Person) -> None:
    """Withdraw a refund before it is sent, or note that one that failed was seen to.

    Raises Refused for who may not, and where it is not at that point.
    """
    _read_again(refund.gift)
    REFUND_WORKFLOW.check(refund, action, by)
    if refund.closed_at is not None:
        raise Refused(_("Somebody has seen to this refund already."))
    with session.no_autoflush:
        refund.closed_by_id, refund.closed_at = by.id, clock.now()
        REFUND_WORKFLOW.perform(refund, action, by=by, facts=facts(refund))
    session.flush()


def _read_again(gift: CardGift) -> CardGift:
    """Read a gift, its refunds and what is left of it with the gift held."""
    audit.take_turn()
    session.refresh(gift, with_for_update={"of": CardGift})
    for refund in gift.refunds:
        session.refresh(refund)
    if gift.contribution is not None:
        session.refresh(gift.contribution)
    return gift


def _refuse_above(amount: Money, left: Money) -> None:
    if not 0 < amount.minor <= left.minor:
        raise Refused(
            _(
                "%(amount)s cannot go back: %(left)s is left of this gift.",
                amount=format_money(amount, str(locale())),
                left=format_money(left, str(locale())),
            )
        )


def facts(refund: CardRefund) -> dict[str, object]:
    """Return what the audit chain keeps of a refund."""
    return {
        "gift": refund.gift.ref,
        "refund": refund.refund_id,
        "amount": refund.amount,
        "currency": refund.gift.currency,
    }


def record(refund: CardRefund, act: str, by: Person | None) -> None:
    """Append what became of a refund to the audit chain."""
    audit.record(
        f"card_refund.{act}",
        refund,
        actor_id=by.id if by else None,
        to_status=refund.status.value,
        facts=facts(refund),
    )
