"""What is done about each kind of message of the card processor: look at the thing itself."""

from sqlalchemy import select

from portal.contributions.models.cards import CardGift
from portal.contributions.service.cards.giving import SESSIONS
from portal.contributions.service.cards.looking import gift_by_ref, gift_of_charge, look_at
from portal.contributions.service.cards.payouts import look_at_payout
from portal.core import stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.stripe.models import StripeEvent


def register() -> None:
    """Have messages about gifts, refunds, disputes and payouts looked at."""
    stripe.handles("checkout.session", _session)
    stripe.handles("charge", _charge)
    stripe.handles("charge.dispute", _dispute)
    stripe.handles("charge.refund", _refund)
    stripe.handles("refund", _refund)
    stripe.handles("payout", _payout)


def _session(event: StripeEvent) -> None:
    gift = session.scalar(select(CardGift).where(CardGift.session_id == event.object_id))
    if gift is None:
        there = stripe.read(f"{SESSIONS}/{event.object_id}")
        gift = gift_by_ref(there.get("client_reference_id"))
        gift.session_id = gift.session_id or event.object_id
    if gift.session_id != event.object_id:
        raise stripe.NotOurs(_("The gift is paid on another page."))
    look_at(gift)


def _charge(event: StripeEvent) -> None:
    look_at(gift_of_charge(event.object_id))


def _dispute(event: StripeEvent) -> None:
    look_at(gift_of_charge(stripe.read(f"/v1/disputes/{event.object_id}")["charge"]))


def _refund(event: StripeEvent) -> None:
    look_at(gift_of_charge(stripe.read(f"/v1/refunds/{event.object_id}")["charge"]))


def _payout(event: StripeEvent) -> None:
    look_at_payout(event.object_id)


register()
