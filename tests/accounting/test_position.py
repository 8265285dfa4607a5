"""Each figure is the plain sum over entries, for any books and any day; and opens down to them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from portal.accounting.figures import MEANINGS, Figure
from portal.accounting.queries.entries import Behind, behind
from portal.accounting.queries.position import standing
from portal.accounts.models import Person, Role
from portal.core import clock
from portal.core.db import session
from portal.core.money import total, usd
from portal.ledger import service
from portal.ledger.models import AccountKind, PercentKind
from tests import make
from tests.accounting.books import (
    DAYS,
    MOMENT,
    MOVEMENTS,
    POSTINGS,
    Movement,
    Posting,
    balance,
    tell,
)

pytestmark = pytest.mark.usefixtures("db")

slowly = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def auditor() -> Person:
    """Return somebody who reads all books."""
    return make.person(roles=[Role.AUDITOR])


@slowly
@given(postings=POSTINGS, movements=MOVEMENTS, day=DAYS)
def test_figures_are_sums_over_entries(
    postings: list[Posting], movements: list[Movement], day: date
) -> None:
    fund = tell(postings, movements)
    found = standing(fund, day)
    for figure, meaning in MEANINGS.items():
        if figure is not Figure.COMMITTED:
            plain = meaning.sign * balance(postings, meaning.accounts, day)
            assert found.figures[figure] == usd(plain), figure
    made = sum(each.cents for each in movements if each.at.date() <= day)
    assert found.figures[Figure.COMMITTED] == usd(made)
    assert found.position.received == found.figures[Figure.RECEIVED]
    assert found.position.disbursed == found.figures[Figure.DISBURSED]
    assert found.position.exchange == found.figures[Figure.EXCHANGE]
    assert found.position.charges == found.figures[Figure.CHARGES]
    assert found.position.support_costs == found.figures[Figure.SUPPORT]


@slowly
@given(postings=POSTINGS, day=DAYS)
def test_what_came_in_and_has_not_gone_out_is_at_hand(postings: list[Posting], day: date) -> None:
    found = standing(tell(postings), day)
    position = found.position
    assert found.cash == (
        position.received
        + position.exchange
        - position.charges
        - position.disbursed
        - position.support_costs
    )


@slowly
@given(postings=POSTINGS, movements=MOVEMENTS, day=DAYS)
def test_the_entries_behind_a_figure_sum_to_it(
    auditor: Person, postings: list[Posting], movements: list[Movement], day: date
) -> None:
    fund = tell(postings, movements)
    figures = standing(fund, day).figures
    for figure in Figure:
        pages: list[Behind] = []
        while not pages or sum(len(each.rows) for each in pages) < pages[0].total:
            done = sum(len(each.rows) for each in pages)
            pages.append(behind(auditor, fund, figure, day, limit=3, offset=done))
        rows = [row for each in pages for row in each.rows]
        assert {each.usd for each in pages} == {figures[figure]}
        assert total((row.usd for row in rows), "USD") == figures[figure]
        assert [row.day for row in rows] == sorted((row.day for row in rows), reverse=True)
        assert all(row.day <= day for row in rows)


def test_every_account_of_the_chart_stands_behind_a_figure() -> None:
    shown = {kind for meaning in MEANINGS.values() for kind in meaning.accounts}
    assert shown == set(AccountKind)


def test_a_second_before_midnight_is_that_day_and_a_second_after_is_not() -> None:
    new_year = date(2026, 1, 1)
    fund = tell([], [Movement(new_year, -1, 100), Movement(new_year, 0, 20)])
    assert standing(fund, date(2025, 12, 31)).figures[Figure.COMMITTED] == usd(100)
    assert standing(fund, new_year).figures[Figure.COMMITTED] == usd(120)


def test_the_reserve_is_its_percentage_of_the_day_of_what_the_year_plans() -> None:
    spent = AccountKind.GRANT_EXPENDITURE
    fund = tell(
        [
            Posting(date(2025, 6, 15), spent, AccountKind.BANK, 7_000_00, ""),
            Posting(date(2026, 1, 2), spent, AccountKind.BANK, 1_000_00, ""),
            Posting(
                date(2026, 1, 2), AccountKind.ADVANCES_TO_GRANTEES, AccountKind.BANK, 300_00, ""
            ),
        ],
        [Movement(date(2026, 1, 2), 0, 55_55)],
    )
    with clock.at(MOMENT):
        kind = PercentKind.OPERATING_RESERVE
        service.set_percent(fund, kind, Decimal(15), date(2026, 1, 1), by=None)
        service.set_percent(fund, kind, Decimal(10), date(2026, 11, 21), by=None)
    session.flush()
    before, after = standing(fund, date(2026, 11, 20)), standing(fund, date(2026, 11, 21))
    assert before.reserve_base == after.reserve_base == usd(1_355_55)
    assert (before.reserve, after.reserve) == (usd(203_33), usd(135_56))
    assert before.free == before.position.available - before.reserve
    none = standing(fund, date(2025, 12, 31))
    assert (none.reserve, none.reserve_base) == (usd(0), usd(7_000_00))


def test_a_fund_without_books_stands_at_nothing(auditor: Person) -> None:
    found = standing("none", MOMENT.date())
    assert found.position.available == found.cash == usd(0)
    yesterday = MOMENT.date() - timedelta(days=1)
    assert behind(auditor, "none", Figure.BANK, yesterday, limit=25) == Behind([], 0, usd(0))
