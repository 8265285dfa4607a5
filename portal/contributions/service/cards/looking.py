"""Looking at a gift as the card processor has it, and bringing ours up to date.

Everything is read anew: the page on which it was paid, the charge, the refunds, the disputes. What
is booked already is recognised by the processor's own name of each movement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from portal.contributions.models import ContributionDispute, DisputeStatus
from portal.contributions.models.cards import CardGift, GiftStatus, MovementKind
from portal.contributions.service import returning
from portal.contributions.service.cards import booking
from portal.contributions.service.cards.giving import PAYABLE_FOR, SESSIONS
from portal.contributions.service.cards.refunding import Refunds, book_refunds, read_refunds
from portal.contributions.service.donors import giver
from portal.contributions.service.receiving import receive_card
from portal.core import audit, clock, jobs, stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.stripe.calls import MARK
from portal.core.workflow import Refused
from portal.ledger.service import open_book

EVERYTHING = "payment_intent.latest_charge.balance_transaction"
STALE_AFTER = timedelta(minutes=30)
"""How long after the last look an open gift is looked at again: a message may be lost."""
PAID = "paid"
LOST = "lost"
UNANSWERED = ("needs_response", "warning_needs_response")


def gift_of_charge(charge_id: str) -> CardGift:
    """Return the gift that a charge belongs to. Raises NotOurs."""
    gift = session.scalar(select(CardGift).where(CardGift.charge_id == charge_id))
    if gift is not None:
        return gift
    there = stripe.read(f"/v1/charges/{charge_id}")
    return gift_by_ref((there.get("metadata") or {}).get("gift"))


def gift_by_ref(ref: object) -> CardGift:
    """Return the gift that the processor names. Raises NotOurs."""
    gift = session.scalar(select(CardGift).where(CardGift.ref == ref)) if ref else None
    if gift is None:
        raise stripe.NotOurs(_("No gift of this portal is meant."))
    return gift


@dataclass(frozen=True)
class Seen:
    """A gift as the card processor has it; `stood` is where ours stood before it was read.

    `page` is the one on which it was paid, with the payment; None where there is nothing to read.
    `is_refused` says that the page was never made.
    """

    stood: object
    session_id: str | None = None
    page: stripe.Json | None = None
    is_refused: bool = False
    refunds: Refunds = field(default_factory=Refunds)
    disputes: Sequence[stripe.Json] = ()


def look_at(gift: CardGift) -> None:
    """Bring a gift up to date with the card processor; again changes nothing.

    Raises Refused where the processor says something else than what was asked of it, Later where
    it does not know everything yet, Unanswered, Declined.
    """
    session.refresh(gift)
    take_in(gift, see(gift))


def see(gift: CardGift) -> Seen:
    """Read a gift at the card processor, before anything is held: others would wait for it.

    Raises Unanswered, Declined.
    """
    stood = _stands(gift)
    if gift.status is GiftStatus.PAID:
        return _with_what_came_after(Seen(stood), gift.charge_id)
    session_id = gift.session_id
    if session_id is None and gift.call is not None:
        try:
            session_id = str(stripe.send(gift.call)["id"])
        except stripe.Declined:
            return Seen(stood, is_refused=True)
    if session_id is None:
        return Seen(stood)
    page = stripe.read(f"{SESSIONS}/{session_id}", expand=[EVERYTHING])
    charge = (page.get("payment_intent") or {}).get("latest_charge") or {}
    has_paid = page["payment_status"] == PAID
    return _with_what_came_after(Seen(stood, session_id, page), has_paid and charge.get("id"))


def _with_what_came_after(seen: Seen, charge_id: object) -> Seen:
    """Add the refunds and disputes of the charge, where there is one."""
    if not isinstance(charge_id, str):
        return seen
    disputes = list(stripe.listed("/v1/disputes", charge=charge_id))
    return replace(seen, refunds=read_refunds(charge_id), disputes=disputes)


def _stands(gift: CardGift) -> object:
    return gift.status, gift.session_id, gift.charge_id


def take_in(gift: CardGift, seen: Seen) -> None:
    """Book what was seen of a gift. Raises as `look_at`, and Later where it moved on meanwhile.

    Whoever books has their turn at the chain before the gift: so no two wait for each other.
    """
    audit.take_turn()
    session.refresh(gift, with_for_update={"of": CardGift})
    if _stands(gift) != seen.stood:
        raise stripe.Later(_("Somebody else looked at this gift at the same moment."))
    gift.looked_at = clock.now()
    if gift.status is not GiftStatus.PAID:
        _take_in_payment(gift, seen)
    if gift.charge_id is not None and gift.contribution is not None:
        book_refunds(gift, seen.refunds)
        _book_disputes(gift, seen.disputes)
    session.flush()


def _take_in_payment(gift: CardGift, seen: Seen) -> None:
    if seen.is_refused:
        _end(gift, GiftStatus.EXPIRED, "")
    gift.session_id = gift.session_id or seen.session_id
    there = seen.page
    if there is None:
        return
    _refuse_other(gift, there)
    intent = there.get("payment_intent") or {}
    if there["payment_status"] == PAID:
        _receive(gift, intent)
    elif there["status"] == "expired":
        _end(gift, GiftStatus.EXPIRED, "")
    elif there["status"] == "complete":
        failed = intent.get("status") in {"requires_payment_method", "canceled"}
        if failed:
            _end(gift, GiftStatus.FAILED, _code(intent))
        else:
            _move(gift, GiftStatus.PENDING)


def _refuse_other(gift: CardGift, there: stripe.Json) -> None:
    """Raise NotOurs for a page of another portal, Refused for another amount than was typed."""
    if gift.call is None or (there.get("metadata") or {}).get(MARK) != gift.call.key:
        raise stripe.NotOurs(_("It was made by another portal."))
    said = (there["client_reference_id"], there["amount_total"], there["currency"])
    if said != (gift.ref, stripe.to_stripe(gift.money), gift.currency.lower()):
        raise Refused(
            _(
                "The card processor names another amount or gift than %(gift)s. Nothing was "
                "booked: ask the card processor.",
                gift=gift.ref,
            )
        )


def _receive(gift: CardGift, intent: stripe.Json) -> None:
    """Book a paid gift: what was charged, what the processor kept of it."""
    charge = intent.get("latest_charge") or {}
    line = charge.get("balance_transaction")
    if not isinstance(line, dict):
        raise stripe.Later(_("The card processor has not booked this gift yet."))
    if stripe.from_stripe(charge["amount"], charge["currency"]) != gift.money:
        raise Refused(_("Another amount was charged than was typed. Nothing was booked."))
    open_book(gift.fund_code)
    moved = booking.movement(gift, MovementKind.CHARGE, charge["id"], line)
    contribution = receive_card(
        fund_code=gift.fund_code,
        amount=gift.money,
        amount_usd=usd(moved.amount_usd),
        on=moved.moved_on,
        source_ref=charge["id"],
        donor=giver(gift.name, gift.email, language=gift.language, unnamed=gift.unnamed),
    )
    with session.no_autoflush:
        gift.contribution = contribution
        gift.charge_id, gift.payment_intent_id = charge["id"], intent["id"]
        _end(gift, GiftStatus.PAID, "")
    booking.exchange(moved, gift.money, moved.amount_usd)
    booking.charge(moved)


def _book_disputes(gift: CardGift, disputes: Sequence[stripe.Json]) -> None:
    for there in disputes:
        for line in there["balance_transactions"]:
            if booking.known(line["id"]) is None:
                _book_dispute(gift, there, line)
        found = _dispute(there["id"])
        if found is None or found.status is not DisputeStatus.OPEN:
            continue
        if there["status"] == LOST:
            returning.dispute_lost(found, clock.today())
        else:
            found.answer_by = _answer_by(there)


def _answer_by(there: stripe.Json) -> datetime | None:
    """Return until when the processor takes an answer to a dispute; None once it has it."""
    until = (there.get("evidence_details") or {}).get("due_by")
    if until is None or there["status"] not in UNANSWERED:
        return None
    return datetime.fromtimestamp(until, UTC)


def _book_dispute(gift: CardGift, there: stripe.Json, line: stripe.Json) -> None:
    """Book that the processor took disputed money, or gave it back."""
    taken = line["amount"] < 0
    kind = MovementKind.DISPUTE if taken else MovementKind.DISPUTE_WON
    moved = booking.movement(gift, kind, there["id"], line)
    own = stripe.from_stripe(there["amount"], there["currency"])
    contribution = gift.contribution
    if contribution is None:
        raise stripe.Later(_("The gift of this dispute is not booked yet."))
    if taken:
        found = returning.dispute(contribution, own, moved.moved_on, source_ref=there["id"])
        booking.exchange(moved, -own, -found.amount_usd)
    else:
        open_one = _dispute(there["id"])
        if open_one is None:
            raise stripe.Later(_("The dispute is not booked yet."))
        returning.dispute_won(open_one, moved.moved_on)
        booking.exchange(moved, own, open_one.amount_usd)
    booking.charge(moved)


def _dispute(source_ref: str) -> ContributionDispute | None:
    return session.scalar(
        select(ContributionDispute).where(ContributionDispute.source_ref == source_ref)
    )


def _code(intent: Any) -> str:
    """Return why a payment failed, as the processor's code: never its words."""
    error = intent.get("last_payment_error") or {}
    return str(error.get("decline_code") or error.get("code") or intent.get("status") or "")


