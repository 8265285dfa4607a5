"""Where a file is, who has it, by when: from the acts on record."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from portal.applications import journey, service
from portal.applications.models import ApplicationStatus as Status
from portal.core import audit, clock
from tests.make.accounts import representative_of
from tests.make.applications import application, draft

pytestmark = pytest.mark.usefixtures("app")


def test_a_draft_is_with_the_applicant_until_the_call_closes() -> None:
    made = draft()
    first = journey.line(made)[0]
    assert (first.state, first.due) == ("present", made.call.closes_at)


def test_submitted_taken_back_and_submitted_again() -> None:
    made = application()
    signs = representative_of(made.organisation)
    assert [each.state for each in journey.line(made)[:3]] == ["passed", "present", "coming"]
    service.reopen(made, by=signs)
    assert journey.line(made)[0].state == "present"
    service.submit(made, by=signs)
    assert journey.line(made)[0].state == "passed"


def test_while_a_question_is_open_the_applicant_has_it() -> None:
    made = application(Status.CLARIFICATION)
    until = clock.now() + timedelta(days=3)
    present = journey.line(made, asked_until=until)[1]
    assert (present.state, present.actor, present.due) == ("present", "The applicant", until)
    assert journey.lines([made])[made.id][1].actor == "The applicant"


def test_withdrawn_ends_there() -> None:
    made = application(Status.WITHDRAWN)
    last = journey.line(made)[-1]
    assert (last.state, last.label) == ("stopped", "Withdrawn")
    assert last.on is not None
    with clock.at(clock.now() + timedelta(days=3)):
        audit.record("application.sealed_answers_read", made, actor_id=None, case_id=made.id)
    assert journey.line(made)[-1].on == last.on


@pytest.mark.parametrize(
    ("status", "act", "later", "label"),
    [
        (Status.INADMISSIBLE, "screening.inadmissible", "attachment.removed", "Inadmissible"),
        (Status.REFUSED, "decision.refused", "application.sealed_answers_read", "Not selected"),
        (Status.APPROVED, "award.terminate", "instalment.paid:1", "Terminated"),
        (Status.APPROVED, "award.decline", "award.offered", "Declined by the grantee"),
    ],
)
def test_nothing_that_happens_later_moves_the_day_on_which_a_file_ended(
    status: Status, act: str, later: str, label: str
) -> None:
    made = application()
    made.status = status
    ended = clock.now()
    for days, action in enumerate((act, later, "application.marked_sensitive")):
        with clock.at(ended + timedelta(days=days)):
            audit.record(action, made, actor_id=None, case_id=made.id)
    found = journey.line(made)
    assert (found[-1].state, found[-1].label, found[-1].on) == ("stopped", label, ended)
    assert str(found.standing.label) == label


@pytest.mark.parametrize("undone", ["recommendation.returned", "decision.reserved"])
def test_sent_back_to_the_body_the_recommendation_no_longer_counts(undone: str) -> None:
    made = application()
    for action in ("screening.completed", "review.completed", "recommendation.made"):
        audit.record(action, made, actor_id=None, case_id=made.id)
    assert [each.key for each in journey.line(made) if each.state == "present"] == ["decided"]
    audit.record(undone, made, actor_id=None, case_id=made.id)
    assert [each.key for each in journey.line(made) if each.state == "present"] == ["recommended"]


def test_a_payment_that_came_back_was_not_passed_until_it_is_paid_anew() -> None:
    made, order = application(), application()
    audit.record("screening.completed", made, actor_id=None, case_id=made.id)
    audit.record("agreement.signed", made, actor_id=None, case_id=made.id)

    def station() -> str:
        return next(each.state for each in journey.line(made) if each.key == "first_payment")

    before = station()
    for action, state in (
        ("instalment.paid:1", "passed"),
        ("payment_order.return", before),
        ("instalment.paid:1", "passed"),
    ):
        audit.record(action, order, actor_id=None, case_id=made.id)
        assert station() == state
    audit.record("payment_order.return", made, actor_id=None, case_id=made.id)
    assert (before, station()) == ("present", "passed")


def test_while_money_is_owed_the_grantee_has_it() -> None:
    made = application()
    for action in ("agreement.signed", "instalment.paid:1", "report.accepted:final"):
        audit.record(action, made, actor_id=None, case_id=made.id)

    def has_it() -> list[str]:
        return [each.actor for each in journey.line(made) if each.state == "present"]

    audit.record("instalment.lapsed:2", made, actor_id=None, case_id=made.id)
    assert has_it() == ["The fund secretariat"]
    owes = ["The grantee, who pays back what is owed"]
    for action, status, whose in (
        ("receivable.due", "open", owes),
        ("receivable.paid", "settled", ["The fund secretariat"]),
        ("receivable.payment_undone", "partly_paid", owes),
        ("receivable.write_off", "written_off", ["The fund secretariat"]),
    ):
        audit.record(action, made, actor_id=None, case_id=made.id, to_status=status)
        assert has_it() == whose


def test_while_the_account_is_in_doubt_no_payment_is_with_the_paying_office() -> None:
    made = application()
    audit.record("agreement.signed", made, actor_id=None, case_id=made.id)

    def has_it() -> list[str]:
        return [each.actor for each in journey.line(made) if each.state == "present"]

    [office] = has_it()
    checks = "The grantee, who sees to the bank details"
    for action, status, whose in (
        ("bank_details.entered", "entered", office),
        ("bank_details.reject", "rejected", checks),
        ("bank_details.verify", "verified", office),
        ("bank_details.doubt", "doubted", checks),
        ("bank_details.read", None, checks),
        ("instalment.paid:1", "paid", "The grantee, then the fund secretariat"),
    ):
        audit.record(action, made, actor_id=None, case_id=made.id, to_status=status)
        assert has_it() == [whose]


def test_dues_of_higher_features_reach_the_station() -> None:
    made = application()
    early = application()
    asked: list[UUID] = []

    def answer(wanted: Sequence[UUID]) -> dict[UUID, datetime]:
        asked.extend(wanted)
        return dict.fromkeys(wanted, due)

    for action in ("screening.completed", "instalment.paid:1"):
        audit.record(action, made, actor_id=None, case_id=made.id)
    due = clock.now() + timedelta(days=40)
    before = dict(journey._injected)
    journey.due_with("report_due", answer)
    try:
        journey.lines([made, early])
        assert asked == [made.id]
        assert [each.due for each in journey.line(made) if each.state == "present"] == [due]
    finally:
        journey._injected.clear()
        journey._injected.update(before)


def test_no_files_no_statement() -> None:
    assert journey.lines([]) == {}
