"""The verbs of reviews, on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.applications import policy as applications
from portal.applications import service as applications_service
from portal.applications.models import ApplicationStatus, Recusal
from portal.core import clock
from portal.core.audit import case_events
from portal.core.workflow import Refused
from portal.reviews import service
from portal.reviews.models import (
    Decision,
    Finding,
    ScoreSheet,
    SheetStatus,
)
from tests.make.accounts import messages, person, representative_of
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.applications import officer as make_officer
from tests.make.reviews import (
    cast,
    decided,
    in_review,
    reviewer,
    score,
    screen,
)

Db = scoped_session[Session]
Status = ApplicationStatus
pytestmark = pytest.mark.usefixtures("app")


def actions(case: object) -> list[str]:
    return [event.action for event in case_events(getattr(case, "id"))]  # noqa: B009


@pytest.mark.parametrize("fund", ["act", "vftc", "upr-i", "upr-p", "ldc-sids"])
def test_each_fund_decides_by_its_own_process(db: Db, fund: str) -> None:
    decision = decided(fund)
    db.commit()
    assert decision.approved
    assert decision.amount_usd == decision.application.requested_usd
    assert decision.application.status is Status.APPROVED
    said = actions(decision.application)
    middle = "review.completed" if decision.application.fund.criteria else "entitlement.checked"
    order = [
        "application.submitted",
        "screening.completed",
        middle,
        "recommendation.made",
        "decision.approved",
    ]
    assert [each for each in said if each in order] == order


def test_the_checklist_is_made_from_the_rules(db: Db) -> None:
    made = make_application()
    items = service.prepare_checklist(made)
    db.commit()
    assert [item.rule for item in items] == [rule.rule for rule in made.fund.eligibility]
    assert {item.finding for item in items} == {Finding.OPEN}
    assert [item.id for item in service.prepare_checklist(made)] == [item.id for item in items]


def test_a_waiver_and_a_contradiction_are_explained(db: Db) -> None:
    made = make_application()
    officer = make_officer("act")
    item = service.prepare_checklist(made)[0]
    with pytest.raises(Refused, match="why this is waived"):
        service.record_finding(item, Finding.WAIVED, " ", by=officer)
    item.outcome = False
    db.flush()
    with pytest.raises(Refused, match="found otherwise"):
        service.record_finding(item, Finding.MET, "", by=officer)
    service.record_finding(item, Finding.MET, "The register says so.", by=officer)
    db.commit()
    assert item.checked_by_id == officer.id


def test_screening_waits_for_every_item(db: Db) -> None:
    made = make_application()
    officer = make_officer("act")
    items = service.prepare_checklist(made)
    for item in items[:-1]:
        service.record_finding(item, Finding.MET, "Seen.", by=officer)
    with pytest.raises(Refused, match="is open") as refused:
        service.complete_screening(made, by=officer)
    assert refused.value.rule == items[-1].rule
    service.record_finding(items[-1], Finding.NOT_MET, "", by=officer)
    with pytest.raises(Refused, match="is not met"):
        service.complete_screening(made, by=officer)
    service.record_finding(items[-1], Finding.WAIVED, "Explained by telephone.", by=officer)
    service.complete_screening(made, by=officer)
    db.commit()
    assert made.status is Status.IN_REVIEW
    with pytest.raises(Refused, match="Screening is over"):
        service.record_finding(items[0], Finding.NOT_MET, "", by=officer)


def test_what_was_checked_before_the_last_submission_is_open_again(db: Db) -> None:
    made = make_application()
    officer = make_officer("act")
    item = service.prepare_checklist(made)[0]
    service.record_finding(item, Finding.MET, "Seen.", by=officer)
    signs = representative_of(made.organisation)
    with clock.at(clock.now() + timedelta(hours=1)):
        applications_service.reopen(made, by=signs)
        applications_service.submit(made, by=signs)
        assert service.prepare_checklist(made)[0].finding is Finding.OPEN
    assert db.is_active


def test_an_inadmissible_applicant_is_told_the_rule_and_why(db: Db) -> None:
    made = make_application()
    officer = make_officer("act")
    with pytest.raises(Refused, match="Choose the rule"):
        service.declare_inadmissible(made, "R99", "No.", by=officer)
    with pytest.raises(Refused, match="Write the reasons"):
        service.declare_inadmissible(made, "R6", "  ", by=officer)
    service.declare_inadmissible(made, "R6", "The organisation is three weeks old.", by=officer)
    db.commit()
    decision = db.scalars(select(Decision)).one()
    assert (decision.approved, decision.rule) == (False, "R6")
    assert made.status is Status.INADMISSIBLE
    signs = representative_of(made.organisation)
    (message,) = messages(signs.email, "decision_made")
    assert message.link == f"/files/{made.ref}/decision"
    assert "Communities" not in message.subject + message.body


def test_interests_are_declared_before_anything_is_scored(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    reader = people.reviewers[0]
    with pytest.raises(Refused, match="Declare first"):
        service.save_sheet(made, {}, {}, "", by=reader)
    service.declare_no_conflict(made, by=reader)
    service.declare_no_conflict(made, by=reader)
    with pytest.raises(Refused, match="from 0 to 5"):
        service.save_sheet(made, {"need": 6}, {}, "", by=reader)
    with pytest.raises(Refused, match="published criteria"):
        service.save_sheet(made, {"charm": 1}, {}, "", by=reader)
    service.save_sheet(made, {"need": 3}, {"need": "Clear."}, "", by=reader)
    with pytest.raises(Refused, match="Give points and a justification"):
        service.submit_sheet(made, by=reader)
    db.commit()


def test_a_submitted_sheet_stands_still(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    sheet = score(made, people.reviewers[0])
    assert service.submit_sheet(made, by=people.reviewers[0]) is sheet
    with pytest.raises(Refused, match="cannot be changed any more"):
        service.save_sheet(made, {"need": 0}, {}, "", by=people.reviewers[0])
    db.commit()
    sheet.scores[0].points = 0
    with pytest.raises(IntegrityError, match="stand still"):
        db.commit()
    db.rollback()


def test_the_review_is_complete_with_the_last_sheet_that_it_needs(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    for reader in people.reviewers[:-1]:
        score(made, reader)
    assert "review.completed" not in actions(made)
    assert service.draft_recommendation(call, by=people.recommender).lines == []
    score(made, people.reviewers[-1])
    assert actions(made).count("review.completed") == 1
    score(made, reviewer(call))
    db.commit()
    assert actions(made).count("review.completed") == 1
    assert messages(people.recommender.email, "review_complete")


def test_a_conflict_sets_the_sheet_aside_and_the_application_is_gone(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    reader = people.reviewers[0]
    sheet = score(made, reader)
    with pytest.raises(Refused, match="what ties you"):
        service.declare_conflict(made, " ", by=reader)
    service.declare_conflict(made, "My sister works there.", by=reader)
    db.commit()
    assert sheet.status is SheetStatus.SET_ASIDE
    assert not applications.can_view(reader, made)
    recusal = db.scalars(select(Recusal)).one()
    assert b"sister" not in recusal.sealed_reason
    with pytest.raises(Refused):
        service.save_sheet(made, {"need": 1}, {}, "", by=reader)


def test_the_database_knows_that_nobody_recused_scores(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    reader = people.reviewers[0]
    service.declare_conflict(made, "My sister works there.", by=reader)
    db.commit()
    db.add(ScoreSheet(application=made, reviewer=reader))
    with pytest.raises(IntegrityError, match="recused does not score"):
        db.commit()
    db.rollback()


def test_trustees_whose_state_applies_are_recused_by_themselves(db: Db) -> None:
    call = make_call("vftc")
    people = cast(call)
    made = make_application(of=call)
    national = reviewer(call, nationality=made.country)
    screen(made, people.officer)
    db.commit()
    assert not applications.can_view(national, made)
    assert not messages(national.email, "review_waiting")
    assert all(messages(each.email, "review_waiting") for each in people.reviewers)
    late = reviewer(call, nationality=made.country)
    with pytest.raises(Refused):
        service.declare_no_conflict(made, by=late)


def test_members_of_a_local_task_force_are_nationals_of_course(db: Db) -> None:
    call = make_call()
    people = cast(call)
    local = reviewer(call, nationality="KEN")
    made = in_review(call, people)
    service.declare_no_conflict(made, by=local)
    db.commit()


def test_whoever_acts_for_the_office_never_scores(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    for role in (Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY, Role.BOARD_SECRETARY):
        both = person(roles=[(Role.TASK_FORCE, "act", None), (role, "act", None)])
        with pytest.raises(Refused, match="somebody else"):
            service.declare_no_conflict(made, by=both)
    assert db.is_active
