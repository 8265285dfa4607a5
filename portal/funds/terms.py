"""What waits for somebody by a term of its fund: the same day on every home page and case file."""

from dataclasses import replace
from datetime import datetime

from portal.core.todo import Todo
from portal.funds.profile import Profile, Step


def within_term(task: Todo, fund: Profile, step: Step, since: datetime | None) -> Todo:
    """Return `task` with its day: that on which the fund's term for `step` is over.

    It waits `since` a moment (UTC); None where the record does not say: then it has no day.
    """
    if since is None:
        return task
    terms = fund.process.terms
    due, unconfirmed = terms.due_on(step, since), terms.mark == "T"
    return replace(task, due=due, since=since, unconfirmed=unconfirmed)
