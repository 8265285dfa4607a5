"""Messages about payments: neutral, with a link to the case file only."""

from collections.abc import Iterable
from uuid import UUID

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.core import outbox


def tell(
    people: Iterable[Person],
    template: str,
    application: Application,
    about: UUID,
    path: str = "/payments",
    *,
    occasion: str = "",
) -> None:
    """Queue a message to each of `people`, once for each thing it is `about`, and each `occasion`.

    What can happen to one thing more than once names each time.
    """
    of = f"{about}:{occasion}" if occasion else str(about)
    for person in people:
        outbox.queue(
            person.email,
            template,
            key=f"{template}:{of}:{person.id}",
            link=f"/files/{application.ref}{path}",
            locale=person.language,
            person_id=person.id,
            reference=application.ref,
        )
