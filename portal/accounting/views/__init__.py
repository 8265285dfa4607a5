"""The pages of accounting."""

from portal.accounting.views import entries, positions, rates, yearly
from portal.accounting.views.blueprint import blueprint

__all__ = ["blueprint", "entries", "positions", "rates", "yearly"]
