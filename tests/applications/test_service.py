"""The applicant's way through the verbs: draft, save, conflict, submit once, withdraw."""

import io
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind, Role
from portal.applications import policy, queries, service
from portal.applications.models import ApplicationStatus, Submission
from portal.applications.rules import Line
from portal.core import clock
from portal.core.audit import case_events
from portal.core.crypto import destroy
from portal.core.files import BadFile
from portal.core.formats import format_moment
from portal.core.text import sha256_hex
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.funds.models import CallStatus
from tests.make.accounts import member, messages, organisation, person, representative_of
from tests.make.applications import (
    applicant_for,
    application,
    attach,
    call,
    draft,
    fill,
    officer,
    pdf,
    rate,
)

Db = scoped_session[Session]
FROM_ONE = " FROM budget_line LIMIT 1"
pytestmark = pytest.mark.usefixtures("app")


def actions(case_id: UUID) -> list[str]:
    return [event.action for event in case_events(case_id)]


@pytest.mark.parametrize("fund", ["act", "vftc", "upr-i", "upr-p", "ldc-sids"])
def test_an_application_of_every_fund_can_be_submitted(fund: str) -> None:
    made = application(of=call(fund))
    assert made.status is ApplicationStatus.SUBMITTED
    assert made.requested_usd == 480_000
    assert actions(made.id)[-1] == "application.submitted"
    nominee = queries.nominee(made)
    assert (nominee is not None) == made.fund.process.nominee


def test_the_digest_is_that_of_exactly_what_was_submitted() -> None:
    made = application(answers={"title": "Rights at the lake"})
    frozen = queries.last_submission(made)
    assert frozen is not None
    body = queries.submitted_body(frozen)
    assert sha256_hex(body) == frozen.digest
    assert b'"title":"Rights at the lake"' in body
    assert b'"requested_usd":480000' in body
    assert case_events(made.id)[-1].facts["digest"] == frozen.digest


def test_a_second_click_on_submit_finds_the_first_submission(db: Db) -> None:
    made = application()
    signs = representative_of(made.organisation)
    first = queries.last_submission(made)
    assert service.submit(made, by=signs) is first
    assert db.scalar(sa.select(sa.func.count()).select_from(Submission)) == 1
    assert actions(made.id).count("application.submitted") == 1
    assert len(messages(signs.email, "application_received")) == 1


def test_only_the_legal_representative_submits() -> None:
    made = fill(draft())
    editor = member(made.organisation)
    with pytest.raises(Refused):
        service.submit(made, by=editor)
    assert made.status is ApplicationStatus.DRAFT


def test_what_is_missing_blocks_the_submission_and_never_the_saving() -> None:
    made = draft()
    signs = representative_of(made.organisation)
    keys = {point.key for point in service.missing(made)}
    assert {"mission", "title", "budget", "registration", "declare_true"} <= keys
    assert "budget_notes" not in keys
    assert "identity" not in keys
    with pytest.raises(Refused, match="points are still open"):
        service.submit(made, by=signs)
    service.save_answers(made, "need", {"summary": "word " * 200}, by=signs)
    said = {point.key: point.sentence for point in service.missing(made)}
    assert "200 words; up to 80" in said["summary"]
    assert queries.answers(made)["summary"].count("word") == 200


def test_a_colleague_s_change_is_shown_and_not_overwritten() -> None:
    made = draft()
    first, second = representative_of(made.organisation), member(made.organisation)
    seen = service.save_answers(made, "need", {"title": "One"}, {"title": 0}, by=first).revisions
    service.save_answers(made, "need", {"title": "Two"}, seen, by=second)
    late = service.save_answers(made, "need", {"title": "Three", "place": "Kisumu"}, seen, by=first)
    assert [(each.key, each.yours, each.theirs, each.by) for each in late.conflicts] == [
        ("title", "Three", "Two", second.name)
    ]
    assert queries.answers(made)["title"] == "Two"
    assert queries.answers(made)["place"] == "Kisumu"
    again = service.save_answers(made, "need", {"title": "Three"}, late.revisions, by=first)
    assert again.is_whole
    assert made.title == "Three"


