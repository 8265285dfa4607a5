"""Rates of exchange as people meet them: what holds, what is missing, and the monthly import."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from iso4217 import Currency
from sqlalchemy import text, update

from portal.accounting.views.held_file import packed
from portal.accounts.models import Role
from portal.applications.models import Application
from portal.core import clock
from portal.core.db import session
from portal.ledger import queries as ledger
from portal.ledger.models import ExchangeRate
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.ledger.test_unore import dataset, row
from tests.make.applications import application
from tests.page import words

Count = Callable[[], AbstractContextManager[SqlCount]]

MOMENT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST_VIEW = 30 * 1024
OVERHEAD = 2
"""Statements of every page: the session with its person, and their roles and places."""

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def in_november() -> object:
    """Stand in November 2026."""
    with clock.at(MOMENT):
        yield


def rate(currency: str, units: str, on: date, source: str = "UNORE") -> None:
    """Keep one rate, as if it had been imported."""
    session.add(
        ExchangeRate(
            currency=currency,
            units_per_usd=Decimal(units),
            effective_on=on,
            source=source,
            imported_at=clock.now(),
        )
    )


def signed_in(browser: Browser, role: Role) -> Browser:
    """Sign in as somebody new with a role in all funds."""
    email = make.person(roles=[role]).email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    return browser


def test_rates_of_today_of_any_day_and_of_one_currency(browser: Browser) -> None:
    rate("KES", "129.35", OCTOBER)
    rate("KES", "130.5", NOVEMBER)
    rate("CHF", "0.81", NOVEMBER)
    signed_in(browser, Role.AUDITOR)
    page = browser.open("/rates", 200)
    assert "130.5" in page.text
    assert "129.35" not in page.text
    assert "Import rates" not in page.text
    browser.fill("On the day", "2026-10-31")
    browser.fill("Currency", "shilling")
    page = browser.press("Show", 200)
    assert "129.35" in page.text
    assert "CHF" not in page.text
    browser.follow("Kenyan Shilling")
    assert browser.page.text.index("130.5") < browser.page.text.index("129.35")
    csv = browser.client.get("/rates.csv?on=2026-10-31").get_data(as_text=True)
    assert "KES,129.35000000,2026-10-01,UNORE" in csv
    browser.open("/rates/ZZZ", 404)
    browser.open("/rates/usd", 404)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("2026-02-31", "is not a day"),
        ("0000-01-01", "is not a day"),
        ("9999-12-31", "still to come"),
        ("2026-11-22", "still to come"),
        ("1066-10-14", "too long ago"),
        ("2026-W47-6", "is not a day"),
        ("<script>", "is not a day"),
        ("２０２６-１０-３１x", "is not a day"),
    ],
)
def test_a_day_that_is_none_is_told_and_today_is_shown(
    browser: Browser, typed: str, says: str
) -> None:
    rate("KES", "130.5", NOVEMBER)
    signed_in(browser, Role.AUDITOR)
    page = browser.open(f"/rates?on={typed}", 422)
    assert says in page.text
    assert "130.5" in page.text
    browser.open(f"/rates.csv?on={typed}", 404)


def test_a_day_in_the_digits_of_another_script_is_read(browser: Browser) -> None:
    rate("KES", "129.35", OCTOBER)
    rate("KES", "130.5", NOVEMBER)
    signed_in(browser, Role.AUDITOR)
    assert "129.35" in browser.open("/rates?on=٢٠٢٦-١٠-٣١", 200).text


def test_finance_imports_a_month_once(browser: Browser) -> None:
    signed_in(browser, Role.FINANCE_OFFICER)
    browser.open("/rates")
    browser.follow("Import rates")
    browser.press("Import these rates", 422)
    assert "Choose the file first" in browser.page.text
    for expected in ("2 rates are new. 0 were there", "0 rates are new. 2 were there"):
        browser.open("/rates/import")
        content = dataset(row("KES", "130.5"), row("CHF", "0.81"))
        browser.attach("The XML file", "rates.xml", content)
        page = browser.press("Import these rates", 200)
        assert expected in page.text
    assert {each.currency for each in ledger.rates(NOVEMBER)} == {"KES", "CHF"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (dataset(row("KES"), row("KE", "x")), "Row 2"),
        (dataset(row("KES"), row("CHF", "-1")), "Row 2"),
        (dataset(row("KES", "1"), row("KES", "2")), "contradict"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + dataset(row()), "entities"),
        (dataset(row())[:-20], "not complete"),
        (b"", "not complete"),
    ],
)
def test_a_file_with_a_fault_is_refused_whole(browser: Browser, content: bytes, says: str) -> None:
    signed_in(browser, Role.FINANCE_OFFICER)
    browser.open("/rates/import")
    browser.attach("The XML file", "rates.xml", content)
    page = browser.press("Import these rates", 422)
    assert says in page.text
    assert "Nothing of the file was kept" in page.text
    assert ledger.rates(NOVEMBER) == []


def chosen(browser: Browser, *rows: str) -> None:
    """Choose a file of `rows` and press the button, which asks about it."""
    browser.attach("The XML file", "rates.xml", dataset(*rows))
    browser.press("Import these rates", 422)


def test_rates_far_from_the_ones_before_them_are_shown_and_taken_with_a_tick(
    browser: Browser,
) -> None:
    rate("KES", "100", OCTOBER)
    signed_in(browser, Role.FINANCE_OFFICER)
    browser.open("/rates/import")
    chosen(browser, row("USD", "1"), row("CHF", "0.81"), row("KES", "129.35"))
    assert "2 rates to compare: a change of more than 20 %" in browser.page.text
    for shown in ("129.35", "100", "+29.4 %", "Kenyan Shilling"):
        assert shown in browser.page.text
    assert browser.page.text.index("Swiss") < browser.page.text.index("the first rate of this")
    assert "US Dollar" not in browser.page.text
    page = browser.press("Import these rates", 422)
    assert "Tick that you compared the rates below" in page.text
    assert ledger.rates(NOVEMBER)[0].units_per_usd == 100
    browser.choose("I compared these rates")
    assert "3 rates are new" in browser.press("Import these rates", 200).text
    assert {each.currency for each in ledger.rates(NOVEMBER)} == {"KES", "CHF", "USD"}


def test_of_many_changes_the_largest_are_shown_and_the_tick_is_for_all(browser: Browser) -> None:
    known = {each.code for each in Currency if each.exponent is not None}
    codes = sorted(known - {"USD"})[:100]
    for code in codes:
        rate(code, "100", OCTOBER)
    signed_in(browser, Role.FINANCE_OFFICER)
    browser.open("/rates/import")
    rows = [row(code, f"{201 + n}.{n:08}") for n, code in enumerate(codes)]
    chosen(browser, *rows)
    shown = [words(e) for e in browser.page.all("span") if e.get("class") == "ref"]
    assert shown == codes[:-31:-1]
    assert "And 70 more, not larger than these. The tick is for all of them" in browser.page.text
    assert len(browser.response.data) <= FIRST_VIEW
    browser.choose("I compared these rates")
    assert "100 rates are new" in browser.press("Import these rates", 200).text


def test_the_tick_is_about_the_rates_that_were_shown(browser: Browser) -> None:
    rate("KES", "100", OCTOBER)
    signed_in(browser, Role.FINANCE_OFFICER)
    browser.open("/rates/import")
    chosen(browser, row("KES", "129.35"))
    browser.choose("I compared these rates")
    chosen(browser, row("KES", "1293.5"))
    assert "+1,193.5 %" in browser.page.text
    assert ledger.rates(NOVEMBER)[0].units_per_usd == 100


def test_what_a_page_claims_to_hold_is_read_as_strictly_as_an_upload(browser: Browser) -> None:
    rate("KES", "100", OCTOBER)
    signed_in(browser, Role.FINANCE_OFFICER)
    for held, says in (("%%%", "Choose the file first"), (packed(b" " * 6_000_000), "5 MB")):
        browser.open("/rates/import")
        chosen(browser, row("KES", "129.35"))
        [hidden] = [e for e in browser.page.all("input") if e.get("name") == "held"]
        hidden.set("value", held)
        assert says in browser.press("Import these rates", 422).text


def test_what_is_in_use_and_has_no_rate_is_a_warning_and_a_task(browser: Browser) -> None:
    made = application()
    session.execute(text("SET LOCAL session_replication_role = replica"))  # it is frozen since
    session.execute(update(Application).where(Application.id == made.id).values(currency="KES"))
    session.execute(text("SET LOCAL session_replication_role = origin"))
    rate("KES", "129.35", OCTOBER)
    signed_in(browser, Role.FINANCE_OFFICER)
    browser.open("/home")
    assert "Import the rates of exchange of November 2026" in browser.page.text
    page = browser.open("/rates", 200)
    assert "Rates of November 2026 are missing" in page.text
    rate("KES", "130.5", NOVEMBER)
    session.commit()
    assert "are missing" not in browser.open("/rates", 200).text
    assert "Import the rates" not in browser.open("/home").text


def test_who_only_applies_finds_no_rates(browser: Browser) -> None:
    email = make.signed_up().email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    for path in ("/rates", "/rates.csv", "/rates/KES", "/rates/import"):
        browser.open(path, 404)


@pytest.mark.parametrize("count", [3, 60])
def test_the_page_takes_the_same_statements_for_any_number_of_rates(
    browser: Browser, count_sql: Count, count: int
) -> None:
    codes = [f"{a}{b}{c}" for a in "ABCD" for b in "EFGH" for c in "IJKL"][:count]
    for code in codes:
        rate(code, "1.5", NOVEMBER)
    signed_in(browser, Role.AUDITOR)
    with count_sql() as ran:
        browser.open("/rates?lang=ar-XB", 200)
    assert ran.total == OVERHEAD + 2, ran.statements
