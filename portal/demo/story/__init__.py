"""The story of the demonstration: about nine months of the funds, told by the services' own verbs.

Every step is taken by the person whose step it is, at the moment when they took it, in order:
the audit chain never goes back in time. Days are counted from today, so that an open call is open
and an overdue report overdue whenever the story is told.
"""

from sqlalchemy import exists, select

from portal.accounts.models import Person
from portal.core import outbox
from portal.core.config import Settings
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.demo.personas import whom_to_sign_in_as
from portal.demo.story import giving, grants, opening, requests
from portal.demo.story.telling import Story


def tell(settings: Settings) -> None:
    """Tell the story in an empty database; where it was told, do nothing.

    Commits once everything is told. Messages of the story stay in the outbox: nothing is sent to
    people who do not exist. Raises Refused where other people are in the database: those of the
    story have roles, and a password that everybody knows.
    """
    if was_told():
        return
    if session.scalar(select(exists().select_from(Person))):
        raise Refused(
            _(
                "This database already holds people who are not of the demonstration. "
                "Give it a place of its own, with --data or DATABASE_URL."
            )
        )
    story = Story()
    opening.prepare(story)
    grants.prepare(story)
    requests.prepare(story)
    giving.prepare(story, settings)
    story.run()
    session.commit()
    outbox.configure(settings.model_copy(update={"smtp_host": ""}))
    try:
        outbox.deliver_due()
    finally:
        outbox.configure(settings)


def was_told() -> bool:
    """Say whether people of the story are in the database."""
    emails = [email for _label, email in whom_to_sign_in_as()]
    return bool(session.scalar(select(exists().where(Person.email.in_(emails)))))
