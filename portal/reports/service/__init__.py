"""The verbs of reports: each changes, records an audit event, queues what has to be told.

Nothing here commits or speaks HTTP. What the rules do not allow raises `Refused`.
"""

from portal.reports.service.figures import (
    Count,
    FiguresResult,
    Spending,
    rate_for,
    save_expenditure,
    save_people,
)
from portal.reports.service.reminding import send_reminders
from portal.reports.service.reviewing import review
from portal.reports.service.submitting import (
    body_of,
    digest_of,
    missing,
    submit,
    too_early,
    warnings,
)
from portal.reports.service.writing import (
    add_evidence,
    open_report,
    read_sealed_answers,
    remove_evidence,
    save_narrative,
)

__all__ = [
    "Count",
    "FiguresResult",
    "Spending",
    "add_evidence",
    "body_of",
    "digest_of",
    "missing",
    "open_report",
    "rate_for",
    "read_sealed_answers",
    "remove_evidence",
    "review",
    "save_expenditure",
    "save_narrative",
    "save_people",
    "send_reminders",
    "submit",
    "too_early",
    "warnings",
]
