"""The acts of administration and audit that are not those of accounts. Nothing here commits."""

from collections.abc import Sequence

from portal.accounts.models import Person
from portal.admin import policy
from portal.admin.queries import Line
from portal.applications.models import Application
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.outbox import Message, MessageState
from portal.core.workflow import Refused
from portal.reviews import queries as reviews


def retry(message: Message, *, by: Person) -> None:
    """Put a message that could not be delivered back, to be sent at once, with all its patience.

    Raises Refused for anybody but an administrator, and for a message that has not failed.
    """
    if not policy.can_administer(by):
        raise Refused(_("Only an administrator may do this."))
    if message.state is not MessageState.FAILED:
        raise Refused(_("This message has not failed, so there is nothing to send again."))
    message.state = MessageState.QUEUED
    message.attempts, message.next_attempt_at = 0, clock.now()
    audit.record("outbox.retried", message, actor_id=by.id, facts={"error": message.last_error})
    session.flush()


def read_recusal_reasons(application: Application, *, by: Person) -> dict[str, str]:
    """Return the reasons of the recusals from an application, by the id of the recusal.

    They are sealed, and reading them is an act of record. Raises Refused for anybody but an
    auditor who sees the file.
    """
    if not policy.can_read_recusal_reasons(by, application):
        raise Refused(_("The reasons of recusals are kept encrypted and are for the auditor."))
    found = reviews.recusals(application)
    audit.record(
        "recusal.reasons_read",
        application,
        actor_id=by.id,
        case_id=application.id,
        rule="R16",
        facts={"recusals": [str(recusal.id) for recusal in found]},
    )
    return {str(recusal.id): reviews.recusal_reason(recusal) for recusal in found}


def record_audit_taken(found: Sequence[Line], *, by: Person) -> None:
    """Record that somebody took events of the audit as a table: how many, and until which."""
    last = found[0].event.number if found else None
    audit.record("audit.exported", by, actor_id=by.id, facts={"events": len(found), "last": last})
