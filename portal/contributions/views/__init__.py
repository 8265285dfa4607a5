"""The pages of contributions."""

from portal.contributions.views import (
    agreements,
    card_refunds,
    donors,
    overview,
    pledges,
    receipts,
    receiving,
)
from portal.contributions.views.blueprint import blueprint

__all__ = [
    "agreements",
    "blueprint",
    "card_refunds",
    "donors",
    "overview",
    "pledges",
    "receipts",
    "receiving",
]
