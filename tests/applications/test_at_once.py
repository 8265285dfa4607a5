"""Two at once, on real transactions: submitting twice, saving while it is being submitted."""

from collections.abc import Callable
from threading import Barrier, Thread
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.accounts.models import Person
from portal.applications import queries, service
from portal.applications.models import Application, ApplicationStatus, Submission
from portal.core.db import session
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from tests.make.accounts import member, representative_of
from tests.make.applications import draft, fill

Act = Callable[[Application, Person], object]


def together(case: UUID, *acts: tuple[UUID, Act]) -> list[str]:
    """Let several people act at the same moment, each in a transaction of their own."""
    start, said = Barrier(len(acts)), []

    def run(who: UUID, act: Act) -> None:
        try:
            found, person = session.get_one(Application, case), session.get_one(Person, who)
            start.wait(10)
            act(found, person)
            session.commit()
            said.append("done")
        except Refused as refused:
            session.rollback()
            said.append(refused.sentence)
        finally:
            session.remove()

    threads = [Thread(target=run, args=each) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return said


@pytest.mark.usefixtures("application", "fresh_database")
def test_two_clicks_at_the_same_moment_make_one_submission() -> None:
    made = fill(draft())
    case, signs = made.id, representative_of(made.organisation).id
    session.commit()

    def submit(found: Application, who: Person) -> object:
        return service.submit(found, by=who)

    assert together(case, *[(signs, submit)] * 3) == ["done"] * 3
    assert session.scalar(sa.select(sa.func.count()).select_from(Submission)) == 1


@pytest.mark.usefixtures("application", "fresh_database")
def test_what_is_saved_while_it_is_submitted_is_either_in_it_or_refused() -> None:
    made = fill(draft())
    case = made.id
    signs, writes = representative_of(made.organisation).id, member(made.organisation).id
    session.commit()

    def submit(found: Application, who: Person) -> object:
        return service.submit(found, by=who)

    def save(found: Application, who: Person) -> object:
        return service.save_answers(found, "need", {"title": "Saved meanwhile"}, by=who)

    said = together(case, (signs, submit), (writes, save))
    found = session.get_one(Application, case)
    frozen = queries.last_submission(found)
    assert found.status is ApplicationStatus.SUBMITTED
    assert frozen is not None
    body = queries.submitted_body(frozen)
    assert sha256_hex(body) == frozen.digest
    title = queries.answers(found)["title"]
    assert queries.frozen_contents(frozen).answers["title"] == title == found.title
    assert (title == "Saved meanwhile") == (said == ["done", "done"])
