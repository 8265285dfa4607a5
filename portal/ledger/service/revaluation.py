"""Bringing balances in foreign currency to the rate of the day (exchange gain or loss)."""

from collections.abc import Iterator
from datetime import date
from itertools import count
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import queries
from portal.ledger.models import AccountKind, Book, LedgerTransaction, TransactionKind
from portal.ledger.queries import Holding
from portal.ledger.rules import DOLLAR, Line, NoRate, Rate
from portal.ledger.service.clearing import evened
from portal.ledger.service.posting import hold, post

MONETARY = (
    AccountKind.BANK,
    AccountKind.CARD_CLEARING,
    AccountKind.PAYMENTS_IN_TRANSIT,
    AccountKind.CONTRIBUTIONS_RECEIVABLE,
    AccountKind.SUSPENSE,
)
"""Accounts whose balance is so many units of a currency, whatever these are worth in US$."""


def revalue(fund_code: str, on: date, *, by: UUID | None) -> list[LedgerTransaction]:
    """Bring what a fund holds in foreign currency to the rates that hold on the day `on`.

    One booking for each currency and rate, once: what each account holds goes out at what it
    carried and comes in at the rate, so its own currency does not change; the difference is a
    gain or loss on exchange, or, of what donors still owe, a change of what is expected of them.
    What an account carries that became empty since (a payment that was revalued and then rejected)
    follows in a booking of its own. A currency without a rate stays as it is. Returns the bookings,
    also the first one of an earlier call; none for a currency that is at its rate already.
    """
    hold([fund_code])
    held = queries.holdings(fund_code, on)
    done = []
    for currency in sorted({currency for _kind, currency in held} - {DOLLAR}):
        try:
            rate = queries.rate_on(currency, on)
        except NoRate:
            continue
        ref = f"revaluation:{fund_code}:{currency}:{rate.effective_on.isoformat()}:{rate.id}"
        before = queries.find(ref)
        if before is not None:
            done.append(before)
            ref = _later(ref)
        lines = list(_lines(fund_code, held, rate, only_empty=before is not None))
        if lines:
            kind = TransactionKind.REVALUATION
            done.append(post(kind, ref, evened(_expected(lines)), on=on, by=by, rate=rate))
    return done


def _expected(lines: list[Line]) -> list[Line]:
    """Let the worth of what donors still owe change what is expected of them.

    It has not come in, so its change is no gain or loss of the fund; and what was received stays
    as it is, being revenue less what is owed of it.
    """
    owed = (line.usd for line in lines if line.account is AccountKind.CONTRIBUTIONS_RECEIVABLE)
    change = -sum(owed)
    if not change:
        return lines
    fund = lines[0].fund
    return [*lines, Line(fund, AccountKind.CONTRIBUTION_REVENUE, usd(change), change)]


def _later(ref: str) -> str:
    """Return the first reference after `ref` that is not booked yet."""
    numbered = (f"{ref}:{number}" for number in count(2))
    return next(each for each in numbered if queries.find(each) is None)


def revalue_all(on: date, *, by: UUID | None) -> None:
    """Do `revalue` for each fund with a book."""
    for fund_code in session.scalars(select(Book.fund_code).order_by(Book.fund_code)).all():
        revalue(fund_code, on, by=by)


def _lines(
    fund_code: str,
    held: dict[tuple[AccountKind, str], Holding],
    rate: Rate,
    *,
    only_empty: bool,
) -> Iterator[Line]:
    """Yield the lines of the accounts that are not at `rate`, or only of those that are empty."""
    for kind in MONETARY:
        holding = held.get((kind, rate.currency))
        if holding is not None and not (only_empty and holding.money):
            worth = rate.in_usd(holding.money).minor
            if worth != holding.usd:
                yield from _moved(fund_code, kind, holding, worth)


def _moved(fund_code: str, kind: AccountKind, holding: Holding, worth: int) -> tuple[Line, Line]:
    """Return the two lines that change what an account carries, and not what it holds.

    An account that holds nothing, or carries less than nothing for what it holds, lets the
    smallest amount go out and in.
    """
    money, carries = holding.money, holding.usd
    if money and (carries == 0 or (carries > 0) == (money.minor > 0)):
        return Line(fund_code, kind, -money, -carries), Line(fund_code, kind, money, worth)
    gain = worth - carries
    unit = Money(1 if gain > 0 else -1, money.currency)
    return Line(fund_code, kind, unit, gain), Line(fund_code, kind, -unit, 0)
