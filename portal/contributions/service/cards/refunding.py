"""Refunds of gifts by card as the card processor makes them: sent, booked, and those that fail."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions.models import ContributionRefund
from portal.contributions.models.cards import CardGift, CardRefund, MovementKind, RefundStatus
from portal.contributions.service import returning
from portal.contributions.service.cards import booking
from portal.contributions.service.cards.asking import REFUNDS, record
from portal.contributions.service.coming_back import refund_taken_back
from portal.core import audit, jobs, stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.stripe.calls import MARK
from portal.core.stripe.models import StripeCall

LINES = "/v1/balance_transactions"
NEVER = ("failed", "canceled")
ELSEWHERE = "made at the card processor's own pages"


@dataclass(frozen=True)
class Refunds:
    """The refunds of a charge as the processor has them, and what came back of those that failed.

    `returned` are the lines of its account, by their own names.
    """

    listed: Sequence[stripe.Json] = ()
    returned: Mapping[str, stripe.Json] = field(default_factory=dict)


def send_next_refund() -> object:
    """Send one refund that nobody answered yet, and ask to be called for the next."""
    if not stripe.is_on():
        return None
    waiting = (
        select(CardRefund)
        .join(CardRefund.call)
        .where(CardRefund.status == RefundStatus.ASKED, CardRefund.refund_id.is_(None))
        .order_by(CardRefund.asked_at)
        .limit(1)
        .with_for_update(of=StripeCall, skip_locked=True)
    )
    refund = session.scalars(waiting).one_or_none()
    if refund is None:
        return None
    return jobs.AGAIN if send_refund(refund) else None


def send_refund(refund: CardRefund) -> bool:
    """Send a refund, and book it; say whether the processor answered.

    What it says is read before anything is held, as everywhere in here: others would wait for it.
    """
    if refund.call is None:
        return True
    try:
        there = stripe.send(refund.call)
    except stripe.Unanswered:
        return False
    except stripe.Declined as no:
        _hold(refund)
        if refund.status is RefundStatus.ASKED:
            _fail(refund, no.sentence)
        return True
    found = Refunds()
    with suppress(stripe.Unanswered):  # then a message tells of it
        found = read_refunds(str(refund.gift.charge_id))
    _hold(refund)
    refund.refund_id = there["id"]
    session.flush()
    with suppress(stripe.Later), session.begin_nested():
        book_refunds(refund.gift, found)
    return True


def _hold(refund: CardRefund) -> None:
    """Hold the gift of a refund, and read the refund again."""
    audit.take_turn()
    session.refresh(refund.gift, with_for_update={"of": CardGift})
    session.refresh(refund)


def read_refunds(charge_id: str) -> Refunds:
    """Read what went back of a charge, or failed to. Raises Declined, Unanswered."""
    there = list(stripe.listed(REFUNDS, charge=charge_id, expand=["data.balance_transaction"]))
    lines = {each.get("failure_balance_transaction") for each in there if each["status"] in NEVER}
    new = [line for line in lines if isinstance(line, str) and booking.known(line) is None]
    return Refunds(there, {line: stripe.read(f"{LINES}/{line}") for line in new})


def book_refunds(gift: CardGift, found: Refunds) -> None:
    """Book what went back of a gift, or failed to, whoever asked for it; again changes nothing.

    The gift is held by the caller. Raises Later where the processor has not said all of it yet.
    """
    for there in _in_order(found.listed):
        refund = _ours(gift, there)
        line = there.get("balance_transaction")
        if isinstance(line, dict) and booking.known(line["id"]) is None:
            _book(refund, there["id"], line)
        if there.get("status") in NEVER:
            _take_back(refund, there, found)


def _in_order(listed: Iterable[stripe.Json]) -> list[stripe.Json]:
    """Return refunds, which the processor lists newest first, in the order of booking them.

    What failed of those that are booked is taken back first, then the oldest comes first: one that
    was made again has no other money than that of the one that failed.
    """
    oldest_first = [*listed][::-1]
    oldest_first.sort(key=itemgetter("created"))
    names = [each["id"] for each in oldest_first if each.get("status") in NEVER]
    rows = select(ContributionRefund.source_ref).where(ContributionRefund.source_ref.in_(names))
    freed = set(session.scalars(rows)) if names else set()
    return sorted(oldest_first, key=lambda each: each["id"] not in freed)


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
    record(refund, "found", None)
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
    record(refund, "done", by)


def _take_back(refund: CardRefund, there: stripe.Json, found: Refunds) -> None:
    """Take back a refund that did not reach the donor.

    Money that had left comes back to card clearing, and its booking is reversed: the gift can be
    given back once more, by a refund of its own.
    """
    if refund.status is RefundStatus.FAILED:
        return
    booked = session.scalar(
        select(ContributionRefund).where(ContributionRefund.source_ref == there["id"])
    )
    if booked is not None:
        line = found.returned.get(str(there.get("failure_balance_transaction")))
        _come_back(refund, booked, line)
    _fail(refund, str(there.get("failure_reason") or there["status"]))


def _come_back(refund: CardRefund, booked: ContributionRefund, line: stripe.Json | None) -> None:
    if line is None:
        raise stripe.Later(_("The card processor has not given back what this refund took yet."))
    moved = booking.movement(refund.gift, MovementKind.REFUND_FAILED, booked.source_ref, line)
    refund_taken_back(booked, moved.moved_on)
    booking.exchange(moved, refund.money, booked.amount_usd)
    booking.charge(moved)


def _fail(refund: CardRefund, remark: str) -> None:
    refund.status, refund.remark = RefundStatus.FAILED, remark or "failed"
    record(refund, "failed", None)
