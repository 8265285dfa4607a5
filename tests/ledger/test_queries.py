"""Positions as of a day, and a fixed number of SQL statements whatever the number of rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.ledger import queries, service
from portal.ledger.models import AccountKind
from tests.conftest import SqlCount
from tests.ledger.books import DAY, FUND, journal, open_fund

Counting = Callable[[], AbstractContextManager[SqlCount]]

pytestmark = pytest.mark.usefixtures("db")


def story(awards: int) -> None:
    """Tell of `awards` awards in two funds, at a fixed moment."""
    with clock.at(datetime(2026, 11, 10, 23, 30, tzinfo=UTC)):
        for fund in (FUND, "vftc"):
            open_fund(usd(50_000_00), percent="13", fund=fund)
            for number in range(awards):
                ref = f"award:{fund}:{number}"
                service.commit_funds(fund, ref, usd(100_00), by=None)
                paid = usd(80_00)
                service.advance_paid(fund, ref, paid, paid, f"order:{ref}", DAY, by=None)
    session.commit()


def test_a_fund_without_a_book_stands_at_nothing() -> None:
    assert queries.position("none").available == usd(0)


def test_a_position_adds_up() -> None:
    story(2)
    position = queries.position(FUND)
    assert position.received == usd(50_000_00)
    assert position.committed == usd(40_00)
    assert position.disbursed == usd(160_00)
    assert position.support_costs_expected == usd(26_00)
    assert position.available == usd(50_000_00 - 40_00 - 160_00 - 26_00)


def test_a_position_as_of_a_day_knows_nothing_later() -> None:
    story(1)
    assert queries.position(FUND, DAY - timedelta(days=1)).received == usd(0)
    assert queries.position(FUND, date(2026, 11, 9)).committed == usd(0)
    assert queries.position(FUND, date(2026, 11, 10)).committed == usd(20_00)


def test_a_trial_balance_is_even_in_each_fund() -> None:
    story(2)
    for fund in (FUND, "vftc"):
        rows = queries.trial_balance(fund)
        assert {row.fund_code for row in rows} == {fund}
        assert sum(row.debit.minor for row in rows) == sum(row.credit.minor for row in rows) > 0
    order = list(AccountKind)
    kinds = [order.index(row.kind) for row in queries.trial_balance(FUND)]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("awards", [1, 12])
def test_reads_take_the_same_number_of_statements_for_any_number_of_rows(
    awards: int, count_sql: Counting
) -> None:
    story(awards)
    session.expunge_all()
    reads: list[tuple[int, Callable[[], object]]] = [
        (4, lambda: queries.position(FUND)),
        (4, queries.positions),
        (1, queries.trial_balance),
        (2, lambda: queries.award_position(FUND, f"award:{FUND}:0")),
        (3, lambda: [queries.lines_of(each) for each in journal(FUND)]),
        (1, lambda: queries.rates(DAY)),
    ]
    for expected, read in reads:
        with count_sql() as count:
            read()
        assert count.total == expected, count.statements