def test_two_who_write_the_same_do_not_conflict() -> None:
    made = draft()
    first, second = representative_of(made.organisation), member(made.organisation)
    service.save_answers(made, "need", {"title": "Same"}, {"title": 0}, by=first)
    result = service.save_answers(made, "need", {"title": "Same"}, {"title": 0}, by=second)
    assert result.is_whole


def test_sealed_answers_are_not_in_the_database_in_clear(db: Db) -> None:
    made = draft()
    signs = representative_of(made.organisation)
    service.save_answers(made, "organisation", {"contact_name": "CANARY-9341"}, by=signs)
    assert queries.answers(made)["contact_name"] == "CANARY-9341"
    rows = db.execute(sa.text("SELECT answer::text FROM answer")).scalars().all()
    assert rows
    assert not any("CANARY-9341" in row for row in rows)
    destroy(made.sealing_key)
    assert queries.answers(made)["contact_name"] is None


def test_a_risky_answer_marks_the_application_and_only_staff_can_lower_it() -> None:
    made = application(answers={"risk_contact": "unsure"})
    signs = representative_of(made.organisation)
    assert made.sensitive
    assert actions(made.id).count("application.marked_sensitive") == 1
    with pytest.raises(Refused):
        service.lower_sensitivity(made, "assessed", by=signs)
    with pytest.raises(Refused, match="Choose the reason"):
        service.lower_sensitivity(made, "because", by=officer("act"))
    service.lower_sensitivity(made, "assessed", by=officer("act"))
    assert not made.sensitive


def test_whoever_began_to_apply_hears_that_the_call_is_cancelled() -> None:
    begun = draft()
    over = draft(begun.call)
    service.withdraw(over, by=representative_of(over.organisation))
    service.call_off(begun.call, by=officer("act"))
    assert begun.call.status is CallStatus.CANCELLED
    told = messages(representative_of(begun.organisation).email, "call_cancelled")
    assert [message.link for message in told] == [f"/files/{begun.ref}"]
    assert messages(representative_of(over.organisation).email, "call_cancelled") == []


def test_an_auditor_reads_a_file_and_does_not_mark_it() -> None:
    made = application()
    auditor = person(roles=[(Role.AUDITOR, None, None)])
    assert policy.can_view(auditor, made)
    with pytest.raises(Refused, match="somebody else"):
        service.raise_sensitivity(made, by=auditor)
    service.raise_sensitivity(made, by=officer("act"))
    assert made.sensitive


def test_staff_reading_sealed_answers_is_an_act_of_record() -> None:
    made = application()
    reader = officer("act")
    assert service.read_sealed_answers(made, by=reader)["risk_contact"] == "no"
    event = case_events(made.id)[-1]
    assert (event.action, event.actor_id) == ("application.sealed_answers_read", reader.id)
    service.read_sealed_answers(made, by=representative_of(made.organisation))
    assert case_events(made.id)[-1] is event
    with pytest.raises(Refused):
        service.read_sealed_answers(made, by=officer("vftc"))


def test_taken_back_it_is_a_draft_that_the_fund_does_not_see() -> None:
    made = application()
    signs = representative_of(made.organisation)
    service.reopen(made, by=signs)
    assert made.status is ApplicationStatus.DRAFT
    assert made.submitted_at is None
    service.save_answers(made, "need", {"title": "Better"}, by=signs)
    again = service.submit(made, by=signs)
    assert again.number == 2
    assert len(queries.submissions(made)) == 2


def test_after_the_deadline_nothing_can_be_sent_or_taken_back() -> None:
    under = call()
    open_draft, sent = fill(draft(under)), application(of=under)
    with clock.at(under.closes_at):
        with pytest.raises(Refused) as late:
            service.submit(open_draft, by=representative_of(open_draft.organisation))
        assert "deadline has passed" in late.value.sentence
        with pytest.raises(Refused):
            service.reopen(sent, by=representative_of(sent.organisation))
        with pytest.raises(Refused):
            service.save_answers(
                open_draft, "need", {"title": "x"}, by=representative_of(open_draft.organisation)
            )


