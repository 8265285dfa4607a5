"""Receipts and books value a contribution on different days: pages say so in the same words."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from portal.accounting.figures import Figure
from portal.accounting.queries.position import standing
from portal.accounting.queries.statement import statement
from portal.accounting.queries.yearly import yearly_account
from portal.accounts.models import Person, Role
from portal.contributions.models import Contribution, Donor
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.funds import queries as funds
from portal.ledger import queries as books
from portal.ledger.models import AccountKind, TransactionKind
from portal.ledger.service import revalue, reverse
from tests import make
from tests.accounting.books import MOMENT
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.make import contributions as giving

pytestmark = pytest.mark.usefixtures("app")


@dataclass(frozen=True)
class Gift:
    """CHF 8,000 agreed when they were worth US$ 10,000, that arrived worth US$ 12,500."""

    donor: Donor
    contribution: Contribution
    reader: Person


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    """Stand in November 2026."""
    with clock.at(MOMENT):
        yield


@pytest.fixture
def gift() -> Gift:
    """Let it arrive; and what is left of it in the bank gain once more, which no receipt says."""
    desk = giving.desk()
    giving.rate("CHF", "0.8")
    donor = giving.donor(desk)
    agreed = giving.agreement(desk, amount=Money(8_000_00, "CHF"), of=donor)
    giving.rate("CHF", "0.64", clock.today() - timedelta(days=1))
    arrived = giving.wire(desk, Money(8_000_00, "CHF"), agreed)
    giving.wire(desk, usd(500_00), of=donor)
    giving.rate("CHF", "0.5", clock.today())
    revalue("act", clock.today(), by=None)
    reader = make.person(roles=[Role.AUDITOR])
    session.commit()
    return Gift(donor, arrived, reader)


def test_position_account_and_statement_lead_to_the_same_receipts(gift: Gift) -> None:
    today = clock.today()
    found = standing("act", today)
    assert found.position.received == usd(10_500_00)
    assert found.figures[Figure.RATE_GAIN] == usd(2_500_00)
    assert found.position.exchange == usd(6_000_00)
    account = yearly_account(next(f for f in funds.profiles() if f.code == "act"), today.year)
    assert account.account.rate_gain.now == 2_500_00
    (section,) = statement(gift.reader, gift.donor, today.year).sections
    assert found.receipts == usd(account.account.receipts.now) == section.received
    assert section.received == usd(13_000_00)


def test_what_is_undone_brought_no_gain(gift: Gift) -> None:
    booking = books.find(f"contribution:{gift.contribution.source_ref}")
    assert booking is not None
    reverse(booking, on=clock.today(), by=None)
    found = standing("act", clock.today())
    assert found.figures[Figure.RATE_GAIN] == usd(0)
    assert found.receipts == found.position.received == usd(500_00)


def test_a_loss_until_it_arrived_is_nobody_elses_gift(gift: Gift) -> None:
    desk = giving.desk()
    donor = giving.donor(desk)
    agreed = giving.agreement(desk, amount=Money(1_000_00, "CHF"), of=donor)
    giving.rate("CHF", "2", clock.today() + timedelta(days=1))
    with clock.at(MOMENT + timedelta(days=1)):
        giving.wire(desk, Money(1_000_00, "CHF"), agreed)
        (section,) = statement(gift.reader, donor, clock.today().year).sections
        assert section.received == usd(500_00)
        assert section.everybody == usd(13_500_00)


def test_pages_say_why_and_the_gain_opens_its_entries(gift: Gift, browser: Browser) -> None:
    donor = gift.donor.ref
    browser.sign_in(gift.reader.email, make.PASSWORD)
    page = browser.open("/funds/act/position", 200)
    assert "Why receipts of donors say otherwise than contributions received" in page.text
    assert "Contributions by their receipts US$ 13,000.00" in page.text
    page = browser.follow("Gain or loss on exchange of contributions", 200)
    assert "US$ 2,500.00" in page.text
    assert "Contribution received" in page.text
    assert "brought to the rate" not in page.text
    year = clock.today().year
    page = browser.open(f"/funds/act/account/{year}", 200)
    assert "until they arrived: US$ 2,500.00 and US$ 0.00" in page.text
    assert "US$ 13,000.00" in page.text
    page = browser.open(f"/donors/{donor}/statement", 200)
    assert "by the receipts, at the rate of the day on which it arrived" in page.text
    assert "US$ 13,000.00" in page.text


def test_where_rates_brought_nothing_nothing_has_to_be_explained(browser: Browser) -> None:
    desk = giving.desk()
    giving.wire(desk, usd(500_00))
    reader = make.person(roles=[Role.AUDITOR])
    session.commit()
    browser.sign_in(reader.email, make.PASSWORD)
    assert "Why receipts" not in browser.open("/funds/act/position", 200).text


def test_the_workbook_names_the_receipts(gift: Gift, browser: Browser) -> None:
    browser.sign_in(gift.reader.email, make.PASSWORD)
    answer = taken(browser, f"/funds/act/account/{clock.today().year}.xlsx")
    sheet = load_workbook(io.BytesIO(answer.data), data_only=True)["Receipts"]
    found = {row[0]: row[1] for row in sheet.iter_rows(values_only=True)}
    assert found["Contributions by their receipts"] == 13_000


def test_a_page_beyond_the_last_still_says_the_sum(gift: Gift) -> None:
    assert gift.contribution.amount_usd == 12_500_00
    found = books.caused_entries(
        "act",
        AccountKind.EXCHANGE_DIFFERENCE,
        TransactionKind.CONTRIBUTION_RECEIVED,
        as_of=clock.today(),
        limit=1,
        offset=1,
    )
    assert (list(found.rows), found.total, found.usd) == ([], 1, usd(-2_500_00))
