"""Payouts of the card processor: each is the sum of movements that are ours, and nothing else."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import select

from portal.contributions.models.cards import (
    CAME_TO_NOTHING,
    CardGift,
    CardMovement,
    CardPayout,
    PayoutStatus,
)
from portal.contributions.service.cards import booking
from portal.contributions.service.cards.fees import book_fee, is_fee
from portal.contributions.service.cards.looking import Seen, gift_of_charge, see, take_in
from portal.core import audit, stripe
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import Line, PostingConflict, mirrored
from portal.ledger.service.clearing import evened, taken_off
from portal.ledger.service.suspense import refuse_unsuspended

PAYOUTS = "/v1/payouts"
ITSELF = frozenset({"payout", "payout_failure", "payout_cancel"})
"""Lines of a payout's list that are the payout, or an earlier one that came to nothing."""


def look_at_payout(payout_id: str) -> CardPayout | None:
    """Record a payout that left the card processor, and of which movements it is made up.

    Returns None before it has left. Raises Refused where a line of it is nobody's here, or the
    lines do not sum up to it; Later where it pays over what the bank has still to debit.
    """
    there = stripe.read(f"{PAYOUTS}/{payout_id}")
    of_it = select(CardPayout).where(CardPayout.payout_id == payout_id)
    known = session.scalar(of_it)
    lines = _lines_of(payout_id) if there["status"] == "paid" and known is None else []
    gifts = _untold_gifts(lines)
    audit.take_turn()
    known = session.scalar(of_it.with_for_update().execution_options(populate_existing=True))
    if there["status"] in {"failed", "canceled"}:
        return _failed(known)
    if there["status"] != "paid" or known is not None:
        return known
    for gift, seen in gifts:
        take_in(gift, seen)
    money = stripe.from_stripe(there["amount"], there["currency"])
    movements = _movements(payout_id, money, lines)
    payout = CardPayout(
        payout_id=payout_id,
        amount=money.minor,
        currency=money.currency,
        paid_on=datetime.fromtimestamp(there["arrival_date"], UTC).date(),
        trace=str((there.get("trace_id") or {}).get("value") or ""),
    )
    session.add(payout)
    for moved in movements:
        if moved.payout is not None:
            moved.payout.again_by = payout
        moved.payout = payout
    _record(payout, None)
    return payout


def _lines_of(payout_id: str) -> list[stripe.Json]:
    """Read the lines that a payout is made up of."""
    return list(stripe.listed("/v1/balance_transactions", payout=payout_id))


def _untold_gifts(lines: Iterable[stripe.Json]) -> list[tuple[CardGift, Seen]]:
    """Read the gifts behind lines of which nobody has told yet, before anything is held."""
    found: dict[UUID, tuple[CardGift, Seen]] = {}
    for line in lines:
        source = str(line["source"] or "")
        if not source.startswith("ch_") or booking.known(line["id"]) is not None:
            continue
        with suppress(stripe.NotOurs):
            gift = gift_of_charge(source)
            found[gift.id] = (gift, see(gift))
    return list(found.values())


def _movements(payout_id: str, money: Money, lines: list[stripe.Json]) -> list[CardMovement]:
    """Return the movements of a payout. Raises Refused where they are not exactly it."""
    found: dict[UUID, CardMovement] = {}
    fees: list[stripe.Json] = []
    for line in lines:
        if line["type"] in ITSELF and line["source"] == payout_id:
            continue
        moved = _moved(line)
        if not moved and not is_fee(line):
            raise Refused(
                _(
                    "%(line)s (%(kind)s) is part of payout %(payout)s and of nothing that the "
                    "portal knows. Find out at the card processor what it is.",
                    line=line["id"],
                    kind=line["type"],
                    payout=payout_id,
                )
            )
        if not moved:
            fees.append(line)
        found |= {each.id: each for each in moved}
    funds = {each.fund_code for each in found.values()}
    movements = [*found.values(), *(book_fee(line, funds) for line in fees)]
    total = sum(moved.amount - moved.fee for moved in movements)
    if total != money.minor or any(moved.currency != money.currency for moved in movements):
        raise Refused(_("The lines of payout %(payout)s do not sum up to it.", payout=payout_id))
    return movements


def _moved(line: stripe.Json) -> list[CardMovement]:
    """Return the movements that a line of a payout is; none where there is nothing of ours."""
    if line["type"] in ITSELF:
        return _of_earlier(str(line["source"] or ""))
    known = booking.known(line["id"])
    return [known] if known else []


def _of_earlier(payout_id: str) -> list[CardMovement]:
    """Return what an earlier payout was made up of, whose money came back to the processor.

    One that failed before anybody here heard of it is read at the processor. It is held, so that
    its arrival is not booked meanwhile.
    """
    earlier = session.scalar(
        select(CardPayout).where(CardPayout.payout_id == payout_id).with_for_update()
    )
    if earlier is None:
        there = stripe.read(f"{PAYOUTS}/{payout_id}")
        lines = _lines_of(payout_id)
        for gift, seen in _untold_gifts(lines):
            take_in(gift, seen)
        money = stripe.from_stripe(there["amount"], there["currency"])
        return _movements(payout_id, money, lines)
    if earlier.status not in CAME_TO_NOTHING:
        raise stripe.Later(
            _(
                "It pays over once more what payout %(payout)s brought, which the bank has still "
                "to debit. Take in the bank’s statement, and say which line that is.",
                payout=payout_id,
            )
        )
    return list(earlier.movements)


