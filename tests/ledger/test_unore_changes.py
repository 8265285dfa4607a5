"""Rates far from the ones before them: nothing of the file is kept until somebody confirms them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.ledger import queries
from portal.ledger.rules import RateChange
from portal.ledger.unore import BadRates, LargeChanges, import_rates
from tests.ledger.test_unore import dataset, row

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture(autouse=True)
def after_october(db: scoped_session[Session]) -> Iterator[None]:
    """Stand in November 2026, with one rate of October."""
    with clock.at(datetime(2026, 11, 21, tzinfo=UTC)):
        import_rates(dataset(row("XOF", "500", "1 Oct 2026")), by=None)
        db.commit()
        yield


@pytest.mark.parametrize("rate", ["600", "400", "500"])
def test_up_to_a_fifth_is_taken_without_asking(rate: str) -> None:
    assert import_rates(dataset(row("XOF", rate)), by=None).added == 1


@pytest.mark.parametrize(
    ("rate", "percent"), [("600.00000001", "20.0"), ("399.99", "-20.0"), ("50", "-90.0")]
)
def test_beyond_a_fifth_nothing_is_kept_and_each_change_is_told(rate: str, percent: str) -> None:
    with pytest.raises(LargeChanges) as large:
        import_rates(dataset(row("USD", "1"), row("XOF", rate)), by=None)
    (change,) = large.value.changes
    assert change == RateChange(2, "XOF", NOVEMBER, Decimal(rate), OCTOBER, Decimal(500))
    assert change.percent == Decimal(percent)
    (sentence,) = large.value.sentences
    assert sentence.startswith(f"Row 2: XOF on 2026-11-01 is {rate}; the rate before it, of")
    assert f"2026-10-01, is 500: {Decimal(percent):+} %." in sentence
    assert len(queries.rate_history("XOF")) == 1


def test_confirmed_the_whole_file_is_kept_and_the_chain_says_so() -> None:
    content = dataset(row("CHF", "0.8"), row("XOF", "900"))
    assert import_rates(content, by=None, confirmed=True).added == 2
    assert import_rates(content, by=None).unchanged == 2
    facts = session.scalars(
        select(AuditEvent.facts).order_by(AuditEvent.number.desc()).limit(1)
    ).one()
    assert facts == {"source": "UNORE", "added": 2, "unchanged": 0, "changes_confirmed": 2}


def test_rates_of_one_file_are_compared_with_each_other_by_day() -> None:
    content = dataset(row("XOF", "480"), row("XOF", "590", "15 Oct 2026"))
    assert import_rates(content, by=None).added == 2
    content = dataset(row("CHF", "8"), row("CHF", "0.8", "1 Sep 2026"))
    assert asked(content) == [(1, date(2026, 9, 1)), (2, None)]


def test_small_steps_within_one_file_do_not_walk_around_the_kept_rate() -> None:
    content = dataset(
        row("XOF", "590", "10 Oct 2026"), row("XOF", "700", "20 Oct 2026"), row("XOF", "820")
    )
    assert asked(content) == [(3, OCTOBER), (2, OCTOBER)]


@pytest.mark.parametrize(("rate", "asks"), [("417", False), ("416", True), ("5000", True)])
def test_a_backdated_rate_is_compared_with_the_next_kept_one(rate: str, *, asks: bool) -> None:
    content = dataset(row("XOF", rate, "1 Sep 2026"))
    if asks:
        assert asked(content) == [(1, OCTOBER)]
    else:
        assert import_rates(content, by=None).added == 1


def test_a_rate_between_two_kept_ones_is_compared_with_both() -> None:
    import_rates(dataset(row("XOF", "590")), by=None)
    assert asked(dataset(row("XOF", "420", "15 Oct 2026"))) == [(1, NOVEMBER)]


def test_of_two_kept_later_ones_the_correction_counts() -> None:
    import_rates(dataset(row("XOF", "50")), by=None, confirmed=True)
    with clock.at(datetime(2026, 11, 22, tzinfo=UTC)):
        import_rates(dataset(row("XOF", "500")), by=None, source="UNORE-revised", confirmed=True)
    assert import_rates(dataset(row("XOF", "510", "15 Oct 2026")), by=None).added == 1


def test_a_correction_is_compared_with_what_it_corrects() -> None:
    import_rates(dataset(row("XOF", "56.5")), by=None, confirmed=True)
    with pytest.raises(LargeChanges):
        import_rates(dataset(row("XOF", "565")), by=None, source="UNORE-revised")


def test_the_first_rate_of_a_currency_asks_once_any_are_kept() -> None:
    content = dataset(row("SEK", "95"), row("XOF", "510"), row("USD", "1"))
    with pytest.raises(LargeChanges) as large:
        import_rates(content, by=None)
    assert large.value.changes == [RateChange(1, "SEK", NOVEMBER, Decimal(95))]
    assert large.value.changes[0].percent is None
    assert "is 95, the first rate of SEK: there is none to compare it with." in str(large.value)
    assert import_rates(content, by=None, confirmed=True).added == 3


def test_the_largest_change_is_told_first_and_in_plain_digits() -> None:
    content = dataset(row("SEK", "9.5"), row("XOF", "700"), row("XOF", "0.00000001", "2 Oct 2026"))
    with pytest.raises(LargeChanges) as large:
        import_rates(content, by=None)
    assert [change.row for change in large.value.changes] == [2, 3, 1]
    assert "is 0.00000001" in str(large.value)
    assert "E-" not in str(large.value)


def test_a_rate_refused_as_rewritten_is_told_in_plain_digits() -> None:
    with pytest.raises(BadRates, match=r"is 0\.00000001, but 500 was imported before"):
        import_rates(dataset(row("XOF", "0.00000001", "1 Oct 2026")), by=None)


def asked(content: bytes) -> list[tuple[int, date | None]]:
    """Demand that a file is not taken unconfirmed; return what it asks: row, compared with."""
    with pytest.raises(LargeChanges) as large:
        import_rates(content, by=None)
    return [(change.row, change.beside_on) for change in large.value.changes]
