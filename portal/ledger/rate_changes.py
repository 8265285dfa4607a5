"""Which rates of a file a person has to look at before they are kept, and how each is told.

Every new rate stands beside those it comes between: the kept one that holds on its day, the next
kept one after it (it may be backdated), and the one before it in its own file. So neither a chain
of small steps in one file nor a rate slipped in before the kept ones walks around the question.
The first rate of a currency has nothing to stand beside and is asked about too; only the import
into a portal without any rates is not, or its whole file would have to be confirmed unread.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.core.i18n import _
from portal.core.text import plain
from portal.ledger import queries
from portal.ledger.rules import DOLLAR, RateChange

_Near = dict[tuple[str, date], tuple[date, Decimal]]


@dataclass(frozen=True, slots=True)
class RateRow:
    """What one row of the file says; rows are counted from 1."""

    number: int
    currency: str
    units_per_usd: Decimal
    effective_on: date


def large_changes(new: Iterable[RateRow]) -> list[RateChange]:
    """Return what a person has to confirm: for each such row its largest change, largest first.

    First rates of a currency come last. At most three SQL statements.
    """
    rows = sorted(
        (row for row in new if row.currency != DOLLAR),
        key=lambda row: (row.currency, row.effective_on),
    )
    asked = [(row.currency, row.effective_on) for row in rows]
    holding, following = queries.rates_holding(asked), queries.rates_following(asked)
    asks_first = bool(rows) and queries.has_rates()
    large = []
    for row, last in zip(rows, [None, *rows], strict=False):
        beside = list(_beside(row, last, holding, following))
        found = [change for change in beside if change.is_large]
        if found:
            large.append(max(found, key=lambda change: change.factor))
        elif not beside and asks_first:
            large.append(RateChange(row.number, row.currency, row.effective_on, row.units_per_usd))
    return sorted(large, key=lambda change: (-change.factor, change.row))


def told(changes: Sequence[RateChange]) -> list[str]:
    """Return a sentence for each change, in their order."""
    return [_told(change) for change in changes]


def _beside(
    row: RateRow, last: RateRow | None, holding: _Near, following: _Near
) -> Iterator[RateChange]:
    """Return the row beside each rate it comes next to; `last` is the row sorted before it."""
    key = row.currency, row.effective_on
    before = holding.get(key)
    near = [each for each in (before, following.get(key)) if each]
    neighbour = last if last and last.currency == row.currency else None
    if neighbour and not (before and before[0] > neighbour.effective_on):
        near.append((neighbour.effective_on, neighbour.units_per_usd))
    for on, units in near:
        yield RateChange(row.number, row.currency, row.effective_on, row.units_per_usd, on, units)


def _told(change: RateChange) -> str:
    facts = {
        "row": change.row,
        "currency": change.currency,
        "day": change.on.isoformat(),
        "rate": plain(change.units_per_usd),
    }
    if change.beside is None or change.beside_on is None:
        return _(
            "Row %(row)s: %(currency)s on %(day)s is %(rate)s, the first rate of %(currency)s: "
            "there is none to compare it with.",
            **facts,
        )
    facts |= {
        "other": change.beside_on.isoformat(),
        "units": plain(change.beside),
        "percent": f"{change.percent:+}",
    }
    if change.beside_on > change.on:
        return _(
            "Row %(row)s: %(currency)s on %(day)s is %(rate)s; the rate after it, of %(other)s, is "
            "%(units)s: %(percent)s %%.",
            **facts,
        )
    return _(
        "Row %(row)s: %(currency)s on %(day)s is %(rate)s; the rate before it, of %(other)s, is "
        "%(units)s: %(percent)s %%.",
        **facts,
    )
