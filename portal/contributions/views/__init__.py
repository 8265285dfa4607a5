"""The pages of contributions."""

from portal.contributions.views import (
    agreements,
    donors,
    overview,
    pledges,
    receipts,
    receiving,
)
from portal.contributions.views.blueprint import blueprint

__all__ = ["agreements", "blueprint", "donors", "overview", "pledges", "receipts", "receiving"]
