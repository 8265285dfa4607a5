"""Imported rates of exchange: which holds on a day, and what was imported before."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from sqlalchemy import ARRAY, Date, String, cast, column, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from portal.core.db import session
from portal.ledger import rules
from portal.ledger.models import ExchangeRate
from portal.ledger.rules import DOLLAR, NoRate, Rate


def rates(day: date) -> list[ExchangeRate]:
    """Return the imported rate of each currency that holds on `day`. One SQL statement.

    The latest effective date not after `day` holds; of two from the same date (a correction by
    another source) the one imported last. US$ is 1 without a row.
    """
    rows = (
        select(ExchangeRate)
        .where(ExchangeRate.effective_on <= day)
        .ext(distinct_on(ExchangeRate.currency))
        .order_by(ExchangeRate.currency, *_LATEST)
    )
    return list(session.scalars(rows))


def rate_history(currency: str) -> list[ExchangeRate]:
    """Return all imported rates of `currency`, newest first. One SQL statement."""
    rows = select(ExchangeRate).where(ExchangeRate.currency == currency).order_by(*_LATEST)
    return list(session.scalars(rows))


_LATEST = (
    ExchangeRate.effective_on.desc(),
    ExchangeRate.imported_at.desc(),
    ExchangeRate.id,
)


_NEXT = (
    ExchangeRate.effective_on,
    ExchangeRate.imported_at.desc(),
    ExchangeRate.id,
)


def has_rates() -> bool:
    """Return whether any rate was ever imported. One SQL statement."""
    return bool(session.scalar(select(select(ExchangeRate.id).exists())))


def rates_holding(
    asked: Collection[tuple[str, date]],
) -> dict[tuple[str, date], tuple[date, Decimal]]:
    """Return for each currency and day asked the rate that holds: since when, and its units.

    What has no rate is not in it. One SQL statement for any number.
    """
    return _nearest(asked, later=False)


def rates_following(
    asked: Collection[tuple[str, date]],
) -> dict[tuple[str, date], tuple[date, Decimal]]:
    """Return for each currency and day asked the next rate after that day: from when, its units.

    What has none is not in it. One SQL statement for any number.
    """
    return _nearest(asked, later=True)


def _nearest(
    asked: Collection[tuple[str, date]], *, later: bool
) -> dict[tuple[str, date], tuple[date, Decimal]]:
    of = (
        func.unnest(
            cast([currency for currency, _day in asked], ARRAY(String)),
            cast([day for _currency, day in asked], ARRAY(Date)),
        )
        .table_valued(column("currency", String), column("day", Date), name="asked")
        .render_derived()
    )
    on = ExchangeRate.effective_on
    first = (
        select(on, ExchangeRate.units_per_usd)
        .where(ExchangeRate.currency == of.c.currency, on > of.c.day if later else on <= of.c.day)
        .order_by(*(_NEXT if later else _LATEST))
        .limit(1)
        .lateral()
    )
    rows = select(of.c.currency, of.c.day, first).join(first, true())
    return {
        (currency, day): (since, units) for currency, day, since, units in session.execute(rows)
    }


def rate_on(currency: str, day: date) -> Rate:
    """Return the rate of `currency` that holds on `day`. At most one SQL statement.

    Raises NoRate, with a sentence for a person, where none was imported.
    """
    if currency == DOLLAR:
        return rules.dollar_rate(day)
    rows = (
        select(ExchangeRate)
        .where(ExchangeRate.currency == currency, ExchangeRate.effective_on <= day)
        .order_by(*_LATEST)
        .limit(1)
    )
    found = session.scalar(rows)
    if found is None:
        raise NoRate(currency, day)
    return Rate(found.currency, found.units_per_usd, found.effective_on, found.source, found.id)
