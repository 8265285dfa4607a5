"""The verbs of reviews, on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import service as accounts
from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications import service as applications_service
from portal.applications.models import ApplicationStatus, Recusal
from portal.core import clock
from portal.core.audit import case_events
from portal.core.money import usd
from portal.core.outbox import Message
from portal.core.workflow import Refused
from portal.funds.models import CallStatus
from portal.ledger import service as ledger
from portal.reviews import service
from portal.reviews.models import (
    Decision,
    Finding,
    RecommendationStatus,
    ScoreSheet,
    SheetStatus,
    Verdict,
)
from portal.reviews.service import recommending
from tests.make.accounts import administrator, messages, person, representative_of
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.applications import officer as make_officer
from tests.make.reviews import (
    cast,
    decided,
    in_review,
    money,
    recommended,
    reviewed,
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


def test_a_recommendation_gives_reasons_to_who_is_not_funded(db: Db) -> None:
    call = make_call(envelope_usd=500_000)
    people = cast(call)
    best, other = reviewed(call, people, 5), reviewed(call, people, 2)
    draft = service.draft_recommendation(call, by=people.recommender)
    assert [line.application for line in draft.lines] == [best, other]
    assert [line.verdict for line in draft.lines] == [Verdict.FUND, Verdict.RESERVE]
    with pytest.raises(Refused, match="Write the reasons") as refused:
        service.make_recommendation(draft, by=people.recommender)
    assert other.ref in refused.value.sentence
    db.rollback()


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [(0, "Give an amount"), (-1, "Give an amount"), (480_001, "more cannot be recommended")],
)
def test_amounts_stay_within_the_request(db: Db, amount: int, sentence: str) -> None:
    call = make_call()
    people = cast(call)
    reviewed(call, people)
    (line,) = service.draft_recommendation(call, by=people.recommender).lines
    with pytest.raises(Refused, match=sentence):
        service.set_line(line, Verdict.FUND, amount, "", by=people.recommender)
    assert db.is_active


def test_no_more_than_the_call_holds(db: Db) -> None:
    call = make_call(envelope_usd=500_000)
    people = cast(call)
    reviewed(call, people)
    reviewed(call, people)
    draft = service.draft_recommendation(call, by=people.recommender)
    for line in draft.lines:
        service.set_line(line, Verdict.FUND, 300_000, "", by=people.recommender)
    with pytest.raises(Refused, match="the call has") as refused:
        service.make_recommendation(draft, by=people.recommender)
    assert refused.value.rule == "R19"
    assert db.is_active


def test_no_more_than_the_fund_has_in_all_its_calls(db: Db) -> None:
    first, second = make_call(), make_call()
    people = cast(first)
    money_left = 1_000_000
    recommended_first = decided(of=first, people=people)
    reviewed(second, people)
    draft = service.draft_recommendation(second, by=people.recommender)
    recommending.demand_money(draft)
    spend = 50_000_000 - recommended_first.amount_usd - money_left
    ledger.commit_funds("act", "award:else", usd(spend), by=None)
    recommending.demand_money(draft)
    ledger.commit_funds("act", "award:more", usd(money_left - 1), by=None)
    with pytest.raises(Refused, match="the fund can award"):
        service.make_recommendation(draft, by=people.recommender)
    assert db.is_active


def test_a_list_that_is_out_of_date_is_looked_at_again(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = reviewed(call, people, 5)
    draft = service.draft_recommendation(call, by=people.recommender)
    score(made, reviewer(call), 1)
    with pytest.raises(Refused, match="came or went"):
        service.make_recommendation(draft, by=people.recommender)
    again = service.draft_recommendation(call, by=people.recommender)
    assert again is draft
    service.make_recommendation(again, by=people.recommender)
    db.commit()
    assert made.status is Status.RECOMMENDED


def test_another_person_decides(db: Db) -> None:
    call = make_call()
    people = cast(call)
    reviewed(call, people)
    list_ = recommended(call, people)
    for part in (people.officer, people.recommender, people.reviewers[0]):
        with pytest.raises(Refused, match="somebody else"):
            service.approve(list_, by=part)
    giver = administrator()
    for part in (people.officer, people.reviewers[0]):
        accounts.grant_role(part, Role.APPROVING_AUTHORITY, fund="act", by=giver)
        with pytest.raises(Refused, match="somebody else"):
            service.approve(list_, by=part)
    service.approve(list_, by=people.approver)
    db.commit()
    assert list_.status is RecommendationStatus.APPROVED


def test_everybody_is_told_in_writing(db: Db) -> None:
    call = make_call(envelope_usd=500_000)
    people = cast(call)
    granted, refused = reviewed(call, people, 5), reviewed(call, people, 2)
    draft = service.draft_recommendation(call, by=people.recommender)
    line = draft.lines[1]
    service.set_line(line, Verdict.DECLINE, 0, "Too far from the call.", by=people.recommender)
    service.make_recommendation(draft, by=people.recommender)
    assert messages(people.approver.email, "recommendation_waiting")
    decisions = service.approve(draft, by=people.approver)
    assert service.approve(draft, by=people.approver) == decisions
    db.commit()
    assert {each.application: each.approved for each in decisions} == {
        granted: True,
        refused: False,
    }
    assert (granted.status, refused.status) == (Status.APPROVED, Status.REFUSED)
    for made in (granted, refused):
        assert messages(representative_of(made.organisation).email, "decision_made")
    assert decisions[0].reasons
    assert call.status is CallStatus.OPEN


def test_the_call_is_decided_with_its_last_application_after_the_deadline(db: Db) -> None:
    call = make_call()
    people = cast(call)
    reviewed(call, people)
    list_ = recommended(call, people)
    with clock.at(call.closes_at + timedelta(days=1)):
        service.approve(list_, by=people.approver)
    db.commit()
    assert call.status is CallStatus.DECIDED


def test_the_reserve_waits_for_a_later_round(db: Db) -> None:
    call = make_call(envelope_usd=500_000)
    people = cast(call)
    reviewed(call, people, 5)
    waiting = reviewed(call, people, 2)
    service.approve(recommended(call, people), by=people.approver)
    assert waiting.status is Status.IN_REVIEW
    assert messages(representative_of(waiting.organisation).email, "on_the_reserve_list")
    second = service.draft_recommendation(call, by=people.recommender)
    db.commit()
    assert second.round == 2
    assert [line.application for line in second.lines] == [waiting]
    assert second.lines[0].verdict is Verdict.RESERVE


def test_what_was_sent_back_keeps_its_words(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = reviewed(call, people)
    draft = service.draft_recommendation(call, by=people.recommender)
    service.set_line(
        draft.lines[0], Verdict.FUND, 400_000, "Travel is too dear.", by=people.recommender
    )
    service.make_recommendation(draft, by=people.recommender)
    service.make_recommendation(draft, by=people.recommender)
    with pytest.raises(Refused, match="looked at again"):
        service.send_back(draft, " ", by=people.approver)
    service.send_back(draft, "Why is travel cut?", by=people.approver)
    assert made.status is Status.IN_REVIEW
    assert messages(people.recommender.email, "recommendation_returned")
    second = service.draft_recommendation(call, by=people.recommender)
    db.commit()
    assert (second.round, second.lines[0].recommended_usd) == (2, 400_000)
    assert second.lines[0].reasons == "Travel is too dear."
    service.make_recommendation(second, by=people.recommender)
    assert service.approve(second, by=people.approver)[0].amount_usd == 400_000


def test_decisions_and_lists_are_final_in_the_database(db: Db) -> None:
    decision = decided()
    db.commit()
    decision.amount_usd = 1
    with pytest.raises(IntegrityError, match="a decision is final"):
        db.commit()
    db.rollback()


def test_no_message_says_what_it_is_about(db: Db) -> None:
    decision = decided()
    db.commit()
    for message in db.scalars(select(Message)):
        for secret in (decision.application.title, "Kenya", "Communities", "4,800"):
            assert secret not in message.subject + message.body


def test_nobody_without_the_role_takes_a_step(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    strangers: list[Person] = [
        representative_of(made.organisation),
        person(),
        make_officer("vftc"),
        people.approver,
    ]
    for stranger in strangers:
        with pytest.raises(Refused):
            service.declare_no_conflict(made, by=stranger)
        with pytest.raises(Refused):
            service.draft_recommendation(call, by=stranger)
    money("vftc")
    assert db.is_active
