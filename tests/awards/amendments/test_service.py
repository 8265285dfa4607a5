"""Amendments by the verbs: what an award becomes, and everything that it may not become."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pypdf
import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.applications import eligibility
from portal.awards.amendments import service
from portal.awards.amendments.models import AmendmentStatus
from portal.awards.amendments.rules import Line, Terms
from portal.awards.models import Award
from portal.cli.features import all_checks
from portal.core import clock
from portal.core.files import open_stored
from portal.core.money import usd
from portal.core.text import sha256_hex
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger import service as books
from portal.payments import service as payments
from portal.reports import queries as reports_queries
from tests.make import amendments as make
from tests.make import awards as make_awards
from tests.make.accounts import messages
from tests.make.applications import call
from tests.make.payments import order, paid, till, verified
from tests.make.reports import accepted as accepted_report
from tests.make.reports import opened, submitted
from tests.make.reviews import cast

Db = scoped_session[Session]
Status = AmendmentStatus
pytestmark = pytest.mark.usefixtures("app")


def planned(award: Award) -> list[int]:
    return [each.planned_usd for each in award.instalments]


def outstanding(award: Award) -> int:
    return ledger.outstanding(award.application.call.fund_code, award.ref).minor


def nothing_is_wrong() -> bool:
    return not any(check.run().violations for check in all_checks())


def large() -> Award:
    """Return a grant of a fund that asks for an audit line above 25,000."""
    under = call("vftc", ceiling_usd=5_000_000)
    return make_awards.award(fund="vftc", of=under, people=cast(under))


def test_an_increase_reaches_award_budget_instalments_and_books(db: Db) -> None:
    award = make_awards.award()
    made = make.in_force(award, 10_000)
    db.commit()
    assert made.status is Status.IN_FORCE
    assert award.amount_usd == 490_000
    assert [line.amount_usd for line in award.budget] == [240_000, 250_000]
    assert planned(award) == [392_000, 98_000]
    assert outstanding(award) == 490_000
    assert nothing_is_wrong()


def test_a_decrease_gives_back_what_it_takes(db: Db) -> None:
    award = make_awards.award()
    before = ledger.position("act").available.minor
    make.in_force(award, -80_000)
    db.commit()
    assert planned(award) == [320_000, 80_000]
    assert outstanding(award) == award.amount_usd == 400_000
    assert ledger.position("act").available.minor > before
    assert nothing_is_wrong()


def test_one_after_the_other_there_and_back(db: Db) -> None:
    award = make_awards.award()
    for change in (-100_000, 100_000, -100_000, 120_000):
        make.in_force(award, change)
        db.commit()
    assert award.amount_usd == 500_000
    assert outstanding(award) == 500_000
    assert nothing_is_wrong()


def test_the_change_goes_to_what_was_not_ordered(db: Db) -> None:
    award = make_awards.award()
    who = till()
    verified(award, who)
    paid(award.instalments[0], who)
    make.in_force(award, 20_000)
    db.commit()
    assert planned(award) == [384_000, 116_000]
    assert outstanding(award) == 116_000
    assert nothing_is_wrong()
    with pytest.raises(Refused, match=r"less than US\$ 3,840.00"):
        make.proposed(award, -116_001)
    make.in_force(award, -115_999)
    db.commit()
    assert planned(award) == [384_000, 1]


def test_an_increase_with_nothing_left_to_pay_is_one_instalment_more(db: Db) -> None:
    award = make_awards.award()
    who = till()
    verified(award, who)
    paid(award.instalments[0], who)
    accepted_report(submitted(award))
    paid(award.instalments[1], who, "AG-2")
    db.commit()
    with pytest.raises(Refused, match="cannot be less"):
        make.proposed(award, -1)
    make.in_force(award, 20_000)
    db.commit()
    assert planned(award) == [384_000, 96_000, 20_000]
    added = award.instalments[-1]
    assert (added.number, added.report_key) == (3, award.instalments[1].report_key)
    assert nothing_is_wrong()


def test_an_extension_moves_the_days_of_reports(db: Db) -> None:
    award = make_awards.award()
    report = opened(award)
    before = report.due_on
    make.in_force(award, ends_on=award.ends_on + timedelta(days=30))
    db.commit()
    db.refresh(report)
    assert report.due_on == before + timedelta(days=30)
    assert [each.due_on for each in reports_queries.obligations(award)] == [report.due_on]
    assert nothing_is_wrong()


@pytest.mark.usefixtures("documents_as_they_are")
def test_the_text_says_what_changes_and_is_kept_with_its_digest() -> None:
    made = make.proposed(make_awards.award(), 10_000)
    assert made.file is not None
    with open_stored(made.file) as stream:
        content = stream.read()
    assert sha256_hex(content) == made.digest
    said = " ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)
    for words in ("US$ 4,900.00", "US$ 4,800.00", "US$ 3,920.00", "More people came."):
        assert words in said, words
    assert len(messages(make_awards.signatory(made.award).email, "amendment_proposed")) == 1


@pytest.mark.parametrize(("change", "fits"), [(20_000, True), (20_001, False)])
def test_no_micro_grant_grows_above_five_thousand(change: int, *, fits: bool) -> None:
    award = make_awards.award()
    if fits:
        make.in_force(award, change)
        assert award.amount_usd == 500_000
        return
    with pytest.raises(Refused, match="ceiling") as refused:
        make.proposed(award, change)
    assert refused.value.rule == "R9"


def test_a_call_may_hold_the_ceiling_lower() -> None:
    under = call(ceiling_usd=485_000)
    award = make_awards.award(of=under, people=cast(under))
    with pytest.raises(Refused, match=r"4,850\.00"):
        make.proposed(award, 5_001)
    make.in_force(award, 5_000)
    with pytest.raises(Refused, match=r"4,850\.00"):
        make.proposed(award, 1)


def test_an_increase_needs_money_when_proposed_and_when_signed() -> None:
    award = make_awards.award()
    waits = make.accepted(make.proposed(award, 20_000))
    while ledger.position("act").available_after(usd(20_000)).minor >= 0:
        rest = ledger.position("act").available.minor // 2
        books.commit_funds("act", f"award:n{rest}", usd(rest), by=None)
    with pytest.raises(Refused, match="available") as refused:
        service.countersign(waits, waits.digest or "", by=make_awards.authority(award))
    assert refused.value.rule == "R19"


def test_the_lines_are_those_that_there_are_and_sum_to_the_amount() -> None:
    award = make_awards.award()
    by = make_awards.officer(award)
    sound = make.terms(award, 10_000)
    first = sound.lines[0]
    new = Line(None, "nonsense", "A thing", 1)
    for lines, said in (
        (sound.lines[:1], "each line"),
        ([*sound.lines, sound.lines[0]], "each line"),
        ([replace(first, amount_usd=-1), *sound.lines[1:]], "zero or more"),
        ([replace(first, amount_usd=first.amount_usd + 1), *sound.lines[1:]], "0.01 above"),
        ([replace(first, amount_usd=first.amount_usd - 1), *sound.lines[1:]], "0.01 below"),
        ([*sound.lines, new], "categories"),
        ([*sound.lines, replace(new, category=first.category, description="")], "needs its"),
        ([*sound.lines, replace(new, category=first.category, amount_usd=0)], "needs its"),
    ):
        with pytest.raises(Refused, match=said):
            service.propose(award, replace(sound, lines=lines), "Why.", by=by)
    for amount in (0, -1):
        with pytest.raises(Refused, match="above zero"):
            service.propose(award, replace(sound, amount_usd=amount), "Why.", by=by)


def test_a_new_line_joins_the_budget(db: Db) -> None:
    award = make_awards.award()
    by = make_awards.officer(award)
    sound = make.terms(award)
    words = Line(None, award.budget[0].category, "An interpreter", 10_000)
    made = service.propose(
        award,
        replace(sound, amount_usd=award.amount_usd + 10_000, lines=[*sound.lines, words]),
        "Why.",
        by=by,
    )
    make.accepted(made)
    service.countersign(made, made.digest or "", by=make_awards.authority(award))
    db.commit()
    assert [(line.position, line.amount_usd) for line in award.budget][-1] == (2, 10_000)
    assert nothing_is_wrong()


def test_above_twenty_five_thousand_there_is_a_line_for_an_audit() -> None:
    award = large()
    by = make_awards.officer(award)
    grown = make.terms(award, 2_500_001 - award.amount_usd)
    with pytest.raises(Refused, match="audit") as refused:
        service.propose(award, grown, "Why.", by=by)
    assert refused.value.rule == "R10"
    audit = Line(None, "audit", "An audit", 100_000)
    service.propose(
        award,
        replace(grown, amount_usd=grown.amount_usd + 100_000, lines=[*grown.lines, audit]),
        "Why.",
        by=by,
    )


def shifted(award: Award, cents: int) -> Terms:
    """Return terms in which so much moves from the first line to the second."""
    sound = make.terms(award)
    first, second = sound.lines
    return replace(
        sound,
        lines=[
            replace(first, amount_usd=first.amount_usd - cents),
            replace(second, amount_usd=second.amount_usd + cents),
        ],
    )


def test_what_moves_freely_needs_no_amendment() -> None:
    award = make_awards.award()
    by = make_awards.officer(award)
    with pytest.raises(Refused, match="changes nothing"):
        service.propose(award, shifted(award, 0), "Why.", by=by)
    with pytest.raises(Refused, match="15 %"):
        service.propose(award, shifted(award, 36_000), "Why.", by=by)
    service.propose(award, shifted(award, 36_001), "Why.", by=by)


def test_no_cent_moves_freely_to_staff() -> None:
    award = large()
    assert award.budget[0].category == "staff"
    made = service.propose(award, shifted(award, -1), "Why.", by=make_awards.officer(award))
    assert made.change_usd == 0


def test_days_are_within_the_fund_and_asked_for_in_time() -> None:
    award = make_awards.award()
    latest = eligibility.latest_end(award.application.call, award.starts_on)
    assert latest is not None
    with pytest.raises(Refused, match="at the latest"):
        make.proposed(award, ends_on=latest + timedelta(days=1))
    with pytest.raises(Refused, match="before the first"):
        make.proposed(award, ends_on=award.starts_on - timedelta(days=1))
    after = clock.now() + timedelta(days=43)
    with clock.at(after), pytest.raises(Refused, match="before the end") as refused:
        make.proposed(award, ends_on=latest)
    assert refused.value.rule == "R26"
    with clock.at(after), pytest.raises(Refused, match="before the end"):
        service.ask(award, "Rain.", ends_on=latest, by=make_awards.signatory(award))
    asked = service.ask(award, "Rain.", ends_on=latest, by=make_awards.signatory(award))
    with clock.at(after):
        made = make.proposed(award, ends_on=latest)
        assert made is asked
        assert (made.number, made.status) == (1, Status.PROPOSED)


def test_a_payment_under_way_and_an_amendment_of_the_amount_wait_for_each_other(db: Db) -> None:
    award = make_awards.award()
    who = till()
    made = order(award=award, who=who)
    with pytest.raises(Refused, match="under way"):
        make.proposed(award, 1_000)
    extended = make.proposed(award, ends_on=award.ends_on + timedelta(days=3))
    service.withdraw(extended, "Later.", by=make_awards.officer(award))
    payments.cancel_order(made, "Later.", by=who.finance)
    waits = make.proposed(award, 1_000)
    db.commit()
    with pytest.raises(Refused, match="amendment of the amount is open") as refused:
        payments.prepare_order(award.instalments[0], by=who.finance)
    assert refused.value.rule == "R26"
    service.decline(waits, "No.", by=make_awards.signatory(award))
    assert payments.prepare_order(award.instalments[0], by=who.finance).amount_usd == 384_000
