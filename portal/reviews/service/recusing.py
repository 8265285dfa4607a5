"""Recusal: from here on the application does not exist for the person (R16)."""

from uuid import UUID, uuid4

from portal.accounts.models import Person
from portal.applications.models import Application, Recusal
from portal.core import audit, crypto
from portal.core.db import session


def recuse(application: Application, person: Person, reason: str, *, actor_id: UUID | None) -> None:
    """Write down the recusal, its reason sealed. `actor_id` None: the rule itself did it."""
    recusal_id = uuid4()
    recusal = Recusal(
        id=recusal_id,
        application=application,
        person=person,
        sealed_reason=crypto.seal(application.sealing_key, reason, place(application, recusal_id)),
    )
    session.add(recusal)
    session.flush()
    audit.record(
        "interest.conflict",
        recusal,
        actor_id=actor_id,
        case_id=application.id,
        rule="R16",
        facts={"person": str(person.id)},
    )


def place(application: Application, recusal_id: UUID) -> str:
    """Return the place that a sealed reason is bound to."""
    return f"application:{application.id}:recusal:{recusal_id}"
