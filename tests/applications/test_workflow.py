"""Every status × every action × every role, against a table written a second time by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import service as accounts
from portal.accounts.models import Person, Role
from portal.applications.models import Application, ApplicationAction, ApplicationStatus, Recusal
from portal.applications.workflow import WORKFLOW
from portal.core import clock
from portal.core.crypto import seal
from tests.make.accounts import administrator, member, organisation, person, representative_of
from tests.make.applications import application, call

Db = scoped_session[Session]
Action = ApplicationAction
Status = ApplicationStatus
pytestmark = pytest.mark.usefixtures("app")

SIGNS, WRITES, OTHER = "representative", "editor", "somebody else"
OFFICER = Role.PROGRAMME_OFFICER.value
AUTHORITY = Role.APPROVING_AUTHORITY.value
READER = Role.TASK_FORCE.value

ALLOWED: dict[tuple[Action, Status], tuple[set[str], Status]] = {
    (Action.SUBMIT, Status.DRAFT): ({SIGNS}, Status.SUBMITTED),
    (Action.REOPEN, Status.SUBMITTED): ({SIGNS}, Status.DRAFT),
    (Action.WITHDRAW, Status.DRAFT): ({SIGNS}, Status.WITHDRAWN),
    (Action.WITHDRAW, Status.SUBMITTED): ({SIGNS}, Status.WITHDRAWN),
    (Action.WITHDRAW, Status.CLARIFICATION): ({SIGNS}, Status.WITHDRAWN),
    (Action.WITHDRAW, Status.IN_REVIEW): ({SIGNS}, Status.WITHDRAWN),
    (Action.ASK, Status.SUBMITTED): ({OFFICER}, Status.CLARIFICATION),
    (Action.ANSWER, Status.CLARIFICATION): ({SIGNS, WRITES}, Status.SUBMITTED),
    (Action.COMPLETE_SCREENING, Status.SUBMITTED): ({OFFICER}, Status.IN_REVIEW),
    (Action.DECLARE_INADMISSIBLE, Status.SUBMITTED): ({OFFICER}, Status.INADMISSIBLE),
    (Action.DECLARE_INADMISSIBLE, Status.CLARIFICATION): ({OFFICER}, Status.INADMISSIBLE),
    (Action.RECOMMEND, Status.IN_REVIEW): ({READER}, Status.RECOMMENDED),
    (Action.RETURN, Status.RECOMMENDED): ({AUTHORITY}, Status.IN_REVIEW),
    (Action.APPROVE, Status.RECOMMENDED): ({AUTHORITY}, Status.APPROVED),
    (Action.REFUSE, Status.RECOMMENDED): ({AUTHORITY}, Status.REFUSED),
}


@dataclass
class Stage:
    """An application and everybody who might act on it."""

    application: Application
    people: dict[str, Person]


@pytest.fixture
def stage(db: Db) -> Iterator[Stage]:
    """Return a submitted ACT application, moved to any status inside the session only."""
    made = application(of=call("act"))
    people = {role.value: person(roles=[(role, "act", made.country)]) for role in Role}
    people |= {
        SIGNS: representative_of(made.organisation),
        WRITES: member(made.organisation),
        OTHER: representative_of(organisation()),
    }
    with db.no_autoflush:
        yield Stage(made, people)
        db.expire(made)


def test_each_status_action_and_role_is_as_the_table_says(stage: Stage) -> None:
    made, wrong = stage.application, []
    for status in Status:
        made.status = status
        for name, who in stage.people.items():
            offered = {offer.action for offer in WORKFLOW.offers(who, made)}
            for action in Action:
                expected = name in ALLOWED.get((action, status), (set(), None))[0]
                if (action in offered) != expected:
                    wrong.append((status.value, action.value, name, expected))
    assert wrong == []


def test_each_row_leads_where_the_table_says(stage: Stage) -> None:
    made, rows = stage.application, 0
    for (action, status), (_names, target) in ALLOWED.items():
        made.status = status
        found = WORKFLOW.find(made, action)
        assert found is not None
        assert found.target is target
        rows += 1
    assert rows == sum(len(row.sources) for row in WORKFLOW.rows)


def test_after_the_deadline_sending_waits_with_its_reason(stage: Stage) -> None:
    made, signs = stage.application, stage.people[SIGNS]
    with clock.at(made.call.closes_at + timedelta(seconds=1)):
        offers = {offer.action: offer.refusal for offer in WORKFLOW.offers(signs, made)}
    assert "deadline has passed" in str(offers[Action.REOPEN])
    assert offers[Action.WITHDRAW] is None


def test_an_officer_who_is_recused_or_of_another_place_is_offered_nothing(
    stage: Stage, db: Db
) -> None:
    made = stage.application
    elsewhere = person(roles=[(Role.PROGRAMME_OFFICER, "act", "NPL")])
    other_fund = person(roles=[(Role.PROGRAMME_OFFICER, "vftc", None)])
    recused = stage.people[OFFICER]
    db.add(
        Recusal(
            application=made,
            person=recused,
            sealed_reason=seal(made.sealing_key, "cousin", "recusal"),
        )
    )
    db.flush()
    for who in (elsewhere, other_fund, recused):
        assert WORKFLOW.offers(who, made) == []


def test_nobody_acts_for_the_funds_on_their_own_organisation(stage: Stage) -> None:
    made = stage.application
    joined = member(made.organisation)
    accounts.grant_role(
        joined, Role.PROGRAMME_OFFICER, fund="act", country=None, by=administrator()
    )
    made.status = Status.SUBMITTED
    assert joined.has_role(Role.PROGRAMME_OFFICER, "act")
    assert WORKFLOW.offers(joined, made) == []
