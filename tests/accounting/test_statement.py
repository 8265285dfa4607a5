"""A donor's statement: shares of all donors sum to the grants; no grantee is named."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from portal.accounting.queries.given import gifts
from portal.accounting.queries.statement import statement
from portal.accounting.tracing import Pool
from portal.accounts.models import Person, Role
from portal.contributions import service
from portal.contributions.models import Donor, DonorKind
from portal.contributions.service import returning
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import total, usd
from portal.funds.models import Call
from portal.ledger import service as ledger
from tests import make
from tests.accounting.books import MOMENT
from tests.accounting.grants import grant
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import contributions as giving
from tests.make.contributions import Desk

Count = Callable[[], AbstractContextManager[SqlCount]]
YEAR = 2026

pytestmark = pytest.mark.usefixtures("app")


@dataclass(frozen=True)
class Town:
    """A fund with two calls, three donors, and grants in three countries."""

    desk: Desk
    call: Call
    reader: Person
    kenya: Donor
    anything: Donor
    other: Donor


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    """Stand in November 2026."""
    with clock.at(MOMENT):
        yield


@pytest.fixture
def town() -> Town:
    """Build it: US$ 1,000 for Kenya, 6,000 and 3,000 for anything."""
    desk = giving.desk()
    call = make.call("act")
    kenya, anything, other = (giving.donor(desk) for _each in range(3))
    meant = giving.earmark(desk)
    agreed = giving.agreement(desk, amount=usd(1_000_00), of=kenya, meant=meant)
    giving.wire(desk, usd(1_000_00), agreed)
    giving.pledge(desk, amount=usd(7_000_00), of=anything)
    giving.wire(desk, usd(6_000_00), of=anything)
    giving.wire(desk, usd(3_000_00), of=other)
    by = desk.officer
    grant(call, "KEN", by, committed=2_000_00, paid=1_600_00, spent=1_000_00, theme=["women"])
    grant(call, "PER", by, committed=1_000_01, paid=800_00, theme=["women", "youth"])
    grant(call, "NPL", by, committed=500_00, theme=["lgbti"], sensitive=True)
    reader = make.person(roles=[Role.AUDITOR])
    session.commit()
    return Town(desk, call, reader, kenya, anything, other)


def test_money_for_a_country_is_traced_to_its_grants_first(town: Town) -> None:
    (found,) = statement(town.reader, town.kenya, YEAR).sections
    assert found.purposes == ["Schools in Kenya"]
    assert (found.agreed, found.received, found.in_year) == (usd(1_000_00),) * 3
    assert (found.committed, found.disbursed, found.reported) == (
        usd(1_000_00),
        usd(800_00),
        usd(500_00),
    )
    assert [line.label for line in found.places] == ["Kenya"]
    assert [line.label for line in found.themes] == ["Women and girls"]
    assert found.to_commit == found.support_costs == usd(0)


def test_shares_of_all_donors_are_the_books(town: Town) -> None:
    sections = [
        section
        for donor in (town.kenya, town.anything, town.other)
        for section in statement(town.reader, donor, YEAR).sections
    ]
    assert total((each.committed for each in sections), "USD") == usd(3_500_01)
    assert total((each.disbursed for each in sections), "USD") == usd(2_400_00)
    assert total((each.reported for each in sections), "USD") == usd(1_000_00)
    for each in sections:
        assert each.received == each.committed + each.to_commit + each.support_costs
        assert each.committed >= each.disbursed >= each.reported
        assert each.committed == total((line.committed for line in each.places), "USD")
        assert each.reported == total((line.reported for line in each.themes), "USD")


def test_what_is_not_earmarked_is_shared_by_what_was_received(town: Town) -> None:
    (big,) = statement(town.reader, town.anything, YEAR).sections
    (small,) = statement(town.reader, town.other, YEAR).sections
    assert big.purposes == []
    assert big.pledged == usd(7_000_00)
    assert big.everybody == small.everybody == usd(9_000_00)
    assert {line.label: line.committed for line in big.places} == {
        "Kenya": usd(666_67),
        "Peru": usd(666_67),
        "Asia": usd(333_33),
    }
    assert {line.label: line.committed for line in big.themes} == {
        "Women and girls": usd(1_000_01),
        "Young people": usd(333_33),
        "Not stated": usd(333_33),
    }
    assert {line.committed for line in small.places} == {usd(333_33), usd(333_34), usd(166_67)}


def test_money_that_no_donor_gave_has_its_share(town: Town) -> None:
    day = town.call.reference_day
    ledger.contribution_received("act", usd(9_000_00), "wire:nobody", day, by=None)
    (big,) = statement(town.reader, town.anything, YEAR).sections
    assert big.everybody == usd(18_000_00)
    assert big.committed == usd(833_34)


def test_a_year_before_the_gift_knows_nothing_of_it(town: Town) -> None:
    assert statement(town.reader, town.anything, YEAR - 1).sections == []


def test_what_comes_later_changes_no_year_that_has_ended(town: Town) -> None:
    with clock.at(MOMENT + timedelta(days=30)):
        disputed = returning.dispute(
            giving.card(usd(50_00)), usd(50_00), clock.today(), source_ref="dp:1"
        )
        pledge = giving.pledge(town.desk, amount=usd(700_00), of=disputed.contribution.donor)
        session.commit()
        before = _given(disputed.contribution.donor, YEAR)
        assert before == (0, 700_00)
    with clock.at(MOMENT + timedelta(days=60)):
        returning.dispute_won(disputed, clock.today())
        service.withdraw_pledge(pledge, "Another budget.", by=town.desk.officer)
        session.commit()
        assert _given(disputed.contribution.donor, YEAR) == before
        assert _given(disputed.contribution.donor, YEAR + 1) == (50_00, 0)


def _given(donor: Donor, year: int) -> tuple[int, int]:
    """Return what a donor gave without an earmark, and pledged, by the end of a year."""
    gift = gifts(date(year, 12, 31))["act"][Pool("", "")][donor.id]
    return gift.received, gift.pledged


def test_page_and_document_name_no_grantee(town: Town, browser: Browser) -> None:
    ref, email = town.anything.ref, town.reader.email
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/donors/{ref}/statement", 200)
    for words in ("Kenya", "Peru", "Asia", "Young people", "Provisional", "US$ 666.67"):
        assert words in page.text
    for secret in ("Nepal", "Lesbian", "Applicant of", "CANARY"):
        assert secret not in page.html
    browser.press("Download as PDF")
    answer = browser.response
    exported = select(AuditEvent.facts).where(AuditEvent.action == "donor_statement.exported")
    assert session.scalars(exported).all() == [{"donor": ref, "year": YEAR, "form": "pdf"}]
    text = "".join(each.extract_text() for each in PdfReader(io.BytesIO(answer.data)).pages)
    for words in ("666.67", "Kenya", "Provisional", f"Statement of {YEAR}"):
        assert words in text
    for secret in ("Nepal", "Lesbian", "Applicant of", "CANARY"):
        assert secret not in text
    assert 'dir="rtl"' in browser.open(f"/donors/{ref}/statement?lang=ar-XB", 200).html


@pytest.mark.parametrize("typed", ["0", "9999", "2026-01", "x", "%D9%A0", "-1", "99999999999"])
def test_a_year_that_is_none_is_told(town: Town, browser: Browser, typed: str) -> None:
    ref, email = town.anything.ref, town.reader.email
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/donors/{ref}/statement?year={typed}", 422)
    assert "This year is shown instead" in page.text
    assert taken(browser, f"/donors/{ref}/statement.pdf?year={typed}").status_code == 404
    assert browser.open(f"/donors/{ref}/statement?year=٢٠٢٥", 200).status == 200


def test_who_does_not_read_contributions_finds_no_statement(town: Town, browser: Browser) -> None:
    individual = giving.donor(town.desk, DonorKind.INDIVIDUAL).ref
    ref = town.anything.ref
    people = [
        make.person(roles=[role]).email for role in (Role.TREASURY, Role.TRUSTEE, Role.TASK_FORCE)
    ]
    elsewhere = make.person(roles=[(Role.DONOR_RELATIONS, "vftc", None)]).email
    session.commit()
    for email in [*people, elsewhere]:
        browser.sign_in(email, make.PASSWORD)
        for each in (ref, individual, "ZZZZ-9999"):
            browser.open(f"/donors/{each}/statement", 404)
            assert taken(browser, f"/donors/{each}/statement.pdf").status_code == 404
        browser.sign_out()


@pytest.mark.parametrize("more", [0, 8])
def test_it_takes_the_same_statements_for_any_number_of_grants(
    town: Town, browser: Browser, count_sql: Count, more: int
) -> None:
    for _each in range(more):
        grant(town.call, "KEN", town.desk.officer, committed=10_00, paid=5_00)
        giving.wire(town.desk, usd(10_00))
    ref, email = town.anything.ref, town.reader.email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    with count_sql() as ran:
        browser.open(f"/donors/{ref}/statement", 200)
    assert ran.total == 10, ran.statements
