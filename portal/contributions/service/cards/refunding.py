"""Refunds of gifts by card: asked for by finance with a reason, or made at the processor."""

from uuid import uuid4

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models.cards import (
    CardGift,
    CardMovement,
    CardRefund,
    GiftStatus,
    MovementKind,
    RefundStatus,
)
from portal.contributions.service import returning
from portal.contributions.service.cards import booking
from portal.core import audit, jobs, stripe
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.stripe.calls import MARK
from portal.core.text import new_ref, normalise
from portal.core.workflow import Refused
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind, TransactionKind
from portal.ledger.rules import Line

REFUNDS = "/v1/refunds"
MOST_WORDS = 1000
NEVER = ("failed", "canceled")
ELSEWHERE = "made at the card processor's own pages"


def refundable(gift: CardGift) -> Money:
    """Return what of a gift can still be given back: not refunded, asked for, nor in dispute."""
    if gift.contribution is None:
        return Money.zero(gift.currency)
    asked = sum(each.amount for each in gift.refunds if each.status is RefundStatus.ASKED)
    return gift.contribution.kept - Money(asked, gift.currency)


def ask_refund(gift: CardGift, amount: Money, reason: str, *, by: Person) -> CardRefund:
    """Store a refund and its call; commit, then the worker sends it.

    Raises Refused for who may not, without a reason, and above what is left of the gift.
    """
    if gift.contribution is None or not policy.can_refund(by, gift.contribution):
        raise Refused(_("This gift cannot be refunded by you."))
    words = normalise(reason).strip()
    if not 0 < len(words) <= MOST_WORDS:
        raise Refused(_("Give the reason, in 1,000 characters at most."))
    session.refresh(gift, with_for_update={"of": CardGift})
    session.refresh(gift.contribution)
    if gift.status is not GiftStatus.PAID or amount.currency != gift.currency:
        raise Refused(_("A gift goes back in its own currency."))
    left = refundable(gift)
    if not 0 < amount.minor <= left.minor:
        raise Refused(
            _(
                "%(amount)s cannot go back: %(left)s is left of this gift.",
                amount=format_money(amount, str(locale())),
                left=format_money(left, str(locale())),
            )
        )
    refund_id, ref = uuid4(), new_ref()
    call = stripe.prepare(
        f"refund:{refund_id}",
        REFUNDS,
        {
            "charge": gift.charge_id,
            "amount": stripe.to_stripe(amount),
            "reason": "requested_by_customer",
            "metadata": {"gift": gift.ref, "refund": ref},
        },
    )
    refund = CardRefund(
        id=refund_id,
        ref=ref,
        gift=gift,
        amount=amount.minor,
        reason=words,
        asked_by_id=by.id,
        call=call,
    )
    session.add(refund)
    session.flush()
    _record(refund, "asked", by)
    return refund


def send_next_refund() -> object:
    """Send one refund that nobody answered yet, and ask to be called for the next."""
    if not stripe.is_on():
        return None
    waiting = (
        select(CardRefund)
        .join(CardRefund.gift)
        .where(CardRefund.status == RefundStatus.ASKED, CardRefund.refund_id.is_(None))
        .order_by(CardRefund.asked_at)
        .limit(1)
        .with_for_update(of=CardGift, skip_locked=True)
    )
    refund = session.scalars(waiting).one_or_none()
    if refund is None:
        return None
    return jobs.AGAIN if send_refund(refund) else None


def send_refund(refund: CardRefund) -> bool:
    """Send a refund, and book it; say whether the processor answered."""
    if refund.call is None:
        return True
    session.refresh(refund.gift, with_for_update={"of": CardGift})
    try:
        there = stripe.send(refund.call)
    except stripe.Unanswered:
        return False
    except stripe.Declined as no:
        _fail(refund, no.sentence)
        return True
    refund.refund_id = there["id"]
    session.flush()
    look_at_refunds(refund.gift)
    return True


def look_at_refunds(gift: CardGift) -> None:
    """Book what went back of a gift, whoever asked for it; again changes nothing."""
    for there in stripe.listed(REFUNDS, charge=gift.charge_id, expand=["data.balance_transaction"]):
        refund = _ours(gift, there)
        line = there.get("balance_transaction")
        if isinstance(line, dict) and booking.known(line["id"]) is None:
            _book(refund, there["id"], line)
        if there.get("status") in NEVER:
            _take_back(refund, there)


def _ours(gift: CardGift, there: stripe.Json) -> CardRefund:
    """Return our row of a refund, which is made where the processor's own pages were used."""
    known = session.scalar(select(CardRefund).where(CardRefund.refund_id == there["id"]))
    if known is not None:
        return known
    key = (there.get("metadata") or {}).get(MARK, "")
    for each in gift.refunds:
        if each.refund_id is None and each.call is not None and each.call.key == key:
            each.refund_id = there["id"]
            return each
    amount = stripe.from_stripe(there["amount"], there["currency"])
    refund = CardRefund(gift=gift, amount=amount.minor, reason=ELSEWHERE, refund_id=there["id"])
    session.add(refund)
    session.flush()
    _record(refund, "found", None)
    return refund


def _book(refund: CardRefund, refund_id: str, line: stripe.Json) -> None:
    gift = refund.gift
    moved = booking.movement(gift, MovementKind.REFUND, refund_id, line)
    if gift.contribution is None:
        raise stripe.Later(_("The gift of this refund is not booked yet."))
    by = session.get(Person, refund.asked_by_id) if refund.asked_by_id else None
    booked = returning.refund_card(
        gift.contribution,
        refund.money,
        moved.moved_on,
        source_ref=refund_id,
        reason=refund.reason,
        by=by,
    )
    booking.exchange(moved, -refund.money, -booked.amount_usd)
    booking.charge(moved)
    refund.status = RefundStatus.DONE
    _record(refund, "done", by)


def _take_back(refund: CardRefund, there: stripe.Json) -> None:
    """Note that a refund did not reach the donor.

    Money that had left comes back to card clearing and waits in suspense: it is still the
    donor's, and goes back in another way.
    """
    if refund.status is RefundStatus.FAILED:
        return
    line_id = there.get("failure_balance_transaction")
    if isinstance(line_id, str) and booking.known(line_id) is None:
        line = stripe.read(f"/v1/balance_transactions/{line_id}")
        moved = booking.movement(refund.gift, MovementKind.REFUND_FAILED, there["id"], line)
        _suspend(moved)
        booking.charge(moved)
    _fail(refund, str(there.get("failure_reason") or there["status"]))


def _suspend(moved: CardMovement) -> None:
    own, cents = Money(moved.amount, moved.currency), usd(moved.amount_usd).minor
    ledger.post(
        TransactionKind.SUSPENSE_RECEIVED,
        f"{booking.CARD}{moved.transaction_id}:back",
        [
            Line(moved.fund_code, AccountKind.CARD_CLEARING, own, cents),
            Line(moved.fund_code, AccountKind.SUSPENSE, -own, -cents),
        ],
        on=moved.moved_on,
        by=None,
        subject_ref=booking.subject(moved.gift),
    )


def _fail(refund: CardRefund, remark: str) -> None:
    refund.status, refund.remark = RefundStatus.FAILED, remark or "failed"
    _record(refund, "failed", None)


def _record(refund: CardRefund, act: str, by: Person | None) -> None:
    audit.record(
        f"card_refund.{act}",
        refund,
        actor_id=by.id if by else None,
        to_status=refund.status.value,
        facts={
            "gift": refund.gift.ref,
            "refund": refund.refund_id,
            "amount": refund.amount,
            "currency": refund.gift.currency,
        },
    )
