"""What a reader may open of what stands behind a figure: never a file that is not theirs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.applications.models import Recusal
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger.models import LedgerTransaction
from tests import make
from tests.accounting.books import MOMENT
from tests.accounting.grants import grant
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.ledger.books import journal
from tests.make import contributions as giving
from tests.make.applications import by_ref

pytestmark = pytest.mark.usefixtures("app")


@dataclass(frozen=True)
class Names:
    """What a page may or may not show of a grant: its award, its file, its payment's booking."""

    award: str
    file: str
    booking: UUID


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    """Stand in November 2026."""
    with clock.at(MOMENT):
        yield


@pytest.fixture
def kenya() -> Names:
    """Return a grant in Kenya that was paid, in a fund with another one in Peru."""
    desk = giving.desk()
    giving.wire(desk, usd(9_000_00))
    call = make.call("act")
    made = grant(call, "KEN", desk.officer, committed=1_000_00, paid=800_00)
    grant(call, "PER", desk.officer, committed=500_00, paid=300_00)
    booking = session.scalars(
        select(LedgerTransaction.id).where(LedgerTransaction.subject_ref == made.ref)
    ).one()
    session.commit()
    return Names(made.ref, made.application.ref, booking)


def test_a_reader_opens_the_file_behind_a_booking(kenya: Names, browser: Browser) -> None:
    email = make.person(roles=[Role.AUDITOR]).email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open("/funds/act/entries/disbursed", 200)
    assert "US$ 1,100.00" in page.text
    assert kenya.file in page.text
    browser.open(f"/bookings/{kenya.booking}", 200)
    assert kenya.award in browser.page.text
    browser.follow(kenya.file)
    assert browser.page.path == f"/files/{kenya.file}"
    page = browser.open("/funds/act/entries/committed", 200)
    assert "All 4 entries together: the figure US$ 400.00" in page.text
    assert kenya.file in page.text


@pytest.mark.parametrize("figure", ["disbursed", "committed"])
@pytest.mark.parametrize("why", ["recused", "another country"])
def test_a_file_that_is_not_theirs_is_a_sum_without_a_name(
    kenya: Names, browser: Browser, why: str, figure: str
) -> None:
    where = "PER" if why == "another country" else None
    person = make.person(roles=[(Role.PROGRAMME_OFFICER, "act", where)])
    if why == "recused":
        recusal = Recusal(application=by_ref(kenya.file), person=person, sealed_reason=b"-")
        session.add(recusal)
    email = person.email
    session.commit()
    browser.sign_in(email, make.PASSWORD)
    total = {"disbursed": "US$ 1,100.00", "committed": "US$ 400.00"}[figure]
    page = browser.open(f"/funds/act/entries/{figure}", 200)
    assert total in page.text
    assert "not open to you" in page.text
    csv = taken(browser, f"/funds/act/entries/{figure}.csv").get_data(as_text=True)
    page = browser.open(f"/funds/act/entries/{figure}", 200)
    assert "(withheld)" in csv
    amounts = [Decimal(line.rsplit(",", 1)[1]) for line in csv.splitlines()[1:]]
    assert sum(amounts) == Decimal(total.removeprefix("US$ ").replace(",", ""))
    for secret in (kenya.award, kenya.file, str(kenya.booking)):
        assert secret not in page.html
        assert secret not in csv
    browser.open(f"/bookings/{kenya.booking}", 404)


def test_a_booking_in_two_currencies_names_its_rate_and_its_agreement(browser: Browser) -> None:
    desk = giving.desk()
    giving.rate("CHF", "0.8")
    agreed = giving.agreement(desk, amount=Money(10_000_00, "CHF"))
    giving.wire(desk, Money(4_000_00, "CHF"), agreed)
    bookings = {each.kind.value: each.id for each in journal("act")}
    ref, finance = agreed.ref, desk.finance.email
    treasurer = make.person(roles=[Role.TREASURY]).email
    session.commit()
    browser.sign_in(finance, make.PASSWORD)
    page = browser.open(f"/bookings/{bookings['contribution_received']}", 200)
    day = (MOMENT - timedelta(days=400)).date()
    for words in ("CHF 4,000.00", "US$ 5,000.00", "0.8 CHF for US$ 1", str(day.year), "test"):
        assert words in page.text
    browser.follow(ref)
    assert browser.page.path == f"/contributions/agreements/{ref}"
    browser.sign_out()
    browser.sign_in(treasurer, make.PASSWORD)
    browser.open(f"/bookings/{bookings['contribution_agreed']}", 200)
    assert ref in browser.page.text
    assert f"/contributions/agreements/{ref}" not in browser.page.html
