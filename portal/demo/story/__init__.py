"""The story of the demonstration: about nine months of the funds, told by the services' own verbs.

Every step is taken by the person whose step it is, at the moment when they took it, in order:
the audit chain never goes back in time. Days are counted from today, so that an open call is open
and an overdue report overdue whenever the story is told.
"""

from sqlalchemy import select

from portal.core import outbox
from portal.core.config import Settings
from portal.core.db import session
from portal.demo.story import grants, opening, requests
from portal.demo.story.telling import Story
from portal.funds.models import Call


def tell(settings: Settings) -> None:
    """Tell the story in an empty database; where it was told, or work has begun, do nothing.

    Commits once everything is told. Messages of the story stay in the outbox: nothing is sent to
    people who do not exist.
    """
    if was_told():
        return
    story = Story()
    opening.prepare(story)
    grants.prepare(story)
    requests.prepare(story)
    story.run()
    session.commit()
    outbox.configure(settings.model_copy(update={"smtp_host": ""}))
    try:
        outbox.deliver_due()
    finally:
        outbox.configure(settings)


def was_told() -> bool:
    """Say whether there is a call: the story begins with one."""
    return session.scalar(select(Call.id).limit(1)) is not None
