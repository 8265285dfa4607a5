"""The way from a decision to a signed agreement, by the verbs and against the database."""

import re
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pypdf
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person
from portal.applications import eligibility
from portal.applications import service as applications
from portal.applications.rules import Line
from portal.awards import service
from portal.awards.models import Agreement, Award, AwardStatus, PayingAgent
from portal.core import clock
from portal.core.audit import case_events
from portal.core.files import open_stored
from portal.core.money import usd
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger import service as books
from portal.reviews import service as reviews
from tests.make import applications as filling
from tests.make import awards as make
from tests.make.accounts import member, messages, person, representative_of
from tests.make.applications import application as submitted
from tests.make.applications import call, rate
from tests.make.reviews import approved, cast, score, screen

Db = scoped_session[Session]
Status = AwardStatus
pytestmark = pytest.mark.usefixtures("app")


def actions(case_id: UUID) -> list[str]:
    return [event.action for event in case_events(case_id)]


def text_of(award: Award) -> str:
    assert award.agreement is not None
    with open_stored(award.agreement.file) as stream:
        pages = pypdf.PdfReader(BytesIO(stream.read())).pages
        return plain(" ".join(page.extract_text() for page in pages))


def plain(words: str) -> str:
    """Return text as it is compared: without the hyphens and ends of lines of a set page."""
    return re.sub(r"[-\u00ad\u2010]\s*|\s+", lambda found: " " * found[0].isspace(), words)


def outstanding(award: Award) -> int:
    return ledger.outstanding(award.application.call.fund_code, award.ref).minor


@pytest.mark.parametrize("fund", ["act", "vftc", "upr-i", "upr-p", "ldc-sids"])
def test_every_fund_travels_from_offer_to_commitment(fund: str) -> None:
    made = make.award(fund=fund)
    assert made.status is Status.ACTIVE
    assert made.agreement is not None
    assert made.agreement.signed_at is not None
    assert (made.agreement.countersigned_at is not None) == made.fund.process.countersigned
    assert sum(each.planned_usd for each in made.instalments) == made.amount_usd == 480_000
    assert outstanding(made) == made.amount_usd
    named = actions(made.case_id)
    assert "offer.accepted" in named
    assert ("agreement.signed" in named) == made.fund.process.countersigned


def test_the_request_is_offered_with_its_document() -> None:
    made = make.offered()
    assert made.amount == usd(480_000)
    assert [line.amount_usd for line in made.budget] == [240_000, 240_000]
    assert [each.planned_usd for each in made.instalments] == [384_000, 96_000]
    assert made.agreement is not None
    with open_stored(made.agreement.file) as stream:
        assert sha256_hex(stream.read()) == made.agreement.digest
    assert len(messages(make.signatory(made).email, "award_offered")) == 1


def test_an_award_below_the_request_needs_a_revised_budget_first() -> None:
    made = make.offered(amount_usd=300_001)
    who = make.signatory(made)
    assert made.agreement is None
    assert made.needs_revised_budget
    with pytest.raises(Refused, match="bring the budget down"):
        service.accept(made, who.name, by=who)
    first, second = made.budget
    for amounts, said in (
        ({first.id: 240_000, second.id: 240_000}, "1,799.99 above"),
        ({first.id: 240_000, second.id: 60_000}, "0.01 below"),
        ({first.id: 300_002, second.id: -1}, "zero or more"),
        ({first.id: 300_001}, "zero or more"),
        ({first.id: 300_001, uuid4(): 0}, "zero or more"),
    ):
        with pytest.raises(Refused, match=said):
            service.revise_budget(made, amounts, by=who)
    with pytest.raises(Refused, match="revised by the grantee"):
        service.revise_budget(made, {first.id: 240_000, second.id: 60_001}, by=person())
    service.revise_budget(made, {first.id: 240_000, second.id: 60_001}, by=member_of(made))
    assert made.agreement is not None
    assert not made.needs_revised_budget
    with pytest.raises(Refused, match="settled"):
        service.revise_budget(made, {first.id: 300_001, second.id: 0}, by=who)


def test_a_revised_budget_grows_no_line_beyond_the_free_shift() -> None:
    made = make.offered(amount_usd=300_000)
    who = make.signatory(made)
    first, second = made.budget
    most = 240_000 * 115 // 100
    with pytest.raises(Refused, match=re.escape(first.description)) as refused:
        service.revise_budget(made, {first.id: most + 1, second.id: 23_999}, by=who)
    assert "2,760.00 at most" in refused.value.sentence
    assert "15 %" in refused.value.sentence
    assert refused.value.rule == "R18"
    service.revise_budget(made, {first.id: most, second.id: 24_000}, by=who)
    assert made.agreement is not None


