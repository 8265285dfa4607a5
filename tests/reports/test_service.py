"""Reports by the verbs: written by two, handed in once, returned, accepted by two sides, booked."""

import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.applications.models import Sex
from portal.awards.models import AwardStatus
from portal.core import clock
from portal.core.audit import case_events
from portal.core.files import BadFile, open_stored
from portal.core.formats import format_day
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.reports import queries, service
from portal.reports.checks import checks
from portal.reports.models import AgeBand, EvidenceKind, Group, ReportStatus, ReviewSide
from portal.reports.service import Count, Spending
from tests.make import awards as make_awards
from tests.make import reports as make
from tests.make.accounts import member, messages, person
from tests.make.applications import rate
from tests.make.awards import signatory

Db = scoped_session[Session]
Status = ReportStatus
Side = ReviewSide
pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize("fund", ["act", "vftc", "upr-i", "upr-p", "ldc-sids"])
def test_the_first_report_of_every_fund_is_accepted_and_booked(fund: str) -> None:
    made = make.report(Status.ACCEPTED, fund)
    assert made.status is Status.ACCEPTED
    assert made.accepted_usd == made.award.amount_usd
    position = ledger.award_position(fund, made.award.ref)
    assert position.accepted == usd(made.award.amount_usd)
    named = [event.action for event in case_events(made.case_id)]
    assert f"report.accepted:{made.key}" in named
    assert ("travel.reported" in named) == ("travel" in made.award.fund.process.stages)
    who = signatory(made.award)
    for template in ("report_received", "report_accepted"):
        assert len(messages(who.email, template)) == 1
    assert [violation for check in checks() for violation in check.run().violations] == []


def test_only_a_grant_in_force_owes_reports_and_only_its_own() -> None:
    offered = make_awards.award(AwardStatus.OFFERED)
    with pytest.raises(Refused, match="No report is owed"):
        service.open_report(offered, "final", by=signatory(offered))
    active = make_awards.award()
    with pytest.raises(KeyError):
        service.open_report(active, "another", by=signatory(active))
    with pytest.raises(Refused, match="written by the grantee"):
        service.open_report(active, "final", by=person())
    first = service.open_report(active, "final", by=signatory(active))
    assert service.open_report(active, "final", by=signatory(active)) is first
    assert first.due_on == active.ends_on + timedelta(days=30)


def test_reports_from_the_signatures_count_from_the_last_one() -> None:
    active = make_awards.award(fund="vftc")
    progress, final = queries.obligations(active)
    assert progress.due_on == clock.now().date() + timedelta(days=180)
    assert final.due_on == active.ends_on + timedelta(days=60)
    offered = make_awards.award(AwardStatus.ACCEPTED, fund="vftc")
    assert queries.obligations(offered)[0].due_on is None


def test_a_colleague_s_text_is_shown_and_not_overwritten() -> None:
    made = make.opened()
    first, second = signatory(made.award), member(made.award.application.organisation)
    seen = service.save_narrative(made, {"done": "One"}, {"done": 0}, by=first).revisions
    service.save_narrative(made, {"done": "Two"}, seen, by=second)
    late = service.save_narrative(made, {"done": "Three", "results": "R"}, seen, by=first)
    assert [(each.yours, each.theirs, each.by) for each in late.conflicts] == [
        ("Three", "Two", second.name)
    ]
    assert queries.answers(made) == {"done": "Two", "results": "R"}


def test_sealed_answers_are_ciphertext_in_the_database_and_reading_them_is_recorded() -> None:
    made = make.filled(make.opened())
    row = queries.answer_rows(made)["difficulties"]
    assert row.value is None
    assert row.sealed is not None
    assert b"Words" not in row.sealed
    service.submit(made, by=signatory(made.award))
    officer = make.programme(made.award)
    assert service.read_sealed_answers(made, by=officer) == {
        "difficulties": "Words about difficulties."
    }
    assert case_events(made.case_id)[-1].action == "report.sealed_answers_read"
    with pytest.raises(Refused):
        service.read_sealed_answers(made, by=make.finance(made.award))


