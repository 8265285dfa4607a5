"""Calling off a call: whoever has begun to apply hears of it."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications import queries
from portal.applications.models import Application
from portal.core import outbox
from portal.core.db import session
from portal.funds import service as funds
from portal.funds.models import Call


def call_off(call: Call, *, by: Person) -> None:
    """Cancel a call, and tell the members of every applicant whose application is not over.

    Raises Refused where the call cannot be cancelled, or by somebody else.
    """
    funds.cancel_call(call, by=by)
    rows = select(Application).where(
        Application.call_id == call.id, Application.status.not_in(queries.OVER)
    )
    for application in session.scalars(rows):
        for person in queries.members(application.organisation_id):
            outbox.queue(
                person.email,
                "call_cancelled",
                key=f"call-cancelled:{application.id}:{person.id}",
                link=f"/files/{application.ref}",
                locale=person.language,
                reference=application.ref,
            )
