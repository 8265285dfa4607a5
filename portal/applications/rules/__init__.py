"""Pure decisions about an application: what was typed, what is missing, what the budget says.

No session, no web. Amounts are whole minor units; days are days of the calendar; sentences are
for the person at the form and say what to do.
"""

from portal.applications.rules.answers import (
    BadAnswer,
    Value,
    is_empty,
    makes_sensitive,
    read_answer,
    what_is_wrong,
)
from portal.applications.rules.budget import (
    BadLine,
    Line,
    TypedLine,
    read_line,
    read_lines,
    total,
)
from portal.applications.rules.whole import Content, Missing, missing_from

__all__ = [
    "BadAnswer",
    "BadLine",
    "Content",
    "Line",
    "Missing",
    "TypedLine",
    "Value",
    "is_empty",
    "makes_sensitive",
    "missing_from",
    "read_answer",
    "read_line",
    "read_lines",
    "total",
    "what_is_wrong",
]