def test_local_spending_is_changed_at_the_rate_of_the_last_day() -> None:
    rate("KES", "129.5")
    made = make.opened()
    line = made.award.budget[0]
    entry = Spending(line.id, Money(12_950_00, "KES"))
    who = signatory(made.award)
    service.save_expenditure(made, [entry], by=who)
    row = queries.expenditures(made)[line.id]
    assert (row.rate, row.spent_usd, row.official_rate) == (Decimal("129.5"), 10_000, row.rate)
    own = replace(entry, rate=Decimal(140))
    with pytest.raises(Refused, match="another rate"):
        service.save_expenditure(made, [own], by=who)
    service.save_expenditure(made, [replace(own, rate_reason="bank slip of 3 May")], by=who)
    assert queries.expenditures(made)[line.id].spent_usd == 9_250


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"spent": usd(-1)}, "below zero"),
        ({"line_id": uuid4()}, "approved budget"),
        ({"rate": Decimal(2), "rate_reason": "so"}, "US dollars is 1"),
        ({"spent": Money(1, "NPR")}, "no UN rate"),
        ({"spent": Money(1, "NPR"), "rate": Decimal(0), "rate_reason": "x"}, "above zero"),
        ({"spent": Money(1, "NPR"), "rate": Decimal("NaN"), "rate_reason": "x"}, "above zero"),
        ({"spent": Money(1, "NPR"), "rate": Decimal("1e12"), "rate_reason": "x"}, "above zero"),
        ({"spent": Money(1, "NPR"), "rate": Decimal(9)}, "another rate"),
        ({"reason": "x" * 2001}, "2000 characters"),
    ],
)
def test_figures_that_cannot_be_are_refused(changes: dict[str, Any], said: str) -> None:
    made = make.opened()
    entry = Spending(made.award.budget[0].id, usd(100))
    with pytest.raises(Refused, match=said):
        service.save_expenditure(made, [replace(entry, **changes)], by=signatory(made.award))


def test_a_line_stands_once_and_a_stale_form_changes_nothing() -> None:
    made = make.opened()
    who = signatory(made.award)
    entry = Spending(made.award.budget[0].id, usd(100))
    with pytest.raises(Refused, match="twice"):
        service.save_expenditure(made, [entry, entry], by=who)
    first = service.save_expenditure(made, [entry], by=who, revision=0)
    assert first.revision == 1
    late = service.save_expenditure(made, [], by=who, revision=0)
    assert late.conflict
    assert len(queries.expenditures(made)) == 1
    people = [Count(Sex.FEMALE, AgeBand.ADULTS, 3)]
    service.save_people(made, people, by=who, revision=0)
    assert service.save_people(made, [], by=who, revision=0).conflict
    assert len(queries.people(made)) == 1


def test_counts_are_not_negative_and_a_group_is_a_part_of_the_whole() -> None:
    made = make.opened()
    who = signatory(made.award)
    with pytest.raises(Refused, match="from zero"):
        service.save_people(made, [Count(Sex.MALE, AgeBand.YOUTH, -1)], by=who)
    more = [
        Count(Sex.MALE, AgeBand.YOUTH, 3),
        Count(Sex.MALE, AgeBand.YOUTH, 4, Group.DISPLACED),
    ]
    with pytest.raises(Refused, match="more than all people"):
        service.save_people(made, more, by=who)


def test_photographs_lose_what_they_know_and_other_files_are_refused() -> None:
    made = make.opened()
    who = signatory(made.award)
    found = service.add_evidence(made, EvidenceKind.PHOTOGRAPH, make.photograph(), "a.jpg", by=who)
    with open_stored(found.file) as stream:
        assert not Image.open(io.BytesIO(stream.read())).getexif()
    with pytest.raises(BadFile):
        service.add_evidence(
            made, EvidenceKind.PHOTOGRAPH, io.BytesIO(b"%PDF-1.7"), "b.jpg", by=who
        )
    service.remove_evidence(found, by=who)
    assert queries.evidence(made) == []


