"""Payouts of the card processor: each is the sum of movements that are ours, and nothing else."""

from collections import Counter
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import select

from portal.contributions.models.cards import CardMovement, CardPayout, PayoutStatus
from portal.contributions.service.cards import booking
from portal.contributions.service.cards.looking import gift_of_charge, look_at
from portal.core import audit, stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import Line
from portal.ledger.service.clearing import evened, taken_off
from portal.ledger.service.suspense import refuse_unsuspended

PAYOUTS = "/v1/payouts"
ITSELF = frozenset({"payout", "payout_failure", "payout_cancel"})
"""Lines of a payout's list that are the payout."""


def look_at_payout(payout_id: str) -> CardPayout | None:
    """Record a payout that left the card processor, and of which movements it is made up.

    Returns None before it has left. Raises Refused where a line of it is nobody's here, or the
    lines do not sum up to it.
    """
    there = stripe.read(f"{PAYOUTS}/{payout_id}")
    known = session.scalar(
        select(CardPayout).where(CardPayout.payout_id == payout_id).with_for_update()
    )
    if there["status"] in {"failed", "canceled"}:
        return _failed(known)
    if there["status"] != "paid" or known is not None:
        return known
    money = stripe.from_stripe(there["amount"], there["currency"])
    movements = _movements(payout_id, money)
    payout = CardPayout(
        payout_id=payout_id,
        amount=money.minor,
        currency=money.currency,
        paid_on=datetime.fromtimestamp(there["arrival_date"], UTC).date(),
        trace=str((there.get("trace_id") or {}).get("value") or ""),
    )
    session.add(payout)
    for moved in movements:
        moved.payout = payout
    _record(payout, "paid", None)
    return payout


def _movements(payout_id: str, money: Money) -> list[CardMovement]:
    """Return the movements of a payout. Raises Refused where they are not exactly it."""
    found = []
    for line in stripe.listed("/v1/balance_transactions", payout=payout_id):
        if line["type"] in ITSELF:
            continue
        moved = booking.known(line["id"]) or _found(line)
        if moved is None:
            raise Refused(
                _(
                    "%(line)s (%(kind)s) is part of payout %(payout)s and of nothing that the "
                    "portal knows. Find out at the card processor what it is.",
                    line=line["id"],
                    kind=line["type"],
                    payout=payout_id,
                )
            )
        found.append(moved)
    total = sum(moved.amount - moved.fee for moved in found)
    if total != money.minor or any(moved.currency != money.currency for moved in found):
        raise Refused(_("The lines of payout %(payout)s do not sum up to it.", payout=payout_id))
    return found


def _found(line: stripe.Json) -> CardMovement | None:
    """Look at the gift behind a line of which nobody has told yet; None where there is none."""
    source = str(line["source"] or "")
    if not source.startswith("ch_"):
        return None
    try:
        gift = gift_of_charge(source)
    except stripe.NotOurs:
        return None
    look_at(gift)
    return booking.known(line["id"])


def _failed(payout: CardPayout | None) -> CardPayout | None:
    if payout is None or payout.status is PayoutStatus.FAILED:
        return payout
    if payout.status is PayoutStatus.ARRIVED:
        raise Refused(
            _("Payout %(payout)s failed after it had arrived at the bank.", payout=payout.payout_id)
        )
    payout.status = PayoutStatus.FAILED
    _record(payout, "failed", None)
    return payout


def shares(payout: CardPayout) -> dict[str, Money]:
    """Return what of a payout belongs to each fund, in its currency."""
    sums: Counter[str] = Counter()
    for moved in payout.movements:
        sums[moved.fund_code] += moved.amount - moved.fee
    return {code: Money(minor, payout.currency) for code, minor in sorted(sums.items())}


def payout_arrived(
    payout: CardPayout,
    fund_code: str,
    amount_usd: Money,
    on: date,
    *,
    ref: str,
    by: UUID | None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book that a payout arrived, by the line `ref` of a statement of the fund's bank account.

    Card clearing of every fund goes down by its share. What of it belongs to other funds lies in
    suspense on both sides until it is sent on to their accounts: owed here, expected there.
    `amount_usd` is what arrived in US$; `into` is suspense where the line lay there already.
    Raises Refused for a payout that arrived by another line.
    """
    session.refresh(payout, with_for_update={"of": CardPayout})
    if payout.arrival_ref not in {None, ref} or payout.status is PayoutStatus.FAILED:
        raise Refused(_("This payout has arrived by another line of a statement, or failed."))
    arrived = Line(fund_code, into, payout.money, amount_usd.minor)
    lines = _lines(payout, fund_code, arrived)

    def refuse_beyond() -> None:
        refuse_unsuspended(arrived)

    booked = ledger.post(TransactionKind.CARD_PAYOUT, ref, lines, on=on, by=by, guard=refuse_beyond)
    if payout.arrival_ref is None:
        payout.status, payout.arrived_on, payout.arrival_ref = PayoutStatus.ARRIVED, on, ref
        _record(payout, "arrived", by)
    return booked


def _lines(payout: CardPayout, fund_code: str, arrived: Line) -> list[Line]:
    """Return the lines of an arrival, even in each fund."""
    parts = shares(payout)
    here = [arrived]
    lines: list[Line] = []
    for code, part in parts.items():
        if not part:
            continue
        worth = booking.in_dollars(part, payout.paid_on).minor
        cleared = taken_off(code, AccountKind.CARD_CLEARING, part, worth)
        if code == fund_code:
            here.append(cleared)
            continue
        lines += [Line(code, AccountKind.SUSPENSE, part, -cleared.usd), cleared]
        here.append(Line(fund_code, AccountKind.SUSPENSE, -part, cleared.usd))
    return [*evened(here), *lines]


def _record(payout: CardPayout, act: str, by: UUID | None) -> None:
    audit.record(
        f"card_payout.{act}",
        payout,
        actor_id=by,
        to_status=payout.status.value,
        facts={
            "payout": payout.payout_id,
            "amount": payout.amount,
            "currency": payout.currency,
            "shares": {code: part.minor for code, part in shares(payout).items()},
        },
    )
