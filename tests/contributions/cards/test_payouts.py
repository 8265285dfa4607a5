"""Payouts of the card processor: made up of movements of ours, back to zero in card clearing."""

from collections import Counter as Sums

import pytest
from sqlalchemy import select

from portal.contributions.models.cards import CardPayout, GiftStatus, PayoutStatus
from portal.contributions.service import cards
from portal.contributions.service.cards.checks import checks
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind, LedgerAccount, LedgerEntry
from tests.contributions.cards.conftest import Counter
from tests.make.contributions import FUND

OTHER = "vftc"


def paid_out(counter: Counter) -> CardPayout:
    counter.processor.pay_out()
    counter.deliver(times=2)
    assert counter.reasons() == []
    return session.scalars(select(CardPayout).order_by(CardPayout.told_at.desc())).all()[0]


def sums() -> dict[tuple[str, AccountKind], int]:
    """Return the balances of all accounts, in US cents."""
    found: Sums[tuple[str, AccountKind]] = Sums()
    for code, kind, cents in session.execute(
        select(LedgerAccount.fund_code, LedgerAccount.kind, LedgerEntry.usd).join(
            LedgerEntry, LedgerEntry.account_id == LedgerAccount.id
        )
    ):
        found[code, kind] += cents
    return {name: total for name, total in found.items() if total}


def sound() -> list[str]:
    return [fault for check in checks() for fault in check.run().violations]


def arrive(payout: CardPayout, ref: str = "line:1", fund: str = FUND, **more: object) -> None:
    cards.payout_arrived(
        payout,
        fund,
        usd(payout.amount),
        clock.today(),
        ref=ref,
        by=None,
        **more,  # type: ignore[arg-type]
    )


def test_a_payout_brings_card_clearing_to_zero(counter: Counter) -> None:
    gift = counter.paid()
    counter.processor.refund(str(gift.charge_id), 10_00, {})
    counter.paid(92_00, "EUR")
    counter.deliver()
    payout = paid_out(counter)
    assert sound() == []
    assert sums()[FUND, AccountKind.CARD_CLEARING] == payout.amount
    arrive(payout)
    assert (FUND, AccountKind.CARD_CLEARING) not in sums()
    assert sums()[FUND, AccountKind.BANK] == payout.amount
    assert payout.status is PayoutStatus.ARRIVED
    assert sound() == []
    arrive(payout)
    with pytest.raises(Refused, match="another line"):
        arrive(payout, ref="line:2")


def test_what_came_after_a_payout_stays_for_the_next(counter: Counter) -> None:
    counter.paid()
    first = paid_out(counter)
    later = counter.paid(20_00)
    arrive(first)
    assert sums()[FUND, AccountKind.CARD_CLEARING] == sum(
        moved.net.minor for moved in later.movements
    )
    arrive(paid_out(counter), ref="line:2")
    assert (FUND, AccountKind.CARD_CLEARING) not in sums()
    assert sound() == []


def test_a_payout_of_two_funds_is_divided_by_its_movements(counter: Counter) -> None:
    ledger.open_book(OTHER)
    counter.paid(50_00)
    counter.paid(30_00, fund=OTHER)
    payout = paid_out(counter)
    share = 30_00 - (int(30_00 * 0.029) + 30)
    arrive(payout)
    after = sums()
    assert (FUND, AccountKind.CARD_CLEARING) not in after
    assert (OTHER, AccountKind.CARD_CLEARING) not in after
    assert after[FUND, AccountKind.BANK] == payout.amount
    assert (after[FUND, AccountKind.SUSPENSE], after[OTHER, AccountKind.SUSPENSE]) == (
        -share,
        share,
    )
    assert sound() == []


def test_a_payout_that_lay_in_suspense_is_allocated(counter: Counter) -> None:
    counter.paid()
    payout = paid_out(counter)
    with pytest.raises(Refused, match="suspense"):
        arrive(payout, into=AccountKind.SUSPENSE)
    ledger.suspense_booked(FUND, usd(payout.amount), "line:1:suspense", clock.today(), by=None)
    arrive(payout, into=AccountKind.SUSPENSE)
    assert (FUND, AccountKind.SUSPENSE) not in sums()
    assert sums()[FUND, AccountKind.BANK] == payout.amount


def test_a_payout_told_before_its_gifts_finds_them(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    made = counter.processor.pay_out()
    counter.hand_over(counter.processor.mailbox.told[-1])
    counter.work()
    assert counter.standing(gift) is GiftStatus.PAID
    counter.deliver()
    assert counter.reasons() == []
    assert session.scalars(select(CardPayout.amount)).all() == [made["amount"]]


def test_a_line_that_is_nobodys_is_never_paid_over(counter: Counter) -> None:
    counter.paid()
    with counter.processor.store.turn() as turn:
        (line,) = turn.all("balance_transaction")
        turn.put(line | {"id": "txn_strange", "type": "reserve_transaction", "source": None})
    counter.processor.pay_out()
    counter.deliver()
    assert "txn_strange (reserve_transaction)" in counter.reasons()[0]


def test_lines_that_do_not_sum_up_are_never_paid_over(counter: Counter) -> None:
    counter.paid()
    made = counter.processor.pay_out()
    with counter.processor.store.turn() as turn:
        turn.put(made | {"amount": made["amount"] + 1})
    counter.deliver()
    assert "do not sum up" in counter.reasons()[0]


def test_a_payout_that_the_bank_refuses_is_marked(counter: Counter) -> None:
    counter.paid()
    payout = paid_out(counter)
    counter.processor.fail_payout(payout.payout_id)
    counter.deliver()
    assert payout.status is PayoutStatus.FAILED
