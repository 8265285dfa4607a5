"""Reads of reviews. Whatever somebody is recused from stands in none, in counts neither."""

from portal.reviews.queries.reading import (
    Assignment,
    CallInReview,
    Item,
    assignments,
    calls_in_review,
    checklist,
    decision,
    entitlement,
    findings,
    lines_of,
    outcome,
    recommendation,
    recusal_reason,
    recusals,
    sheets,
    to_check,
    to_screen,
)
from portal.reviews.queries.todos import todos

__all__ = [
    "Assignment",
    "CallInReview",
    "Item",
    "assignments",
    "calls_in_review",
    "checklist",
    "decision",
    "entitlement",
    "findings",
    "lines_of",
    "outcome",
    "recommendation",
    "recusal_reason",
    "recusals",
    "sheets",
    "to_check",
    "to_screen",
    "todos",
]
