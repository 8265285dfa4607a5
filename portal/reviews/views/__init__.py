"""The pages of reviews: screening, declarations, scores, the ranked list, the decision."""

from portal.reviews.views import (
    casefile,
    deciding,
    lists,
    recommending,
    scoring,
    screening,
)
from portal.reviews.views.blueprint import blueprint

__all__ = [
    "blueprint",
    "casefile",
    "deciding",
    "lists",
    "recommending",
    "scoring",
    "screening",
]