def _failed(payout: CardPayout | None) -> CardPayout | None:
    """Note that a payout failed; one that had arrived waits for the bank to debit it."""
    if payout is None or payout.status in {*CAME_TO_NOTHING, PayoutStatus.RETURNING}:
        return payout
    has_arrived = payout.status is PayoutStatus.ARRIVED
    payout.status = PayoutStatus.RETURNING if has_arrived else PayoutStatus.FAILED
    _record(payout, None)
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
    One of which the processor has said by then that it failed arrived all the same: the bank will
    debit it. Raises Refused for a payout that arrived by another line, and for one that failed and
    whose money a later payout has paid over.
    """
    session.refresh(payout, with_for_update={"of": CardPayout})
    _refuse_arrival(payout, ref)
    if payout.arrival_ref is not None:
        return _booked(payout.arrival_ref)
    arrived = Line(fund_code, into, payout.money, amount_usd.minor)
    lines = _lines(payout, fund_code, arrived)
    booked = _post(ref, lines, arrived, on, by)
    has_failed = payout.status is PayoutStatus.FAILED
    payout.status = PayoutStatus.RETURNING if has_failed else PayoutStatus.ARRIVED
    payout.arrived_on, payout.arrival_ref = on, ref
    _record(payout, by)
    return booked


def _refuse_arrival(payout: CardPayout, ref: str) -> None:
    """Raise Refused where the line `ref` cannot be what brought a payout, and say what it is."""
    if payout.arrival_ref not in {None, ref}:
        raise Refused(_("This payout has arrived by another line of a statement."))
    if payout.arrival_ref is None and payout.again_by is not None:
        raise Refused(
            _(
                "Payout %(payout)s failed, and payout %(again)s has paid the same money over "
                "since. This credit is a mistake: say that it is to go back where it came from.",
                payout=payout.payout_id,
                again=payout.again_by.payout_id,
            )
        )


def payout_taken_back(
    payout: CardPayout,
    fund_code: str,
    amount_usd: Money,
    on: date,
    *,
    ref: str,
    by: UUID | None,
    out_of: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book that the bank debited a payout that failed after it had arrived, by the line `ref`.

    What the arrival booked is undone in every fund, so the money lies with the card processor
    again, and its next payout may pay the movements over. `amount_usd` is what the bank took in
    US$; `out_of` is suspense where the debit lay there already. Twice is once. Raises Refused
    where the card processor has not said that it failed, where no line brought it in or another
    one took it back, and for the account of another fund than it had arrived at.
    """
    session.refresh(payout, with_for_update={"of": CardPayout})
    if payout.back_ref == ref:
        return _booked(ref)
    if payout.status is PayoutStatus.FAILED:
        raise Refused(
            _(
                "By the books payout %(payout)s has not arrived. Say first which credit of a "
                "statement brought it.",
                payout=payout.payout_id,
            )
        )
    if payout.status is not PayoutStatus.RETURNING or payout.arrival_ref is None:
        raise Refused(
            _(
                "The card processor has not said that payout %(payout)s failed after it arrived, "
                "or the bank has debited it already.",
                payout=payout.payout_id,
            )
        )
    gone = Line(fund_code, out_of, -payout.money, -amount_usd.minor)
    booked = _post(ref, _undone(_booked(payout.arrival_ref), gone), gone, on, by)
    payout.status, payout.back_on, payout.back_ref = PayoutStatus.TAKEN_BACK, on, ref
    _record(payout, by)
    return booked


def _booked(ref: str) -> LedgerTransaction:
    found = books.find(ref)
    if found is None:
        raise PostingConflict(f"{ref} was never booked")
    return found


def _post(ref: str, lines: list[Line], told: Line, on: date, by: UUID | None) -> LedgerTransaction:
    """Book a payout; `told` is the line of the statement, which suspense has to hold."""

    def refuse_beyond() -> None:
        refuse_unsuspended(told)

    return ledger.post(TransactionKind.CARD_PAYOUT, ref, lines, on=on, by=by, guard=refuse_beyond)


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


def _undone(arrival: LedgerTransaction, gone: Line) -> list[Line]:
    """Return the lines that undo an arrival: `gone` in the place of what had come, even here.

    A difference of exchange is reckoned anew. Raises Refused where it came to another fund.
    """
    lines = books.lines_of(arrival)
    came = next(
        (line for line in lines if (line.fund, line.money) == (gone.fund, -gone.money)), None
    )
    if came is None:
        raise Refused(_("This payout had arrived at the account of another fund."))
    lines.remove(came)
    undone = mirrored(lines)
    here = [line for line in undone if line.fund == gone.fund]
    kept = [line for line in here if line.account is not AccountKind.EXCHANGE_DIFFERENCE]
    return [*evened([gone, *kept]), *(line for line in undone if line.fund != gone.fund)]


def _record(payout: CardPayout, by: UUID | None) -> None:
    audit.record(
        f"card_payout.{payout.status.value}",
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