def test_nothing_is_handed_in_while_a_point_is_open() -> None:
    made = make.opened()
    who = signatory(made.award)
    parts = [point.part for point in service.missing(made)]
    assert parts.count("spending") == 2
    assert "people" in parts
    with pytest.raises(Refused, match="points are still open"):
        service.submit(made, by=who)
    make.filled(made)
    assert service.missing(made) == []
    with pytest.raises(Refused, match="somebody else"):
        service.submit(made, by=member(made.award.application.organisation))
    service.submit(made, by=who)
    assert (made.round, made.status) == (1, Status.SUBMITTED)
    assert made.digest == service.digest_of(made)
    assert service.submit(made, by=who).round == 1


def test_a_final_report_waits_for_the_first_day_of_the_activities() -> None:
    tomorrow = clock.today() + timedelta(days=1)
    award = make_awards.award(starts_on=tomorrow)
    made = make.filled(make.opened(award))
    who = signatory(award)
    with pytest.raises(Refused, match=f"begin on {format_day(tomorrow)}") as refused:
        service.submit(made, by=who)
    assert refused.value.rule == "R13"
    assert service.too_early(made)


def test_a_final_report_before_the_last_day_is_warned_of_and_passes() -> None:
    made = make.filled(make.opened())
    assert service.too_early(made) is None
    (said,) = service.warnings(made)
    assert f"end on {format_day(made.award.ends_on)}" in said
    service.submit(made, by=signatory(made.award))
    assert made.status is Status.SUBMITTED


def test_a_variance_above_the_free_shift_needs_its_reason() -> None:
    made = make.filled(make.opened())
    who = signatory(made.award)
    first, second = made.award.budget
    for cents, wanted in ((240_000, 0), (276_000, 0), (276_001, 1), (204_000, 0), (203_999, 1)):
        entries = [Spending(first.id, usd(cents)), Spending(second.id, usd(240_000))]
        service.save_expenditure(made, entries, by=who)
        assert len(service.missing(made)) == wanted, cents


def test_personal_data_are_warned_of_and_do_not_refuse() -> None:
    made = make.filled(make.opened())
    who = signatory(made.award)
    service.save_narrative(made, {"done": "Ask Mrs Okello, okello@example.org"}, by=who)
    assert len(service.warnings(made)) == 3
    service.submit(made, by=who)
    assert made.status is Status.SUBMITTED


def test_a_returned_report_is_edited_and_handed_in_again() -> None:
    made = make.report(Status.RETURNED)
    who = signatory(made.award)
    assert len(messages(who.email, "report_returned")) == 1
    service.save_narrative(made, {"results": "Much more."}, by=who)
    before = made.digest
    service.submit(made, by=who)
    assert made.round == 2
    assert made.digest != before
    make.accepted(made)
    assert made.status == Status.ACCEPTED
    assert [(each.round, each.side, each.accepted) for each in queries.reviews(made)] == [
        (1, Side.PROGRAMME, False),
        (2, Side.PROGRAMME, True),
        (2, Side.FINANCE, True),
    ]


def test_programme_and_finance_are_two_people_with_two_roles() -> None:
    made = make.report()
    fund = made.award.application.call.fund_code
    both = person(roles=[(Role.PROGRAMME_OFFICER, fund, None), (Role.FINANCE_OFFICER, fund, None)])
    service.review(made, Side.PROGRAMME, accepted=True, by=both)
    assert made.status is Status.SUBMITTED
    with pytest.raises(Refused, match="another person"):
        service.review(made, Side.FINANCE, accepted=True, accepted_usd=1, comment="x", by=both)
    with pytest.raises(Refused, match="already"):
        service.review(made, Side.PROGRAMME, accepted=True, by=make.programme(made.award))
    with pytest.raises(Refused, match="somebody else"):
        service.review(
            made, Side.FINANCE, accepted=True, accepted_usd=1, by=make.programme(made.award)
        )
    with pytest.raises(Refused, match="somebody else"):
        service.review(made, Side.FINANCE, accepted=True, accepted_usd=1, by=signatory(made.award))


