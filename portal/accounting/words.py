"""What caused a booking, in words where its reference alone would tell a reader nothing."""

from datetime import date

from portal.contributions.words import source_in_words
from portal.core.formats import format_day
from portal.core.i18n import _

CONTRIBUTION = "contribution:"
REVALUATION = "revaluation:"


def cause_in_words(source_ref: str) -> str:
    """Return the cause of a booking in words; "" where the reference is one that people know.

    The booking itself shows the reference whole.
    """
    if source_ref.startswith(REVALUATION):
        fund, currency, day = source_ref.split(":")[1:4]
        return _(
            "Revaluation of %(currency)s, %(fund)s, %(day)s",
            currency=currency,
            fund=fund.upper(),
            day=format_day(date.fromisoformat(day)),
        )
    return source_in_words(source_ref.removeprefix(CONTRIBUTION))
