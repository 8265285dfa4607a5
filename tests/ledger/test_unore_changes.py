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
from portal.ledger.unore import LargeChanges, import_rates
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
        import_rates(dataset(row("CHF", "0.8"), row("XOF", rate)), by=None)
    (change,) = large.value.changes
    assert change == RateChange(2, "XOF", NOVEMBER, Decimal(rate), OCTOBER, Decimal(500))
    assert change.percent == Decimal(percent)
    (sentence,) = large.value.sentences
    assert sentence.startswith(f"Row 2: XOF on 2026-11-01 is {rate}; the rate before it, of")
    assert f"2026-10-01, is 500: {Decimal(percent):+} %." in sentence
    assert queries.rate_history("CHF") == []


def test_confirmed_the_whole_file_is_kept_and_the_chain_says_so() -> None:
    content = dataset(row("CHF", "0.8"), row("XOF", "900"))
    assert import_rates(content, by=None, confirmed=True).added == 2
    assert import_rates(content, by=None).unchanged == 2
    facts = session.scalars(
        select(AuditEvent.facts).order_by(AuditEvent.number.desc()).limit(1)
    ).one()
    assert facts == {"source": "UNORE", "added": 2, "unchanged": 0, "changes_confirmed": 1}


def test_rates_of_one_file_are_compared_with_each_other_by_day() -> None:
    rows = (row("XOF", "700"), row("XOF", "590", "15 Oct 2026"))
    assert import_rates(dataset(*rows), by=None).added == 2
    with pytest.raises(LargeChanges) as large:
        import_rates(
            dataset(row("CHF", "8"), row("CHF", "0.8", "1 Sep 2026")), by=None, source="UNORE-again"
        )
    assert [(each.row, each.before_on) for each in large.value.changes] == [(1, date(2026, 9, 1))]


def test_a_correction_is_compared_with_what_it_corrects() -> None:
    import_rates(dataset(row("XOF", "56.5")), by=None, confirmed=True)
    with pytest.raises(LargeChanges):
        import_rates(dataset(row("XOF", "565")), by=None, source="UNORE-revised")


def test_a_first_rate_and_one_before_the_first_ask_nothing() -> None:
    rows = (row("KES", "129"), row("XOF", "5", "1 Sep 2026"))
    assert import_rates(dataset(*rows), by=None).added == 2
