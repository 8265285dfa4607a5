"""The yearly account: sums over entries, on the page, in the document and in the workbook."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from portal.accounting import yearly
from portal.accounting.queries.position import standing
from portal.accounting.queries.yearly import yearly_account
from portal.accounting.yearly import Pair, Row
from portal.accounts.models import Role
from portal.contributions.models import DonorKind
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.funds import service as funds
from portal.ledger import service
from portal.ledger.models import AccountKind
from tests import make
from tests.accounting.books import MOMENT, POSTINGS, Posting, balance, tell
from tests.accounting.grants import grant
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import contributions as giving

Count = Callable[[], AbstractContextManager[SqlCount]]

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    """Stand in November 2026."""
    with clock.at(MOMENT):
        yield


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(postings=POSTINGS, year=st.sampled_from([2024, 2025, 2026]))
def test_an_account_is_the_sums_over_entries(postings: list[Posting], year: int) -> None:
    code = tell(postings)
    fund = make.profiles()["act"].model_copy(update={"code": code})
    found = yearly_account(fund, year).account
    ends = [date(year - 2, 12, 31), date(year - 1, 12, 31), min(date(year, 12, 31), MOMENT.date())]

    def moved(kinds: Sequence[AccountKind], sign: int = 1) -> Pair:
        before, last, now = (sign * balance(postings, kinds, day) for day in ends)
        return Pair(now - last, last - before)

    def at_end(kinds: Sequence[AccountKind]) -> Pair:
        return Pair(balance(postings, kinds, ends[2]), balance(postings, kinds, ends[1]))

    assert found.contributions == moved(yearly.REVENUE, -1)
    assert found.exchange == moved([AccountKind.EXCHANGE_DIFFERENCE], -1)
    assert found.charges == moved([AccountKind.BANK_CHARGES])
    assert found.expenditure == moved([AccountKind.GRANT_EXPENDITURE])
    assert found.support_costs == moved([AccountKind.SUPPORT_COSTS])
    assert found.disbursed == moved(yearly.GRANTED)
    assert found.closing == at_end(yearly.ASSETS)
    assert found.opening.now == found.closing.before
    assert found.receivable == at_end([AccountKind.CONTRIBUTIONS_RECEIVABLE])
    for of in (attrgetter("now"), attrgetter("before")):
        assert of(found.closing) == (
            of(found.opening)
            + of(found.contributions)
            + of(found.exchange)
            - of(found.charges)
            - of(found.expenditure)
            - of(found.support_costs)
        )
    assert sum(pair.now for _kind, pair in found.assets) == found.closing.now
    assert sum(pair.now for pair in found.received_by.values()) == found.contributions.now
    assert sum(pair.now for pair in found.spent_by_grant.values()) == found.expenditure.now


AMOUNTS = st.dictionaries(
    st.sampled_from(["a", "b", "c", None]),
    st.builds(Pair, st.integers(-(10**6), 10**9), st.integers(-(10**6), 10**9)),
)


@given(AMOUNTS, AMOUNTS, st.dictionaries(st.sampled_from("abc"), st.sets(st.sampled_from("xyz"))))
def test_a_grant_with_several_themes_is_divided_to_the_cent(
    paid: dict[str | None, Pair], spent: dict[str | None, Pair], themes: dict[str, set[str]]
) -> None:
    rows = yearly.grouped([paid, spent], lambda ref: sorted(themes.get(ref or "", ())) or [""], str)
    for place, by_ref in enumerate((paid, spent)):
        assert sum(row.amounts[place].now for row in rows) == sum(
            pair.now for pair in by_ref.values()
        )
        assert sum(row.amounts[place].before for row in rows) == sum(
            pair.before for pair in by_ref.values()
        )


def told() -> None:
    """Tell of two years of a fund: donors of each kind, grants in three regions."""
    with clock.at(datetime(2025, 12, 30, 23, 59, 59, tzinfo=UTC)):
        desk = giving.desk()
        state = giving.donor(desk, DonorKind.STATE, name="Switzerland", country="CHE")
        giving.wire(desk, usd(40_000_00), of=state)
        call = make.call("act")
        kenya = grant(call, "KEN", desk.officer, committed=5_000_00, paid=4_000_00, theme=["women"])
    with clock.at(MOMENT):
        giving.wire(desk, usd(12_345_67))
        giving.card(usd(50_00))
        service.contribution_received("act", usd(100_00), "wire:nobody", MOMENT.date(), by=None)
        service.expenditure_accepted(
            "act", kenya.ref, usd(3_999_99), "report:kenya", MOMENT.date(), by=None
        )
        grant(
            call,
            "PER",
            desk.officer,
            committed=4_800_00,
            paid=1_000_01,
            theme=["women", "youth", "rural"],
        )
        grant(call, "NPL", desk.officer, committed=700_00, paid=560_00)
        service.charged("act", usd(17_30), "charge:1", date(2026, 2, 3), by=None)
        session.commit()


def cells(rows: Sequence[Row]) -> dict[str, tuple[int, ...]]:
    return {str(row.label): tuple(pair.now for pair in row.amounts) for row in rows}


def test_an_account_by_donor_country_region_and_theme() -> None:
    told()
    found = yearly_account(make.profiles()["act"], 2026)
    assert cells(found.kinds) == {
        "Foundations": (12_345_67,),
        "Individuals": (50_00,),
        "Not traced to a donor": (100_00,),
        "States": (0,),
    }
    givers = cells(found.givers)
    assert givers["Switzerland"] == (0,)
    assert givers["Individuals"] == (50_00,)
    assert "A. Giver" not in givers
    assert cells(found.countries) == {
        "Peru": (1_000_01, 0),
        "Nepal": (560_00, 0),
        "Kenya": (0, 3_999_99),
    }
    assert cells(found.regions) == {
        "Americas": (1_000_01, 0),
        "Asia": (560_00, 0),
        "Africa": (0, 3_999_99),
    }
    assert cells(found.themes) == {
        "Not recorded": (560_00, 0),
        "Young people": (333_34, 0),
        "Rural communities": (333_33, 0),
        "Women and girls": (333_34, 3_999_99),
    }
    assert found.account.opening == Pair(40_000_00, 0)
    assert found.account.committed == Pair(1_000_00 + 3_799_99 + 140_00, 1_000_00)
    on_the_day = standing("act", MOMENT.date())
    assert usd(found.account.closing.now) == (on_the_day.cash + on_the_day.position.advanced)


def test_the_last_second_of_a_year_belongs_to_it() -> None:
    with clock.at(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)):
        service.open_book("act")
        service.contribution_received("act", usd(7_00), "wire:old", clock.today(), by=None)
    with clock.at(datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC)):
        service.contribution_received("act", usd(20_00), "wire:new", clock.today(), by=None)
    found = yearly_account(make.profiles()["act"], 2026).account
    assert found.contributions == Pair(20_00, 7_00)
    assert found.opening == Pair(7_00, 0)
    with clock.at(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)):
        assert not yearly_account(make.profiles()["act"], 2026).account.is_final
    with clock.at(datetime(2027, 1, 1, tzinfo=UTC)):
        assert yearly_account(make.profiles()["act"], 2026).account.is_final


def opened(browser: Browser, path: str) -> Any:
    """Download a file as an auditor."""
    funds.load_profiles_into_database(make.profiles())
    email = make.person(roles=[Role.AUDITOR]).email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    answer = taken(browser, path)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    return answer.data


@pytest.mark.parametrize("language", ["en", "ar-XB"])
def test_the_workbook_holds_numbers_whose_sums_are_the_books(
    browser: Browser, language: str
) -> None:
    told()
    content = opened(browser, f"/funds/act/account/2026.xlsx?lang={language}")
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    found = yearly_account(make.profiles()["act"], 2026)
    last = {"account": found.account.closing.now, "spent": found.account.expenditure.now}
    sums = {0: last["account"], 1: last["account"], 2: 12_495_67, 3: 12_495_67, 4: 12_495_67}
    for place, name in enumerate(formulas.sheetnames):
        sheet, read = formulas[name], values[name]
        assert sheet.freeze_panes == "B6"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows == "$5:$5"
        assert bool(sheet.sheet_view.rightToLeft) == (language == "ar-XB")
        body = [row for row in sheet.iter_rows(min_row=6) if row[1].value is not None]
        result = body.pop(-2) if place == 0 else None
        for row in body[:-1]:
            assert all(isinstance(cell.value, int | float) for cell in row[1:])
            assert all("0.00" in cell.number_format for cell in row[1:])
        for cell in body[-1][1:]:
            assert str(cell.value).startswith("=SUM(")
            plain = sum(round(row[cell.column - 1].value * 100) for row in body[:-1])
            assert round(read[cell.coordinate].value * 100) == plain
        if result is not None:
            assert [cell.value for cell in result[1:]] == ["=SUM(B7:B11)", "=SUM(C7:C11)"]
            assert body[-1][1].value == "=SUM(B6,B12)"
            shown = [round(read[cell.coordinate].value * 100) for cell in result[1:]]
            assert shown == [found.account.result.now, found.account.result.before]
        if place in sums:
            assert round(read[body[-1][1].coordinate].value * 100) == sums[place]
        else:
            assert round(read[body[-1][3].coordinate].value * 100) == last["spent"]


def test_a_name_that_looks_like_a_formula_stays_a_text(browser: Browser) -> None:
    desk = giving.desk()
    giving.wire(desk, usd(1_00), of=giving.donor(desk, name='=HYPERLINK("http://x","y")'))
    content = opened(browser, "/funds/act/account/2026.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Donors"]
    cell = sheet["A6"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x","y")', "s")


def test_the_document_says_what_the_page_says(browser: Browser) -> None:
    told()
    content = opened(browser, "/funds/act/account/2026.pdf")
    reader = PdfReader(io.BytesIO(content))
    text = " ".join(" ".join(each.extract_text() for each in reader.pages).split())
    page = browser.open("/funds/act/account/2026", 200)
    for words in ("Account of 2026", "Provisional", "US$ 12,345.67", "Switzerland", "Kenya"):
        assert words in text
        assert words in page.text
    assert "Page 1 of" in text
    labels = {each.get("data-label") for each in browser.page.all("td")}
    assert labels == {
        "2026",
        "2025",
        "Disbursed 2026",
        "Disbursed 2025",
        "Spent 2026",
        "Spent 2025",
    }
    frames = [e for e in browser.page.all("div") if "table-frame" in e.get("class", "")]
    assert frames
    assert all("stack" in each.get("class", "") for each in frames)
    assert "Provisional" not in browser.open("/funds/act/account/2025", 200).text


def test_suspense_is_explained_in_the_words_of_the_position(browser: Browser) -> None:
    told()
    service.suspense_booked("act", usd(6_91), "line:1", MOMENT.date(), by=None)
    content = opened(browser, "/funds/act/account/2026.pdf")
    sheets = PdfReader(io.BytesIO(content)).pages
    document = " ".join(" ".join(each.extract_text() for each in sheets).split())
    pages = [browser.open(f"/funds/act/{path}", 200).text for path in ("account/2026", "position")]
    for text in (document, *pages):
        assert "card gifts on their way to the fund they are for" in text
    assert "Suspense (unmatched, or on its way between funds)" in pages[0]


@pytest.mark.parametrize("year", ["0", "1945", "2027", "9999", "99999999999", "-1", "x"])
def test_a_year_without_an_account_is_not_found(browser: Browser, year: str) -> None:
    funds.load_profiles_into_database(make.profiles())
    email = make.person(roles=[Role.AUDITOR]).email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    browser.open(f"/funds/act/account/{year}", 404)
    for suffix in (".pdf", ".xlsx"):
        assert taken(browser, f"/funds/act/account/{year}{suffix}").status_code == 404
    assert "US$ 0.00" in browser.open("/funds/act/account/1946", 200).text


@pytest.mark.parametrize("more", [0, 8])
def test_it_takes_the_same_statements_for_any_number_of_grants(
    browser: Browser, count_sql: Count, more: int
) -> None:
    told()
    desk = giving.desk()
    call = make.call("act")
    for _each in range(more):
        grant(call, "KEN", desk.officer, committed=10_00, paid=5_00)
        giving.wire(desk, usd(10_00))
    email = make.person(roles=[Role.TRUSTEE]).email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    with count_sql() as ran:
        browser.open("/funds/act/account/2026?lang=ar-XB", 200)
    assert ran.total == 8, ran.statements