def test_finance_accepts_no_more_than_was_spent_or_awarded_and_says_why_less() -> None:
    award = make_awards.award()
    make.advance(award)
    made = make.submitted(award, {0: 300_000})
    officer = make.finance(award)
    assert queries.spent_total(made) == 540_000
    for amount in (None, -1, 480_001, 540_000):
        with pytest.raises(Refused, match="from nothing to US"):
            service.review(
                made, Side.FINANCE, accepted=True, accepted_usd=amount, comment="x", by=officer
            )
    with pytest.raises(Refused, match="not accepted and why"):
        service.review(made, Side.FINANCE, accepted=True, accepted_usd=400_000, by=officer)
    with pytest.raises(Refused, match="has to be changed"):
        service.review(made, Side.FINANCE, accepted=False, by=officer)
    make.accepted(made, 400_000)
    assert made.accepted_usd == 400_000
    assert ledger.award_position("act", award.ref).accepted == usd(400_000)


def test_nothing_is_written_or_reviewed_once_the_other_side_has_it() -> None:
    made = make.report()
    who = signatory(made.award)
    for write in (
        lambda: service.save_narrative(made, {"done": "x"}, by=who),
        lambda: service.save_expenditure(made, [], by=who),
        lambda: service.save_people(made, [], by=who),
        lambda: service.remove_evidence(queries.evidence(made)[0], by=who),
    ):
        with pytest.raises(Refused, match="handed in"):
            write()
    make.accepted(made)
    with pytest.raises(Refused, match="not possible now"):
        service.review(made, Side.PROGRAMME, accepted=False, comment="x", by=who)


def test_an_overdue_report_is_outstanding_until_it_is_in() -> None:
    award = make_awards.award()
    make.advance(award)
    organisation, case = award.application.organisation_id, [award.application_id]
    assert queries.outstanding(organisation) == []
    made = make.filled(make.opened(award))
    assert queries.next_due(case) == {award.application_id: made.due_on}
    late = clock.now() + timedelta(days=200)
    with clock.at(late):
        assert made.is_overdue
        assert award.ref in queries.outstanding(organisation)[0]
        service.submit(made, by=signatory(award))
        assert queries.outstanding(organisation) == []
        assert queries.next_due(case) == {}
        assert not made.is_overdue


def test_reminders_go_out_once_each_before_and_after_the_day() -> None:
    award = make_awards.award()
    who = signatory(award)
    due = queries.obligations(award)[0].due_on
    assert due is not None
    sent: list[tuple[int, int]] = []
    for days in range(-40, 60):
        moment = clock.now() + (due - clock.today()) + timedelta(days=days)
        with clock.at(moment):
            service.send_reminders()
            service.send_reminders()
        count = len(messages(who.email, "report_reminder")) + len(
            messages(who.email, "report_overdue")
        )
        if not sent or count != sent[-1][1]:
            sent.append((days, count))
    assert sent == [(-40, 0), (-30, 1), (-14, 2), (-3, 3), (1, 4), (15, 5), (30, 6)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE report SET digest = repeat('0', 64)",
        "UPDATE report SET round = round + 1",
        "UPDATE report SET status = 'due'",
        "UPDATE report SET status = 'accepted', accepted_at = now(), accepted_usd = 1",
        "UPDATE report SET award_id = gen_random_uuid()",
        "DELETE FROM report",
        """UPDATE report_answer SET value = '"changed"'""",
        "UPDATE expenditure SET spent_usd = spent_usd + 1, spent = spent + 1",
        "DELETE FROM expenditure",
        "UPDATE people_reached SET people = people + 1",
        "UPDATE evidence SET removed_at = now()",
    ],
)
def test_the_database_keeps_what_was_handed_in(statement: str, db: Db) -> None:
    make.report()
    db.commit()
    with pytest.raises(IntegrityError):
        db.execute(sa.text(statement))
    db.rollback()


def test_a_word_on_a_report_is_final_in_the_database(db: Db) -> None:
    make.report(Status.ACCEPTED)
    db.commit()
    for statement in (
        "UPDATE report_review SET comment = 'changed'",
        "DELETE FROM report_review",
        "TRUNCATE report_review",
        "UPDATE report SET accepted_usd = accepted_usd - 1",
    ):
        with pytest.raises(IntegrityError):
            db.execute(sa.text(statement))
        db.rollback()
