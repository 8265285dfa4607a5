"""What must always be true of payments, asked of the rows themselves."""

from portal.core.check import Check
from portal.payments.checks.awards import checks as of_awards
from portal.payments.checks.files import checks as of_files
from portal.payments.checks.late import checks as of_late_returns
from portal.payments.checks.orders import STUCK_AFTER
from portal.payments.checks.orders import checks as of_orders
from portal.payments.statements import checks as statements

__all__ = ["STUCK_AFTER", "checks", "of_awards", "of_files", "of_late_returns", "of_orders"]


def checks() -> list[Check]:
    """Return the invariants of orders, awards, files, late returns, statements and write-offs."""
    return [*of_orders(), *of_awards(), *of_files(), *of_late_returns(), *statements.checks()]
