"""What each person finds on their home page while a call is in review."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person
from portal.reviews import queries, service
from tests.conftest import SqlCount
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.reviews import cast, in_review, recommended, reviewed, score

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]
pytestmark = pytest.mark.usefixtures("app")


def endpoints(who: Person) -> list[str]:
    return [todo.endpoint for todo in queries.todos(who)]


def test_each_finds_the_step_that_is_theirs(db: Db) -> None:
    call = make_call()
    people = cast(call)
    reader = people.reviewers[1]
    make_application(of=call)
    assert endpoints(people.officer) == ["reviews.screening"]
    made = in_review(call, people)
    assert endpoints(reader) == ["reviews.interests"]
    service.declare_no_conflict(made, by=reader)
    assert endpoints(reader) == ["reviews.score"]
    for each in people.reviewers:
        score(made, each)
    assert endpoints(people.officer) == ["reviews.screening"]
    assert endpoints(people.recommender) == ["reviews.recommendation"]
    assert endpoints(people.approver) == []
    list_ = recommended(call, people)
    assert endpoints(people.approver) == ["reviews.recommendation"]
    service.approve(list_, by=people.approver)
    assert endpoints(people.approver) == []
    assert db.is_active


def test_the_entitlement_is_a_step_of_its_own(db: Db) -> None:
    call = make_call("upr-p")
    people = cast(call)
    made = in_review(call, people)
    assert endpoints(people.officer) == ["reviews.entitlement"]
    service.check_entitlement(made, by=people.officer)
    assert endpoints(people.officer) == ["reviews.recommendation"]
    assert db.is_active


def test_todos_run_the_same_statements_however_many_there_are(db: Db, count_sql: Count) -> None:
    call = make_call()
    people = cast(call)
    totals: list[list[int]] = []
    for points in (3, 4):
        reviewed(call, people, points)
        in_review(call, people)
        db.commit()
        totals.append([])
        for who in (people.officer, people.reviewers[0], people.approver):
            db.expire_all()
            db.refresh(who)
            assert who.roles
            assert not who.memberships
            with count_sql() as count:
                queries.todos(who)
            totals[-1].append(count.total)
    assert totals[0] == totals[1]
    assert max(totals[0]) <= 6
