"""Refunds that did not reach their donor: the money is the fund's again, and the donor's still."""

from datetime import date

from portal.contributions.models import ContributionRefund
from portal.contributions.service.receiving import BOOKED
from portal.contributions.service.returning import CHANGING, follow
from portal.core import audit
from portal.core.db import session
from portal.core.money import usd
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.rules import PostingConflict


def refund_taken_back(found: ContributionRefund, on: date) -> None:
    """Book that a refund failed after it had left; again changes nothing.

    Its booking is reversed, the contribution stands as it did before, and its receipt says so.
    Raises PostingConflict for a refund that was never booked.
    """
    audit.take_turn()
    contribution = found.contribution
    session.flush()
    session.refresh(contribution, CHANGING)
    if found.taken_back_on is not None:
        return
    booking = books.find(BOOKED + found.source_ref)
    if booking is None:
        raise PostingConflict(f"{found.source_ref} was never booked")
    ledger.reverse(booking, on=on, by=None)
    found.taken_back_on = on
    contribution.edition += 1
    follow(
        contribution,
        "contribution.refund_failed",
        found.source_ref,
        found.money,
        usd(found.amount_usd),
    )