def test_one_application_in_a_call_until_it_is_withdrawn() -> None:
    made = application()
    signs = representative_of(made.organisation)
    with pytest.raises(Refused) as second:
        service.start(made.call, made.organisation, by=signs)
    assert (second.value.rule, made.ref in second.value.sentence) == ("R5", True)
    service.withdraw(made, by=signs)
    service.withdraw(made, by=signs)
    assert actions(made.id).count("application.withdrawn") == 1
    assert service.start(made.call, made.organisation, by=signs).status is ApplicationStatus.DRAFT


@pytest.mark.parametrize(
    ("kind", "country", "rule"),
    [(OrganisationKind.GOVERNMENT, "KEN", "R3"), (OrganisationKind.NGO, "FRA", "R2")],
)
def test_who_cannot_apply_is_told_the_rule(kind: OrganisationKind, country: str, rule: str) -> None:
    where = organisation(kind, country)
    with pytest.raises(Refused) as refused:
        service.start(call(), where, by=representative_of(where))
    assert refused.value.rule == rule


def test_a_young_organisation_is_refused_with_the_day(db: Db) -> None:
    under = call()
    where = applicant_for(under)
    where.registered_on = under.reference_day - timedelta(days=200)
    db.flush()
    with pytest.raises(Refused, match="at least one year") as refused:
        service.start(under, where, by=representative_of(where))
    assert refused.value.rule == "R6"


def test_above_the_ceiling_is_kept_and_blocks() -> None:
    made = fill(draft())
    signs = representative_of(made.organisation)
    service.save_budget(made, [Line("training", "Everything", 1, 500_001)], by=signs)
    assert made.requested_usd == 500_001
    assert [(point.section, point.rule) for point in service.missing(made)] == [("budget", "R9")]
    with pytest.raises(Refused, match=r"US\$ 5,000"):
        service.submit(made, by=signs)


def test_the_ceiling_counts_at_the_rate_of_the_reference_day() -> None:
    rate("KES", "129.25")
    made = fill(draft())
    signs = representative_of(made.organisation)
    rate("KES", "1", made.call.reference_day + timedelta(days=1))
    line = Line("training", "Rooms", 1, 64_625_000)
    service.save_budget(made, [line], currency="KES", by=signs)
    assert made.requested_usd == 500_000
    service.submit(made, by=signs)


def test_a_currency_without_a_rate_is_refused_and_the_budget_stands() -> None:
    made = fill(draft())
    signs = representative_of(made.organisation)
    for code, said in (("XAF", "no UN operational rate"), ("XXQ", "no currency")):
        with pytest.raises(Refused, match=said):
            service.save_budget(made, [Line("training", "Rooms", 1, 100)], currency=code, by=signs)
    assert made.requested == 480_000


def test_a_colleague_s_budget_is_not_overwritten() -> None:
    made = draft()
    signs = representative_of(made.organisation)
    service.save_budget(made, [Line("training", "Rooms", 1, 100)], revision=0, by=signs)
    late = service.save_budget(made, [Line("training", "Hall", 1, 900)], revision=0, by=signs)
    assert late.conflict
    assert made.requested == 100


def test_what_was_submitted_cannot_be_changed_even_in_sql(db: Db) -> None:
    made = application()
    db.commit()
    for attack in (
        "UPDATE submission SET digest = repeat('0', 64)",
        "DELETE FROM submission",
        "TRUNCATE submission",
        """UPDATE answer SET value = '"x"' WHERE key = 'title'""",
        "DELETE FROM answer",
        "UPDATE budget_line SET quantity = 1, amount = unit_cost",
        "INSERT INTO budget_line SELECT gen_random_uuid(),application_id,9,'', '', 1, 1, 1"
        + FROM_ONE,
        "UPDATE attachment SET removed_at = now()",
        "UPDATE application SET requested_usd = 1",
        "UPDATE application SET title = 'other'",
        "UPDATE application SET ref = 'AAAA-AAAA'",
    ):
        with pytest.raises(IntegrityError), db.begin_nested():
            db.execute(sa.text(attack))
    db.refresh(made)
    assert made.requested_usd == 480_000


