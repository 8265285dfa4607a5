"""Background work of contributions: receipts."""

from portal.contributions import service
from portal.core import jobs


@jobs.sweep("receipts", eager=True)
def receipts() -> None:
    """Make the receipts of money that came or went back, and queue their messages."""
    service.issue_due_receipts()
