"""Who sees what of a review; what somebody is recused from can be inferred from nowhere."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import service as accounts
from portal.accounts.models import Person, Role
from portal.applications.models import Application
from portal.core.outbox import Message
from portal.reviews import policy, queries, service
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.make.accounts import PASSWORD, administrator, person, representative_of
from tests.make.applications import call as make_call
from tests.make.reviews import Cast, cast, in_review, recommended, reviewed, reviewer, score

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def three(db: Db) -> tuple[Cast, list[Application], Person]:
    """Return three applications that were scored, and a reader recused from the best of them."""
    call = make_call("vftc")
    people = cast(call)
    recused = reviewer(call, name="Recused Reader")
    made = [reviewed(call, people, points) for points in (5, 4, 3)]
    service.declare_conflict(made[0], "I advised them.", by=recused)
    for each in made[1:]:
        score(each, recused, 4)
    db.commit()
    return people, made, recused


def test_others_scores_are_hidden_until_ones_own_sheet_is_in(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    first, second = people.reviewers[:2]
    score(made, first)
    assert policy.can_see_scores(first, made)
    assert not policy.can_see_scores(second, made)
    score(made, second, submit=False)
    assert not policy.can_see_scores(second, made)
    service.submit_sheet(made, by=second)
    assert policy.can_see_scores(second, made)
    assert db.is_active


def test_a_second_role_opens_no_scores_to_a_reviewer(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    score(made, people.reviewers[0])
    both = person(roles=[(Role.TASK_FORCE, "act", "KEN"), (Role.AUDITOR, None, None)])
    assert not policy.can_see_scores(both, made)
    assert not policy.reads_all_scores(both, call)
    assert db.is_active


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.PROGRAMME_OFFICER, True),
        (Role.APPROVING_AUTHORITY, True),
        (Role.AUDITOR, True),
        (Role.BOARD_SECRETARY, True),
        (Role.FINANCE_OFFICER, False),
        (Role.TREASURY, False),
        (Role.CERTIFYING_OFFICER, False),
        (Role.APPROVING_OFFICER, False),
        (Role.DONOR_RELATIONS, False),
        (Role.PUBLICATION, False),
        (Role.ADMINISTRATOR, False),
        (Role.TASK_FORCE, False),
        (Role.TRUSTEE, False),
    ],
)
def test_scores_are_for_those_who_need_them(db: Db, role: Role, sees: bool) -> None:  # noqa: FBT001
    call = make_call()
    people = cast(call)
    made = reviewed(call, people)
    recommended(call, people)
    somebody = person(roles=[role])
    assert policy.can_see_scores(somebody, made) is sees
    assert policy.reads_all_scores(somebody, call) is sees
    assert not policy.can_see_scores(representative_of(made.organisation), made)
    assert db.is_active


def test_a_grant_for_one_country_does_not_open_a_list_of_several(db: Db) -> None:
    call = make_call()
    assert set(call.countries) == {"KEN", "NPL"}
    half = person(roles=[(Role.APPROVING_AUTHORITY, "act", "KEN")])
    assert not policy.reads_all_scores(half, call)
    whole = person(
        roles=[(Role.APPROVING_AUTHORITY, "act", "KEN"), (Role.APPROVING_AUTHORITY, "act", "NPL")]
    )
    assert policy.reads_all_scores(whole, call)
    assert db.is_active


def test_who_works_for_an_applicant_reads_no_list_of_its_call(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    insider = representative_of(made.organisation)
    accounts.grant_role(insider, Role.AUDITOR, by=administrator())
    db.commit()
    assert not policy.reads_all_scores(insider, call)


def test_who_is_recused_from_one_reads_no_list_of_the_call(
    three: tuple[Cast, list[Application], Person],
) -> None:
    _people, made, recused = three
    accounts.grant_role(recused, Role.APPROVING_AUTHORITY, by=administrator())
    assert not policy.reads_all_scores(recused, made[0].call)
    assert queries.calls_in_review(recused) == []
    assert all(todo.endpoint != "reviews.recommendation" for todo in queries.todos(recused))


def test_lists_and_counts_know_nothing_of_it(
    three: tuple[Cast, list[Application], Person],
) -> None:
    people, made, recused = three
    assert made[0] not in [each.application for each in queries.assignments(recused)]
    assert len(queries.assignments(recused)) == 2
    assert len(queries.assignments(people.reviewers[0])) == 3


def _texts(browser: Browser, who: Person, paths: list[str]) -> dict[str, str]:
    browser.sign_in(who.email, PASSWORD)
    found = {}
    for path in paths:
        browser.open(path)
        found[path] = browser.response.get_data(as_text=True)
    return found


def test_no_page_betrays_it_and_ranks_close_the_gap(
    db: Db, browser: Browser, three: tuple[Cast, list[Application], Person]
) -> None:
    _people, made, recused = three
    secret = made[0]
    secrets = (secret.ref, secret.organisation.name, str(secret.id))
    ref = secret.call.ref
    paths = [
        "/home",
        "/reviews",
        "/files",
        f"/reviews/calls/{ref}/interests",
        f"/reviews/calls/{ref}/ranking",
        f"/reviews/calls/{ref}/recommendation",
        f"/files/{secret.ref}",
        f"/files/{secret.ref}/review",
        f"/files/{secret.ref}/decision",
        f"/reviews/{secret.ref}",
    ]
    db.commit()
    db.refresh(recused)
    for path, text in _texts(browser, recused, paths).items():
        for word in secrets:
            assert word not in text.replace(path, ""), (path, word)
    table = taken(browser, "/files.csv").get_data(as_text=True)
    assert [word for word in secrets if word in table] == []
    page = browser.open(f"/reviews/calls/{ref}/ranking", 200)
    ranks = [
        "".join(cell.itertext()).strip()[:1]
        for cell in page.all("td")
        if "rank" in cell.get("class", "")
    ]
    assert ranks == ["1", "2"]
    for path in (paths[5], *paths[6:10]):
        browser.open(path, 404)


def test_no_message_reaches_who_is_recused_after_it(
    db: Db, three: tuple[Cast, list[Application], Person]
) -> None:
    people, made, recused = three
    before = _messages(db, recused)
    service.approve(recommended(made[0].call, people), by=people.approver)
    db.commit()
    assert _messages(db, recused) == before


def _messages(db: Db, who: Person) -> list[str]:
    return [each.key for each in db.scalars(select(Message).where(Message.recipient == who.email))]


@pytest.mark.parametrize(
    "grown", [lambda people: people.officer, lambda people: people.reviewers[0]]
)
def test_no_second_role_lets_anybody_decide_what_they_had_a_part_in(
    db: Db, grown: Callable[[Cast], Person]
) -> None:
    call = make_call()
    people = cast(call)
    reviewed(call, people)
    list_ = recommended(call, people)
    twice = grown(people)
    accounts.grant_role(twice, Role.APPROVING_AUTHORITY, by=administrator())
    assert not policy.can_decide(twice, list_)
    assert policy.can_decide(people.approver, list_)
    assert db.is_active


def test_the_body_of_small_grants_recommends_and_the_officer_who_screened_does_not() -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    chair, second = people.reviewers[:2]
    assert not policy.recommends_in(chair, call), "no sheet of the chair is in"
    score(made, chair)
    assert policy.recommends_in(chair, call)
    assert policy.reads_all_scores(chair, call)
    assert not policy.recommends_in(second, call)
    assert not policy.recommends_in(people.officer, call)
    local = person(roles=[(Role.TASK_FORCE, "act", "KEN")])
    score(made, local)
    assert not policy.recommends_in(local, call), "the call names Nepal too"
    another = in_review(call, people)
    assert not policy.recommends_in(chair, call), "one more waits for the chair's sheet"
    service.declare_conflict(another, "My sister works there.", by=chair)
    assert not policy.recommends_in(chair, call), "recused from one of the files"
    assert not policy.reads_all_scores(chair, call)
