"""When an act happened, as a column: for lists that say since when something waits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.core.audit import AuditEvent


def last_act(case_id: InstrumentedAttribute[UUID], *actions: str) -> ScalarSelect[datetime]:
    """Return the moment of the latest of `actions` in a case file, NULL where none happened.

    An action that names its part (`report.accepted:final`) is asked for without it.
    """
    return (
        select(func.max(AuditEvent.at))
        .where(
            AuditEvent.case_id == case_id,
            func.split_part(AuditEvent.action, ":", 1).in_(actions),
        )
        .scalar_subquery()
    )
