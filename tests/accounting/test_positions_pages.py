"""Positions, entries and bookings as people meet them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import usd
from portal.funds import service as funds
from portal.ledger import service
from tests import make
from tests.accounting.books import MOMENT
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.conftest import SqlCount

Count = Callable[[], AbstractContextManager[SqlCount]]


@pytest.fixture(autouse=True)
def books(db: object) -> object:
    """Tell of three wires and a charge, and stand in November 2026."""
    del db
    with clock.at(MOMENT):
        funds.load_profiles_into_database(make.profiles())
        service.open_book("act")
        for number in range(3):
            ref = f"wire:{number}"
            service.contribution_received(
                "act", usd(1_000_00), ref, date(2026, 1, 1 + number), by=None
            )
        service.charged("act", usd(12_50), "charge:1", date(2026, 3, 2), by=None)
        session.commit()
        yield


def signed_in(browser: Browser, *roles: Role | tuple[Role, str | None, str | None]) -> Browser:
    """Sign in as somebody new with roles."""
    email = make.person(roles=roles).email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    return browser


def exports() -> list[tuple[str, dict[str, object]]]:
    """Return what the chain says was taken out, in order."""
    rows = (
        select(AuditEvent.action, AuditEvent.facts)
        .where(AuditEvent.action.endswith(".exported"), AuditEvent.actor_id.is_not(None))
        .order_by(AuditEvent.number)
    )
    return [(action, facts) for action, facts in session.execute(rows)]


def test_who_takes_figures_out_is_on_record(browser: Browser) -> None:
    signed_in(browser, Role.AUDITOR)
    browser.open("/funds/act/entries/received?on=2026-01-02")
    browser.press("These entries as a table", 200)
    browser.open("/funds/act/account/2026")
    browser.press("Download as PDF", 200)
    browser.press("Download as a workbook", 200)
    assert exports() == [
        (
            "entries.exported",
            {"fund": "act", "figure": "received", "until": "2026-01-02", "entries": 2},
        ),
        ("account.exported", {"fund": "act", "year": 2026, "form": "pdf"}),
        ("account.exported", {"fund": "act", "year": 2026, "form": "xlsx"}),
    ]
    for path in ("/funds/act/entries/received.csv", "/funds/act/account/2026.pdf"):
        assert browser.client.get(path).status_code in {404, 405}
    assert "Yearly account taken out as a file" in browser.open("/audit", 200).text


def test_from_all_funds_to_a_figure_to_its_entries_to_a_booking(browser: Browser) -> None:
    signed_in(browser, Role.AUDITOR)
    browser.open("/home")
    browser.follow("Positions")
    assert "US$ 2,987.50" in browser.page.text
    browser.follow("Communities Together")
    for words in ("US$ 3,000.00", "−US$ 12.50", "US$ 2,987.50", "No operating reserve was set"):
        assert words in browser.page.text
    browser.follow("Contributions received")
    assert "All 3 entries together: the figure US$ 3,000.00" in browser.page.text
    browser.fill("At the end of the day (UTC)", "2026-01-02")
    page = browser.press("Show", 200)
    assert "All 2 entries together: the figure US$ 2,000.00" in page.text
    browser.press("These entries as a table", 200)
    lines = browser.response.get_data(as_text=True).splitlines()
    assert [line.split(",")[-1] for line in lines] == ["US$", "1000.00", "1000.00"]
    booking = next(href for text, href in page.links if text == "Contribution received")
    browser.open(booking, 200)
    assert browser.page.heading == "Contribution received"
    for words in ("wire:1", "Debit, US$", "Together US$ 1,000.00 US$ 1,000.00"):
        assert words in browser.page.text


def test_a_reversed_booking_and_its_reversal_lead_to_each_other(browser: Browser) -> None:
    booking = service.charged("act", usd(5_00), "charge:2", date(2026, 3, 3), by=None)
    service.reverse(booking, on=date(2026, 3, 4), by=None)
    address = f"/bookings/{booking.id}"
    session.commit()
    signed_in(browser, Role.AUDITOR)
    browser.open(address, 200)
    browser.follow("Another booking of 4 March 2026 undoes this one.")
    assert browser.page.heading == "Reversal"
    browser.follow("of 3 March 2026")
    assert "charge:2" in browser.page.text


def test_pages_of_entries_hold_each_once(browser: Browser) -> None:
    for number in range(60):
        service.charged("act", usd(1), f"small:{number}", date(2026, 4, 1), by=None)
    session.commit()
    signed_in(browser, Role.TREASURY)
    seen: list[str] = []
    for number in (1, 2, 3):
        browser.open(f"/funds/act/entries/charges?page={number}", 200)
        assert "All 61 entries together: the figure US$ 13.10" in browser.page.text
        seen += [word for word in browser.page.text.split() if word.startswith("small:")]
    assert len(seen) == len(set(seen)) == 60
    browser.open("/funds/act/entries/charges?page=99999999999999999999", 200)
    assert "Page 3 of 3" in browser.page.text
    browser.open("/funds/act/entries/charges?page=-1", 200)
    assert "Page 1 of 3" in browser.page.text


@pytest.mark.parametrize("path", ["/positions", "/funds/act/position", "/funds/act/entries/bank"])
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("2026-02-31", "is not a day"),
        ("0000-12-31", "is not a day"),
        ("0001-01-01", "too long ago"),
        ("9999-12-31", "still to come"),
        ("2026-11-22", "still to come"),
        ("%00%FF%22<b>", "is not a day"),
        ("2026-11-21'--", "is not a day"),
    ],
)
def test_a_day_that_is_none_is_told(browser: Browser, path: str, typed: str, says: str) -> None:
    signed_in(browser, Role.AUDITOR)
    assert says in browser.open(f"{path}?on={typed}", 422).text


def test_a_day_in_other_digits_and_the_first_day_of_all(browser: Browser) -> None:
    signed_in(browser, Role.AUDITOR)
    assert "US$ 2,000.00" in browser.open("/funds/act/position?on=٢٠٢٦-٠١-٠٢", 200).text
    assert "US$ 0.00" in browser.open("/funds/act/position?on=1946-01-01", 200).text
    browser.open("/funds/act/entries/bank?on=1946-01-01", 200)
    assert "No entries until this day" in browser.page.text


@pytest.mark.parametrize(
    "path",
    [
        "/funds/none/position",
        "/funds/act/entries/none",
        "/funds/none/entries/bank",
        "/bookings/00000000-0000-0000-0000-000000000000",
        "/funds/act'/position",
    ],
)
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    signed_in(browser, Role.AUDITOR)
    browser.open(path, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/funds/act/entries/bank.csv?on=2026-02-31",
        "/funds/act/entries/none.csv",
        "/funds/none/entries/bank.csv",
        "/funds/none/account/2026.pdf",
    ],
)
def test_a_file_that_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    signed_in(browser, Role.AUDITOR)
    assert taken(browser, path).status_code == 404
    assert exports() == []


@pytest.mark.parametrize(
    ("role", "position", "entries", "account"),
    [
        (Role.FINANCE_OFFICER, 200, 200, 200),
        (Role.TREASURY, 200, 200, 200),
        (Role.CERTIFYING_OFFICER, 200, 200, 200),
        (Role.APPROVING_OFFICER, 200, 200, 200),
        (Role.PROGRAMME_OFFICER, 200, 200, 200),
        (Role.APPROVING_AUTHORITY, 200, 200, 200),
        (Role.AUDITOR, 200, 200, 200),
        (Role.DONOR_RELATIONS, 200, 404, 404),
        (Role.BOARD_SECRETARY, 200, 404, 200),
        (Role.TRUSTEE, 200, 404, 200),
        (Role.TASK_FORCE, 404, 404, 404),
        (Role.PUBLICATION, 404, 404, 404),
        (Role.ADMINISTRATOR, 404, 404, 404),
    ],
)
def test_who_reads_what_of_their_own_funds(
    browser: Browser, role: Role, position: int, entries: int, account: int
) -> None:
    signed_in(browser, (role, "act", None))
    browser.open("/funds/act/position", position)
    browser.open("/funds/act/entries/bank", entries)
    assert taken(browser, "/funds/act/entries/bank.csv").status_code == entries
    browser.open("/funds/act/account/2026", account)
    assert taken(browser, "/funds/act/account/2026.xlsx").status_code == account
    browser.open("/funds/vftc/position", 404)
    browser.open("/funds/vftc/entries/bank", 404)
    browser.open("/funds/vftc/account/2026", 404)
    if position == 200:
        text = browser.open("/positions", 200).text
        assert "Communities Together" in text
        assert "Technical Cooperation" not in text
        links = {text for text, _href in browser.open("/funds/act/position").links}
        assert ("Contributions received" in links) == (entries == 200)


def test_an_applicant_finds_nothing(browser: Browser) -> None:
    signed_in(browser)
    for path in ("/positions", "/funds/act/position", "/funds/act/entries/bank"):
        browser.open(path, 404)
    assert "Positions" not in dict(browser.open("/home").links)


@pytest.mark.parametrize("count", [2, 40])
def test_pages_take_the_same_statements_for_any_number_of_entries(
    browser: Browser, count_sql: Count, count: int
) -> None:
    for number in range(count):
        service.charged("act", usd(1), f"more:{number}", date(2026, 4, 1), by=None)
    session.commit()
    signed_in(browser, Role.AUDITOR)
    for path, most in (
        ("/positions?lang=ar-XB", 10),
        ("/funds/act/position?lang=ar-XB", 10),
        ("/funds/act/entries/charges?lang=ar-XB", 8),
    ):
        with count_sql() as ran:
            page = browser.open(path, 200)
        assert ran.total == most, ran.statements
        assert 'dir="rtl"' in page.html
