"""Reads of statements: accounts and their balances, lines, what a line may be, what is silent.

Each is a fixed number of SQL statements, whatever the number of rows.
"""

from portal.payments.statements.queries.accounts import (
    Standing,
    closings,
    standing,
    standings,
)
from portal.payments.statements.queries.candidates import (
    Candidate,
    candidates,
    target_of,
)
from portal.payments.statements.queries.lines import (
    Row,
    Wanted,
    as_table,
    is_hidden,
    line_by_id,
    lines,
    suspense,
)
from portal.payments.statements.queries.listing import (
    Gap,
    gap_before,
    statement_by_id,
    statements,
)
from portal.payments.statements.queries.seconding import (
    proposal_by_id,
    said_of,
    signed,
    to_confirm,
    waiting_for_second,
)
from portal.payments.statements.queries.silence import silent, todos, unlined

__all__ = [
    "Candidate",
    "Gap",
    "Row",
    "Standing",
    "Wanted",
    "as_table",
    "candidates",
    "closings",
    "gap_before",
    "is_hidden",
    "line_by_id",
    "lines",
    "proposal_by_id",
    "said_of",
    "signed",
    "silent",
    "standing",
    "standings",
    "statement_by_id",
    "statements",
    "suspense",
    "target_of",
    "to_confirm",
    "todos",
    "unlined",
    "waiting_for_second",
]
