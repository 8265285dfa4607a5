"""Imported rates of exchange: which holds on a day, and what was imported before."""

from datetime import date

from sqlalchemy import select
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
