"""What must be true of the audit chain at any moment, asked of the rows by `portal check`."""

from sqlalchemy import func, select

from portal.admin import chain
from portal.core.audit import AuditEvent
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _


def checks() -> list[Check]:
    """Return the invariant of the chain; that of messages is the outbox's own."""
    return [Check(_("The audit chain is intact"), _intact)]


def _intact() -> CheckResult:
    """Walk along the chain, a thousand events in memory. Two SQL statements."""
    total = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
    verdict = chain.verify(chain.whole())
    if verdict.intact:
        return CheckResult(total)
    return CheckResult(
        total, [f"event {verdict.broken_at} was changed, or does not follow from the one before"]
    )
