"""What each person has to do about gifts by card: refunds of two people, what came to nothing."""

from sqlalchemy import select
from sqlalchemy.orm import aliased, contains_eager

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models.cards import (
    CardGift,
    CardMovement,
    CardPayout,
    CardRefund,
    PayoutStatus,
    RefundStatus,
)
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo

STAFF = (*policy.WRITERS, *policy.KEEPERS)


def card_todos(person: Person) -> list[Todo]:
    """Return what waits for the person about gifts by card. Two SQL statements at most."""
    found = _refunds(person)
    return found + _payouts(person) if policy.records(person) else found


def _refunds(person: Person) -> list[Todo]:
    """Return the refunds that the person confirms, and those that failed and wait for anybody."""
    later = aliased(CardRefund)
    again = (
        select(later.id)
        .where(
            later.gift_id == CardRefund.gift_id,
            later.asked_at > CardRefund.asked_at,
            later.status != RefundStatus.WITHDRAWN,
        )
        .exists()
    )
    failed = (CardRefund.status == RefundStatus.FAILED) & CardRefund.closed_at.is_(None) & ~again
    rows = (
        select(CardRefund)
        .join(CardRefund.gift)
        .where(policy.scope(person, CardGift.fund_code, STAFF))
        .where((CardRefund.status == RefundStatus.PROPOSED) | failed)
        .options(contains_eager(CardRefund.gift))
        .order_by(CardRefund.asked_at)
    )
    tasks = []
    for each in session.scalars(rows):
        if each.status is RefundStatus.FAILED:
            title = _("A refund by card failed: %(reason)s", reason=each.remark)
        elif policy.can_confirm_refund(person, each):
            title = _("Confirm a refund by card")
        else:
            continue
        ref = each.gift.ref
        tasks.append(Todo(title, "giving.file", {"ref": ref}, note=ref, since=each.asked_at))
    return tasks


def _payouts(person: Person) -> list[Todo]:
    """Return the payouts that failed after arriving, until the bank has debited them."""
    mine = (
        select(CardMovement.id)
        .where(CardMovement.payout_id == CardPayout.id)
        .where(policy.scope(person, CardMovement.fund_code, policy.KEEPERS))
        .exists()
    )
    rows = select(CardPayout).where(CardPayout.status == PayoutStatus.RETURNING, mine)
    title = _("A payout of the card processor failed after arriving: the bank will debit it")
    return [
        Todo(title, "giving.payouts", note=each.payout_id, since=each.told_at)
        for each in session.scalars(rows.order_by(CardPayout.told_at))
    ]
