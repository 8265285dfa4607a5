"""Background work of contributions: receipts, and what is under way at the card processor."""

from portal.contributions import service
from portal.contributions.service import cards
from portal.core import jobs


@jobs.sweep("receipts", eager=True)
def receipts() -> object:
    """Make one receipt of money that came or went back and queue its message, then the next."""
    return jobs.AGAIN if service.issue_next_receipt() else None


@jobs.sweep("card refunds", eager=True)
def send_card_refunds() -> object:
    """Send one refund that finance asked for, then the next."""
    return cards.send_next_refund()


@jobs.sweep("card gifts", every_minutes=10)
def look_at_card_gifts() -> object:
    """Look at one gift of which nothing was heard for long, then at the next."""
    return cards.look_at_stale()