def _move(gift: CardGift, status: GiftStatus) -> None:
    before = gift.status
    if before is status:
        return
    gift.status = status
    audit.record(
        f"card_gift.{status.value}",
        gift,
        actor_id=None,
        from_status=before.value,
        to_status=status.value,
        facts={"gift": gift.ref, "fund": gift.fund_code, "charge": gift.charge_id},
    )


def _end(gift: CardGift, status: GiftStatus, reason: str) -> None:
    """End a gift; who wanted to give is forgotten here."""
    if gift.status is status:
        return
    with session.no_autoflush:
        gift.name, gift.email, gift.reason = "", "", reason
        gift.ended_at = clock.now()
        _move(gift, status)


def look_at_stale() -> object:
    """Look at one open gift that was not looked at for long; ask to be called for the next."""
    if not stripe.is_on():
        return None
    stale = (
        select(CardGift)
        .where(CardGift.status.in_([GiftStatus.BEGUN, GiftStatus.PENDING]))
        .where(CardGift.looked_at < clock.now() - STALE_AFTER)
        .where(CardGift.session_id.is_not(None) | (CardGift.begun_at < clock.now() - PAYABLE_FOR))
        .order_by(CardGift.looked_at)
        .limit(1)
    )
    gift = session.scalars(stale).one_or_none()
    if gift is None:
        return None
    try:
        with session.begin_nested():
            look_at(gift)
    except stripe.Unanswered:
        _looked_at(gift)
        return None
    except (Refused, stripe.Declined, stripe.Later, stripe.NotOurs):
        _looked_at(gift)
    return jobs.AGAIN


def _looked_at(gift: CardGift) -> None:
    """Let the next one be looked at first: what does not answer for one may for another."""
    gift.looked_at = clock.now()
    session.flush()
