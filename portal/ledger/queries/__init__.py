"""Reads of the books: positions, balances, rates. Each is a fixed number of SQL statements.

Days are inclusive and in UTC; `as_of=None` means everything that is booked.
"""

from portal.ledger.queries.bookings import find, lines_of, reversal_of
from portal.ledger.queries.entries import Entries, caused, caused_entries, entries
from portal.ledger.queries.open_items import arrived, in_suspense, owed_under
from portal.ledger.queries.periods import Holding, bank_balance, holding_of, holdings
from portal.ledger.queries.positions import (
    AwardPosition,
    Position,
    TrialRow,
    award_position,
    outstanding,
    outstanding_of,
    percent_on,
    percents,
    position,
    positions,
    subject_sums,
    trial_balance,
)
from portal.ledger.queries.rates import (
    has_rates,
    rate_history,
    rate_on,
    rates,
    rates_following,
    rates_holding,
)

__all__ = [
    "AwardPosition",
    "Entries",
    "Holding",
    "Position",
    "TrialRow",
    "arrived",
    "award_position",
    "bank_balance",
    "caused",
    "caused_entries",
    "entries",
    "find",
    "has_rates",
    "holding_of",
    "holdings",
    "in_suspense",
    "lines_of",
    "outstanding",
    "outstanding_of",
    "owed_under",
    "percent_on",
    "percents",
    "position",
    "positions",
    "rate_history",
    "rate_on",
    "rates",
    "rates_following",
    "rates_holding",
    "reversal_of",
    "subject_sums",
    "trial_balance",
]