def test_a_revised_budget_gives_nothing_more_to_staff() -> None:
    made = make.offered("vftc", amount_usd=300_000)
    first, second = made.budget
    assert first.category == "staff"
    with pytest.raises(Refused, match="may not grow"):
        service.revise_budget(made, {first.id: 240_001, second.id: 59_999}, by=make.signatory(made))


@pytest.mark.parametrize("fund", ["act", "vftc", "upr-i", "ldc-sids"])
def test_an_offer_lasts_no_longer_than_the_fund_allows(fund: str) -> None:
    application = approved(fund)
    first = clock.today()
    latest = eligibility.latest_end(application.call, first)
    assert latest is not None
    with pytest.raises(Refused, match="at the latest") as refused:
        make.offer(application, first, latest + timedelta(days=1))
    assert refused.value.rule == "R9"
    made = make.offer(application, first, latest)
    assert made.ends_on == latest


def member_of(award: Award) -> Person:
    return member(award.application.organisation)


def test_only_the_officer_offers_and_only_once_and_only_what_was_decided() -> None:
    application = approved()
    first = clock.today()
    with pytest.raises(Refused, match="programme officer"):
        service.offer(
            application,
            starts_on=first,
            ends_on=first,
            paying_agent=PayingAgent.UNDP,
            by=representative_of(application.organisation),
        )
    with pytest.raises(Refused, match="before the first"):
        make.offer(application, first, first - timedelta(days=1))
    make.offer(application)
    with pytest.raises(Refused, match="one per call"):
        make.offer(application)
    with pytest.raises(Refused, match="Only an approved"):
        make.offer(submitted())


def test_a_declined_award_is_not_offered_again() -> None:
    made = make.award(Status.DECLINED)
    assert made.remark == "Not now."
    with pytest.raises(Refused, match="one per call"):
        make.offer(made.application)


def test_local_currency_is_converted_line_by_line_and_sums_exactly() -> None:
    rate("KES", "129.35")
    of = call()
    people = cast(of)
    draft = filling.fill(filling.draft(of))
    who = representative_of(draft.organisation)
    categories = [each.key for each in draft.fund.budget.categories]
    lines = [Line(categories[0], f"Thing {n}", 3, 1_333_333) for n in range(3)]
    applications.save_budget(draft, lines, currency="KES", by=who)
    applications.submit(draft, by=who)
    screen(draft, people.officer)
    for reader in people.reviewers:
        score(draft, reader)
    listed = reviews.draft_recommendation(of, by=people.recommender)
    reviews.make_recommendation(listed, by=people.recommender)
    reviews.approve(listed, by=people.approver)
    made = make.offer(draft)
    assert made.amount_usd == draft.requested_usd
    assert sum(line.amount_usd for line in made.budget) == made.amount_usd
    assert not made.needs_revised_budget


def test_the_representative_signs_with_their_own_name() -> None:
    made = make.offered()
    who = make.signatory(made)
    editor = member(made.application.organisation)
    for name in ("", "Somebody Else", who.name[:-1]):
        with pytest.raises(Refused, match="Type your name"):
            service.accept(made, name, by=who)
    with pytest.raises(Refused, match="somebody else"):
        service.accept(made, editor.name, by=editor)
    service.accept(made, f"  {who.name.upper()}  ", by=who)
    assert made.status is Status.ACCEPTED
    assert made.agreement is not None
    assert made.agreement.signed_name == who.name.upper()
    assert outstanding(made) == 0
    with pytest.raises(Refused, match="not possible now"):
        service.accept(made, who.name, by=who)


def test_another_person_with_the_authority_countersigns() -> None:
    made = make.award(Status.ACCEPTED)
    for stranger in (make.officer(made), make.signatory(made), person()):
        with pytest.raises(Refused, match="somebody else"):
            service.countersign(made, by=stranger)
    service.countersign(made, by=make.authority(made))
    assert outstanding(made) == made.amount_usd
    assert len(messages(make.signatory(made).email, "agreement_signed")) == 1
    with pytest.raises(Refused, match="not possible now"):
        service.countersign(made, by=make.authority(made))


def test_more_than_is_available_is_never_committed() -> None:
    made = make.award(Status.ACCEPTED)
    fund = made.application.call.fund_code
    left = ledger.position(fund).available
    books.commit_funds(fund, "award:other", left - usd(made.amount_usd - 1), by=None)
    with pytest.raises(Refused, match="available") as refused:
        service.countersign(made, by=make.authority(made))
    assert refused.value.rule == "R19"


