"""The verbs of reviews: each changes, records an audit event, queues what has to be told.

Nothing here commits or speaks HTTP. What the rules do not allow raises `Refused`.
"""

from portal.reviews.service.deciding import approve, send_back
from portal.reviews.service.entitlement import check_entitlement
from portal.reviews.service.recommending import (
    draft_recommendation,
    make_recommendation,
    set_line,
)
from portal.reviews.service.scoring import (
    declare_conflict,
    declare_no_conflict,
    save_sheet,
    submit_sheet,
)
from portal.reviews.service.screening import (
    complete_screening,
    declare_inadmissible,
    prepare_checklist,
    record_finding,
)

__all__ = [
    "approve",
    "check_entitlement",
    "complete_screening",
    "declare_conflict",
    "declare_inadmissible",
    "declare_no_conflict",
    "draft_recommendation",
    "make_recommendation",
    "prepare_checklist",
    "record_finding",
    "save_sheet",
    "send_back",
    "set_line",
    "submit_sheet",
]
