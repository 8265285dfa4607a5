"""What somebody has to do about gifts by card: refunds, disputes, and what came to nothing."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models import Contribution, ContributionDispute, DisputeStatus
from portal.contributions.models.cards import (
    CardGift,
    CardMovement,
    CardPayout,
    CardRefund,
    PayoutStatus,
    RefundStatus,
)
from portal.contributions.words import why_failed
from portal.core.i18n import _
from portal.core.todo import Todo

STAFF = (*policy.WRITERS, *policy.KEEPERS)


def open_refunds(person: Person) -> Select[Any]:
    """Return the ids of refunds that wait for a second person, or failed and wait for anybody.

    One that failed waits until somebody has seen to it, or asked for the money again.
    """
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
    return (
        select(CardRefund.id)
        .join(CardRefund.gift)
        .where(policy.scope(person, CardGift.fund_code, STAFF))
        .where((CardRefund.status == RefundStatus.PROPOSED) | failed)
    )


def payouts_to_come_back(person: Person) -> Select[Any]:
    """Return the ids of payouts that failed after arriving, until the bank has debited them."""
    mine = (
        select(CardMovement.id)
        .where(CardMovement.payout_id == CardPayout.id)
        .where(policy.scope(person, CardMovement.fund_code, policy.KEEPERS))
        .exists()
    )
    return select(CardPayout.id).where(CardPayout.status == PayoutStatus.RETURNING, mine)


def open_disputes(person: Person) -> Select[Any]:
    """Return the ids of disputes that finance answers at the card processor."""
    return (
        select(ContributionDispute.id)
        .join(ContributionDispute.contribution)
        .where(policy.scope(person, Contribution.fund_code, policy.KEEPERS))
        .where(ContributionDispute.status == DisputeStatus.OPEN)
    )


def refund_todo(person: Person, refund: CardRefund) -> Todo | None:
    """Return what the person does about an open refund; None where somebody else does."""
    if refund.status is RefundStatus.FAILED:
        title = _("A refund by card failed: %(reason)s", reason=why_failed(refund.remark))
    elif policy.can_confirm_refund(person, refund):
        title = _("Confirm a refund by card")
    else:
        return None
    ref = refund.gift.ref
    return Todo(title, "giving.file", {"ref": ref}, note=ref, since=refund.asked_at)


def payout_todo(payout: CardPayout) -> Todo:
    """Return what is done about a payout that failed after arriving."""
    title = _("A payout of the card processor failed after arriving: the bank will debit it")
    return Todo(title, "giving.payouts", note=payout.payout_id, since=payout.told_at)


def dispute_todo(dispute: ContributionDispute, gift: CardGift) -> Todo:
    """Return what finance does about a dispute: answer it, for silence loses the money."""
    title = _("A donor’s bank disputes a gift: see at the card processor whether it is answered")
    if dispute.answer_by is not None:
        title = _("A donor’s bank disputes a gift: answer it at the card processor")
    return Todo(
        title,
        "giving.file",
        {"ref": gift.ref},
        due=dispute.answer_by,
        note=gift.ref,
        since=dispute.recorded_at,
    )
