"""Two people at one application: the second waits, and then sees what the first did."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications import policy
from portal.applications.models import Application, ApplicationStatus
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused

CHANGING = (
    "version",
    "status",
    "title",
    "language",
    "currency",
    "requested",
    "requested_usd",
    "budget_revision",
    "sensitive",
    "submitted_at",
)


def hold(application: Application, *, to_record: bool) -> None:
    """Lock the application until the transaction ends, and read it anew.

    Whoever will append to the audit chain queues for that first (`to_record`).
    """
    session.flush()
    if to_record:
        audit.take_turn()
    row = select(Application.id).where(Application.id == application.id).with_for_update()
    session.execute(row)
    session.refresh(application, CHANGING)
    session.expire(application, ["recusals", "declarations"])


def demand_editor(application: Application, by: Person) -> None:
    """Raise Refused unless `by` may change the draft now (R7: by the server's clock)."""
    if not policy.is_member(by, application):
        raise Refused(_("Only people of the applicant can change its application."))
    if application.status is not ApplicationStatus.DRAFT:
        raise Refused(
            _(
                "This application is no longer a draft, so it was not changed. Its status is "
                "“%(status)s”.",
                status=application.status.label,
            ),
            "R13",
        )
    if not application.call.takes_applications:
        raise Refused(_("The call is closed: its deadline has passed by the portal's clock."), "R7")
