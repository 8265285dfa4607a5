"""The verbs of applications: each changes, records an audit event, queues what has to be told.

Nothing here commits or speaks HTTP. What the rules do not allow raises `Refused`.
"""

from portal.applications.service.calling_off import call_off
from portal.applications.service.clarifying import answer_clarification, ask_clarification
from portal.applications.service.drafts import (
    BudgetResult,
    Conflict,
    SaveResult,
    attach,
    choose_language,
    remove_attachment,
    save_answers,
    save_budget,
    start,
)
from portal.applications.service.guarding import (
    lower_sensitivity,
    raise_sensitivity,
    read_sealed_answers,
)
from portal.applications.service.submitting import missing, reopen, submit, withdraw

__all__ = [
    "BudgetResult",
    "Conflict",
    "SaveResult",
    "answer_clarification",
    "ask_clarification",
    "attach",
    "call_off",
    "choose_language",
    "lower_sensitivity",
    "missing",
    "raise_sensitivity",
    "read_sealed_answers",
    "remove_attachment",
    "reopen",
    "save_answers",
    "save_budget",
    "start",
    "submit",
    "withdraw",
]
