"""From the ranked list to what every applicant is told, on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import service as accounts
from portal.accounts.models import Person, Role
from portal.applications.models import ApplicationStatus
from portal.core import clock
from portal.core.money import usd
from portal.core.outbox import Message
from portal.core.workflow import Refused
from portal.funds.models import CallStatus
from portal.ledger import service as ledger
from portal.reviews import service
from portal.reviews.models import (
    RecommendationStatus,
    Verdict,
)
from portal.reviews.service import recommending
from tests.make.accounts import administrator, messages, person, representative_of
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
)

Db = scoped_session[Session]
Status = ApplicationStatus
pytestmark = pytest.mark.usefixtures("app")


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
