"""Background work of the books: balances in foreign currency follow the rates."""

from portal.core import clock, jobs
from portal.ledger import service


@jobs.sweep("revaluation", every_minutes=60)
def follow_the_rates() -> None:
    """Bring every fund to the rates that hold today; an hour later there is nothing to do."""
    service.revalue_all(clock.today(), by=None)