def test_a_draft_cannot_be_called_submitted_without_a_submission(db: Db) -> None:
    made = draft()
    db.commit()
    with pytest.raises(IntegrityError), db.begin_nested():
        db.execute(sa.text("UPDATE application SET status = 'submitted', submitted_at = now()"))
    assert made.ref


def test_files_are_of_the_allowed_types_and_can_be_replaced() -> None:
    made = draft()
    signs = representative_of(made.organisation)
    with pytest.raises(BadFile):
        service.attach(made, "registration", io.BytesIO(b"MZ\x90"), "paper.pdf", by=signs)
    first = service.attach(made, "registration", pdf(), "paper.pdf", by=signs)
    second = service.attach(made, "registration", pdf(), "new.pdf", by=signs, replaces=first)
    assert queries.attachments(made) == [second]
    service.remove_attachment(second, by=signs)
    service.remove_attachment(second, by=signs)
    assert queries.attachments(made) == []
    for _number in range(5):
        service.attach(made, "registration", pdf(), "page.pdf", by=signs)
    with pytest.raises(Refused, match="Up to 5 files"):
        service.attach(made, "registration", pdf(), "page.pdf", by=signs)


def test_a_question_and_its_answer_stay_with_the_section(db: Db) -> None:
    made = application(ApplicationStatus.CLARIFICATION)
    signs = representative_of(made.organisation)
    question = queries.open_clarification(made)
    assert question is not None
    assert question.question == "Who leads the group?"
    assert messages(signs.email, "clarification_asked")
    with pytest.raises(Refused, match="Write your answer"):
        service.answer_clarification(question, "  ", by=signs)
    service.answer_clarification(question, "A committee of five.", by=signs)
    service.answer_clarification(question, "A committee of five.", by=signs)
    assert made.status is ApplicationStatus.SUBMITTED
    assert queries.clarifications(made)[0].answer == "A committee of five."
    rows = db.execute(sa.text("SELECT clarification::text FROM clarification")).scalars().all()
    assert not any("committee" in row for row in rows)


def test_messages_name_neither_fund_nor_title_nor_country() -> None:
    made = application(ApplicationStatus.CLARIFICATION, answers={"title": "Rights at the lake"})
    for message in messages(representative_of(made.organisation).email):
        text = f"{message.subject}\n{message.body}"
        for word in ("Rights at the lake", "Kenya", "Communities", "ACT", made.organisation.name):
            assert word not in text
    received = messages(representative_of(made.organisation).email, "application_received")[0]
    frozen = queries.last_submission(made)
    assert frozen is not None
    assert frozen.digest in received.body
    assert f"{format_moment(frozen.at)} UTC" in received.body


def test_answers_that_no_question_asks_are_a_mistake_of_the_caller(app: Portal) -> None:
    del app
    made = draft()
    with pytest.raises(KeyError):
        service.save_answers(
            made, "need", {"mission": "x"}, by=representative_of(made.organisation)
        )


def test_attach_asks_only_what_the_kind_of_applicant_owes() -> None:
    made = fill(draft())
    for rule in made.fund.attachments:
        attach(made, rule, representative_of(made.organisation))
    assert [each.key for each in queries.attachments(made)] == ["registration"]


def test_another_request_of_the_state_is_refused_without_naming_it() -> None:
    under = call("upr-p")
    first = application(of=under)
    made = fill(draft(under))
    points = [point for point in service.missing(made) if "one official" in point.sentence]
    assert [point.rule for point in points] == ["R5"]
    assert first.ref not in points[0].sentence
