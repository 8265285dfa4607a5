"""Amendments of awards: another amount, another end, other lines of the budget (R26)."""
