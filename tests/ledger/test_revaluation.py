"""Revaluation: what is held does not change, what it carries becomes what it is worth."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.checks import checks
from portal.ledger.models import AccountKind, ExchangeRate
from portal.ledger.queries import Holding
from portal.ledger.rules import PostingConflict
from portal.ledger.service.revaluation import MONETARY
from portal.ledger.tasks import follow_the_rates
from portal.ledger.unore import import_rates
from tests.ledger.books import AWARD, DAY, FUND, journal, open_fund
from tests.ledger.test_unore import dataset, row

pytestmark = pytest.mark.usefixtures("fresh_database")

BANK = AccountKind.BANK
TAKES_THE_DIFFERENCE = (AccountKind.EXCHANGE_DIFFERENCE, AccountKind.CONTRIBUTION_REVENUE)
NUMBERS = count(1)


def eur(cents: int) -> Money:
    """Return euros."""
    return Money(cents, "EUR")


def set_rate(currency: str, units: str, source: str = "UNORE") -> None:
    """Let a rate hold from the first of the month."""
    session.add(
        ExchangeRate(
            currency=currency,
            units_per_usd=Decimal(units),
            effective_on=DAY,
            source=source,
            imported_at=clock.now(),
        )
    )
    session.flush()


def receive(amount: int, local: int, ref: str = "wire:1") -> None:
    """Let euros arrive."""
    service.contribution_received(FUND, usd(amount), ref, DAY, by=None, local=eur(local))


def bank() -> Holding:
    """Return the euros in the bank."""
    return queries.holdings(FUND)[BANK, "EUR"]


def test_a_balance_is_brought_to_the_rate_once() -> None:
    service.open_book(FUND)
    receive(1_100_00, 1_000_00)
    set_rate("EUR", "0.80")
    first = service.revalue(FUND, DAY, by=None)
    assert service.revalue(FUND, DAY, by=None) == first
    session.commit()
    assert bank() == Holding(eur(1_000_00), 1_250_00)
    position = queries.position(FUND)
    assert (position.received, position.exchange) == (usd(1_100_00), usd(150_00))
    assert position.available == usd(1_250_00)
    assert first[0].rate is not None
    assert first[0].rate.units_per_usd == Decimal("0.80")


def test_a_new_rate_is_a_new_booking_and_a_currency_without_one_stays() -> None:
    service.open_book(FUND)
    receive(1_100_00, 1_000_00)
    assert service.revalue(FUND, DAY, by=None) == []
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    with clock.at(clock.now() + timedelta(hours=1)):
        set_rate("EUR", "1", source="UNORE-revised")
        service.revalue(FUND, DAY, by=None)
    session.commit()
    assert bank() == Holding(eur(1_000_00), 1_000_00)
    assert queries.position(FUND).exchange == usd(-100_00)


def test_what_is_empty_in_its_currency_becomes_empty_in_dollars() -> None:
    service.open_book(FUND)
    receive(1_100_00, 1_000_00)
    service.charged(FUND, usd(1_090_00), "fee:1", DAY, by=None, local=eur(1_000_00))
    assert bank() == Holding(eur(0), 10_00)
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    session.commit()
    assert bank() == Holding(eur(0), 0)
    assert queries.position(FUND).available == usd(0)


def test_what_carries_less_than_nothing_is_brought_to_the_rate() -> None:
    service.open_book(FUND)
    receive(1_000_00, 1_000_00)
    service.charged(FUND, usd(1_200_00), "fee:1", DAY, by=None, local=eur(900_00))
    assert bank() == Holding(eur(100_00), -200_00)
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    session.commit()
    assert bank() == Holding(eur(100_00), 125_00)


def test_an_agreement_is_settled_after_revaluation_without_a_rest() -> None:
    service.open_book(FUND)
    service.contribution_agreed(FUND, usd(1_100_00), "pledge:1", DAY, by=None, local=eur(1_000_00))
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    service.contribution_received(
        FUND, usd(1_240_00), "wire:1", DAY, by=None, local=eur(1_000_00), pledge_ref="pledge:1"
    )
    session.commit()
    owed = queries.holdings(FUND)[AccountKind.CONTRIBUTIONS_RECEIVABLE, "EUR"]
    assert owed == Holding(eur(0), 0)
    assert queries.position(FUND).available == usd(1_240_00)


def test_what_is_owed_changes_what_is_expected_and_not_what_was_received() -> None:
    service.open_book(FUND)
    service.contribution_agreed(FUND, usd(1_100_00), "pledge:1", DAY, by=None, local=eur(1_000_00))
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    session.commit()
    owed = queries.holdings(FUND)[AccountKind.CONTRIBUTIONS_RECEIVABLE, "EUR"]
    assert owed == Holding(eur(1_000_00), 1_250_00)
    position = queries.position(FUND)
    assert (position.received, position.exchange, position.available) == (usd(0),) * 3
    service.contribution_received(
        FUND, usd(1_240_00), "wire:1", DAY, by=None, local=eur(1_000_00), pledge_ref="pledge:1"
    )
    session.commit()
    position = queries.position(FUND)
    assert (position.received, position.exchange) == (usd(1_250_00), usd(-10_00))


def test_what_was_revalued_and_then_does_not_come_was_never_received() -> None:
    service.open_book(FUND)
    service.contribution_agreed(FUND, usd(1_100_00), "pledge:1", DAY, by=None, local=eur(1_000_00))
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    told = (FUND, usd(1_100_00), "cancel:1", DAY)
    for _again in range(2):
        service.contribution_cancelled(*told, by=None, pledge_ref="pledge:1", local=eur(1_000_00))
    with pytest.raises(PostingConflict):
        service.contribution_cancelled(*told, by=None, pledge_ref="pledge:1", local=eur(999_99))
    position = queries.position(FUND)
    assert (position.received, position.exchange, position.available) == (usd(0),) * 3
    assert queries.holdings(FUND)[AccountKind.CONTRIBUTIONS_RECEIVABLE, "EUR"].usd == 0


def test_what_was_revalued_and_then_undone_leaves_nothing_behind() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(4_000_00), by=None)
    service.advance_paid(FUND, AWARD, usd(4_000_00), eur(3_600_00), "order:1", DAY, by=None)
    set_rate("EUR", "0.80")
    service.revalue(FUND, DAY, by=None)
    assert queries.position(FUND).exchange == usd(-500_00)
    service.payment_returned("order:1", DAY, by=None)
    transit = AccountKind.PAYMENTS_IN_TRANSIT, "EUR"
    assert queries.holdings(FUND)[transit] == Holding(eur(0), -500_00)
    receive(100_00, 1_000_00)
    for _again in range(2):
        service.revalue(FUND, DAY, by=None)
    session.commit()
    assert queries.holdings(FUND)[transit] == Holding(eur(0), 0)
    assert bank().usd == 100_00
    position = queries.position(FUND)
    assert (position.exchange, position.available) == (usd(0), usd(1_100_00))
    assert len([each for each in journal(FUND) if each.kind == "revaluation"]) == 2


def test_rates_that_come_in_and_the_sweep_bring_the_books_to_them() -> None:
    with clock.at(datetime(2026, 11, 21, tzinfo=UTC)):
        service.open_book(FUND)
        receive(1_100_00, 1_000_00)
        import_rates(dataset(row("EUR", "0.80")), by=None)
        session.commit()
        assert bank().usd == 1_250_00
        import_rates(dataset(row("EUR", "0.50", "1 Dec 2026")), by=None, confirmed=True)
        session.commit()
        assert bank().usd == 1_250_00
    with clock.at(datetime(2026, 12, 1, tzinfo=UTC)):
        for _again in range(2):
            follow_the_rates()
            session.commit()
    assert bank() == Holding(eur(1_000_00), 2_000_00)
    assert len(journal(FUND)) == 3


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["agree", "receive", "card", "suspend", "charge", "pay", "settle"]),
        st.integers(1, 400_00),
        st.integers(1, 400_00),
        st.sampled_from(["EUR", "XOF", "KWD"]),
    ),
    max_size=12,
)
RATES = st.decimals(Decimal("0.01"), Decimal(2000), places=4)


def do(fund: str, act: str, cents: int, local: Money, orders: list[str]) -> None:
    """Book something in foreign currency, whatever it was worth that day."""
    ref = f"{act}:{next(NUMBERS)}"
    if act == "agree":
        service.contribution_agreed(fund, usd(cents), ref, DAY, by=None, local=local)
    elif act == "receive":
        service.contribution_received(fund, usd(cents), ref, DAY, by=None, local=local)
    elif act == "card":
        service.contribution_received(
            fund, usd(cents), ref, DAY, by=None, local=local, into=AccountKind.CARD_CLEARING
        )
    elif act == "suspend":
        sign = 1 if cents % 2 else -1
        amount, own = usd(sign * cents), Money(sign * local.minor, local.currency)
        service.suspense_booked(fund, amount, ref, DAY, by=None, local=own)
    elif act == "charge":
        service.charged(fund, usd(cents), ref, DAY, by=None, local=local)
    elif act == "pay":
        service.advance_paid(fund, f"award:{fund}", usd(cents), local, ref, DAY, by=None)
        orders.append(ref)
    elif orders:
        service.payment_settled(orders.pop(), usd(cents), DAY, by=None, local=local)


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # shrinking on a real database takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(ACTS, st.lists(RATES, min_size=3, max_size=3))
def test_native_sums_never_change_and_carry_what_they_are_worth(
    acts: list[tuple[str, int, int, str]], units: list[Decimal]
) -> None:
    fund = f"fund-{next(NUMBERS)}"
    open_fund(usd(50_000_00), fund=fund)
    service.commit_funds(fund, f"award:{fund}", usd(50_000_00), by=None)
    orders: list[str] = []
    for act, cents, minor, currency in acts:
        do(fund, act, cents, Money(minor, currency), orders)
    for currency, rate in zip(["EUR", "XOF", "KWD"], units, strict=True):
        set_rate(currency, str(rate), source=f"UNORE-{fund}")
    before = queries.holdings(fund)
    service.revalue(fund, DAY, by=None)
    session.commit()
    after = queries.holdings(fund)
    for (kind, currency), holding in before.items():
        now = after[kind, currency]
        if currency != "USD" or kind not in TAKES_THE_DIFFERENCE:
            assert now.money == holding.money
        if kind in MONETARY:
            assert now.usd == queries.rate_on(currency, DAY).in_usd(now.money).minor
    assert sum(holding.usd for holding in after.values()) == 0
    assert [check.run().violations for check in checks()] == [[]] * len(checks())


def test_a_revaluation_is_not_booked_in_the_future() -> None:
    service.open_book(FUND)
    receive(1_100_00, 1_000_00)
    set_rate("EUR", "0.80")
    with pytest.raises(Refused):
        service.revalue(FUND, clock.today() + timedelta(days=2), by=None)