def test_suspension_termination_and_cancellation_have_reasons_and_are_told() -> None:
    made = make.award()
    who = make.signatory(made)
    with pytest.raises(Refused, match="reason"):
        service.suspend(made, "  ", by=make.officer(made))
    service.suspend(made, "A report is overdue.", by=make.officer(made))
    assert made.remark == "A report is overdue."
    with pytest.raises(Refused, match="somebody else"):
        service.resume(made, "It came.", by=make.officer(made))
    service.resume(made, "It came.", by=make.authority(made))
    assert str(made.status) == "active"
    service.terminate(made, "A serious breach.", by=make.authority(made))
    assert str(made.status) == "terminated"
    assert outstanding(made) == 0
    assert len(messages(who.email, "award_changed")) == 3


def test_a_cancelled_offer_commits_nothing() -> None:
    made = make.award(Status.CANCELLED)
    who = make.signatory(made)
    with pytest.raises(Refused, match="not possible now"):
        service.accept(made, who.name, by=who)
    assert outstanding(made) == 0


def test_the_agreement_says_what_was_agreed() -> None:
    made = make.offered(amount_usd=300_000)
    make.revised(made)
    said = text_of(made)
    for words in (
        made.ref,
        "Grant agreement",
        made.application.title,
        made.application.organisation.name,
        "US$ 3,000.00",
        "80 %",
        "US$ 2,400.00",
        "US$ 600.00",
        "15 %",
        "Final report",
        "privileges and immunities",
        "Page 1 of",
        "Salaries of the organisation's regular staff",
    ):
        assert plain(words) in said, words


@pytest.mark.usefixtures("documents_as_they_are")
def test_the_travel_letter_says_what_was_granted() -> None:
    said = text_of(make.offered("upr-p"))
    for words in ("Letter of award for travel", "Session 64", "US$ 4,800.00", "75 %"):
        assert plain(words) in said, words


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE award SET amount_usd = amount_usd + 1",
        "UPDATE award SET amount_usd = amount_usd - 1",
        "UPDATE award SET micro_grant = false",
        "UPDATE award SET ends_on = ends_on + 30",
        "UPDATE award SET status = 'offered'",
        "UPDATE award SET status = 'closed', closed_at = now()",
        "DELETE FROM award",
        "TRUNCATE award CASCADE",
        "UPDATE award_budget_line SET amount_usd = amount_usd - 1",
        "DELETE FROM award_budget_line",
        "UPDATE instalment SET planned_usd = planned_usd + 1",
        "DELETE FROM instalment",
        "UPDATE instalment SET paid_usd = planned_usd + 1, status = 'paid'",
        "UPDATE agreement SET digest = repeat('0', 64)",
        "UPDATE agreement SET signed_name = 'Somebody Else'",
        "UPDATE agreement SET signed_by_id = NULL, signed_at = NULL, signed_name = NULL",
        "UPDATE agreement SET countersigned_at = now(), countersigned_by_id = signed_by_id",
        "DELETE FROM agreement",
    ],
)
def test_the_database_holds_what_was_signed(statement: str, db: Db) -> None:
    made = make.award(Status.ACCEPTED)
    make_still(db, made)
    with pytest.raises((IntegrityError, sa.exc.DataError)):
        db.execute(sa.text(statement))
    db.rollback()


def make_still(db: Db, award: Award) -> None:
    """End the savepoint in which the award was made, so that a refusal undoes nothing of it."""
    db.commit()
    assert award.status is Status.ACCEPTED


def test_no_status_without_its_signatures(db: Db) -> None:
    make.offered()
    db.commit()
    for status in ("accepted", "active"):
        with pytest.raises(IntegrityError, match="not signed"):
            db.execute(sa.text("UPDATE award SET status = :to"), {"to": status})
        db.rollback()


def test_no_award_but_what_was_decided_reaches_the_database(db: Db) -> None:
    application = approved(amount_usd=300_000)
    by = person()
    db.commit()
    for amount, micro, said in (
        (300_001, True, "not what was decided"),
        (500_001, True, "ceiling"),
        (500_001, False, "does not repeat"),
        (-1, True, "decided|positive"),
    ):
        award = Award(
            application=application,
            micro_grant=micro,
            amount_usd=amount,
            starts_on=clock.today(),
            ends_on=clock.today(),
            paying_agent=PayingAgent.UNDP,
            decided_by_id=by.id,
        )
        db.add(award)
        with pytest.raises(IntegrityError, match=said):
            db.flush()
        db.rollback()
    assert db.scalar(sa.select(sa.func.count()).select_from(Agreement)) == 0
