"""Gifts by card that went back, in the yearly account: to the cent what the position says."""

import io
from datetime import timedelta

import openpyxl
import pytest
from pypdf import PdfReader

from portal.accounting.figures import Figure
from portal.accounting.queries.position import standing
from portal.accounting.queries.yearly import yearly_account
from portal.accounts.models import Role
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.funds import service as funds
from portal.ledger.models import AccountKind
from tests import make
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.contributions.cards.conftest import Counter
from tests.contributions.conftest import balance
from tests.make import contributions as giving
from tests.make.contributions import FUND

SAID = "US$ 1,304.57"
"""What is left: a dispute won over EUR 50.20, and CHF 800 that came at another rate
than agreed: US$ 1,250 instead of 1,000."""


@pytest.fixture(autouse=True)
def told(counter: Counter) -> None:
    """Tell of three gifts in EUR: one given back in two parts, a dispute won, and one lost.

    EUR 120 are US$ 130.43, of which the processor takes 54.35 and then 76.09: a cent on exchange.
    """
    gift = counter.paid(120_00, "EUR")
    for part in (50_00, 70_00):
        counter.refund(gift, part)
        counter.work()
    assert balance(AccountKind.EXCHANGE_DIFFERENCE) == 1
    for minor, won in ((50_20, True), (33_33, False)):
        other = counter.paid(minor, "EUR")
        made = counter.processor.dispute(str(other.charge_id))
        counter.deliver()
        counter.processor.end_dispute(made["id"], won=won)
        counter.deliver()
    agreed = giving.agreement(desk := giving.desk(), amount=Money(800_00, "CHF"))
    giving.rate("CHF", "0.64", clock.today() - timedelta(days=1))
    giving.wire(desk, agreed.money, agreed)
    funds.load_profiles_into_database(make.profiles())
    session.commit()


def test_account_and_position_say_the_same_receipts() -> None:
    today = clock.today()
    on_the_day = standing(FUND, today)
    account = yearly_account(make.profiles()[FUND], today.year).account
    assert usd(account.receipts.now) == on_the_day.receipts == usd(1_304_57)
    assert usd(account.rate_gain.now) == on_the_day.figures[Figure.RATE_GAIN] == usd(250_00)
    assert usd(account.exchange.now) == on_the_day.position.exchange == usd(249_99)


def test_page_document_and_workbook_say_them_too(browser: Browser) -> None:
    reader = make.person(roles=[Role.AUDITOR])
    session.commit()
    browser.sign_in(reader.email, make.PASSWORD)
    account = f"/funds/{FUND}/account/{clock.today().year}"
    for path in (f"/funds/{FUND}/position", account):
        page = browser.open(path, 200).text
        assert SAID in page[page.index("Contributions by their receipts") :][:200]
    sheets = PdfReader(io.BytesIO(taken(browser, f"{account}.pdf").data)).pages
    document = " ".join(" ".join(each.extract_text() for each in sheets).split())
    assert SAID in document[document.index("Contributions by their receipts") :][:200]
    book = openpyxl.load_workbook(
        io.BytesIO(taken(browser, f"{account}.xlsx").data), data_only=True
    )
    rows = {row[0]: row[1] for row in book["Receipts"].iter_rows(values_only=True)}
    assert rows["Contributions by their receipts"] == 1_304.57


def test_a_gift_given_back_in_any_parts_leaves_nothing(counter: Counter) -> None:
    """Three thirds of US$ 2.00 are not US$ 1.99: the last takes what is left of it."""
    before = balance(AccountKind.CONTRIBUTION_REVENUE)
    gift = counter.paid(1_84, "EUR")
    for part in (61, 61, 62):
        counter.refund(gift, part)
        counter.work()
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == before
    assert gift.contribution is not None
    session.refresh(gift.contribution)
    assert gift.contribution.kept == Money(0, "EUR")
