"""The pages of accounting."""

from portal.accounting.views import entries, positions, rates, statements, yearly
from portal.accounting.views.blueprint import blueprint

__all__ = ["blueprint", "entries", "positions", "rates", "statements", "yearly"]
