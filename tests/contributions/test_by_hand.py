"""Money recorded by hand: only where an account holds it, and not much by one person alone."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.accounts.models import WebSession
from portal.contributions import rules, service
from portal.contributions.models import Contribution, ContributionAgreement
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.payments.service import propose_account
from portal.payments.statements import checks
from tests.browser import Browser
from tests.contributions.conftest import balance
from tests.make import contributions as make
from tests.make import payments
from tests.make.accounts import PASSWORD
from tests.make.contributions import FUND, Desk


def by_hand(
    who: Desk,
    amount: Money,
    ref: str = "1",
    *,
    under: ContributionAgreement | None = None,
    settles: Money | None = None,
) -> Contribution:
    return make.wire(who, amount, under, ref=f"hand:{FUND}:{ref}", settles=settles)


def test_nothing_is_booked_that_no_account_of_the_fund_can_hold(who: Desk) -> None:
    payments.fund_account()
    with pytest.raises(Refused, match="no account in EUR"):
        by_hand(who, Money(9_999_999_999_00, "EUR"))
    assert balance(AccountKind.BANK) == 0
    by_hand(who, usd(500_00))
    assert balance(AccountKind.BANK) == 500_00


def test_an_account_that_nobody_confirmed_holds_nothing(who: Desk) -> None:
    till = payments.till(FUND)
    propose_account(FUND, "USD", payments.payee(), by=till.treasurer)
    with pytest.raises(Refused, match="no account in USD"):
        by_hand(who, usd(500_00))


def test_what_one_person_records_alone_is_limited_over_a_year(who: Desk) -> None:
    payments.fund_account()
    half = usd(rules.MOST_BY_HAND.minor // 2)
    first = by_hand(who, half, "1")
    by_hand(who, half, "2")
    assert by_hand(who, half, "2").amount == half.minor, "the same again is no more"
    with pytest.raises(Refused, match=r"100,000\.00 in a year by hand at most"):
        by_hand(who, usd(1), "3")
    service.annul_wire(first, "A mistake.", clock.today(), by=who.finance)
    by_hand(who, half, "4")
    with clock.at(clock.now() + rules.BY_HAND_WITHIN + timedelta(days=1)):
        by_hand(who, half, "5")


def test_what_two_people_agreed_on_is_recorded_whole_and_nothing_far_above_it(who: Desk) -> None:
    payments.fund_account()
    agreed = make.agreement(who, amount=Money(800_000_00, "CHF"))
    with pytest.raises(Refused, match=r"settles CHF.1\.00 only"):
        by_hand(who, usd(1_000_000_00), "1", under=agreed, settles=Money(1_00, "CHF"))
    with pytest.raises(Refused, match="at most"):
        by_hand(who, usd(1_200_000_00), "1", under=agreed)
    by_hand(who, usd(1_000_000_00), "1", under=agreed)
    assert balance(AccountKind.BANK) == 1_000_000_00


def test_money_of_a_bank_without_an_account_is_a_violation(who: Desk) -> None:
    payments.fund_account()
    make.wire(who, usd(500_00))
    assert _unheld() == []
    came = make.wire(who, Money(100_00, "CHF"))
    assert _unheld() == [
        "act CHF: 10000 in the books at the bank, and the fund has no account in that currency"
    ]
    service.annul_wire(came, "No such account.", clock.today(), by=who.finance)
    assert _unheld() == []


def _unheld() -> list[str]:
    [check] = [each for each in checks.checks() if "where the fund has no account" in each.name]
    return check.run().violations


def test_whoever_records_by_hand_gives_the_password_again(who: Desk, browser: Browser) -> None:
    donor = make.donor(who)
    make.agreement(who, of=donor)
    session.commit()
    path, email = f"/contributions/donors/{donor.ref}/wire", who.finance.email
    browser.sign_in(email, PASSWORD)
    assert browser.open(path, 200).heading == "Record a bank transfer"
    session.execute(update(WebSession).values(fresh_at=clock.now() - timedelta(days=1)))
    session.commit()
    assert browser.open(path).heading == "Confirm that it is you"


def test_the_currency_is_that_of_an_account_and_not_of_the_agreement(
    who: Desk, browser: Browser
) -> None:
    payments.fund_account()
    agreed = make.agreement(who, amount=Money(8_000_00, "CHF"))
    ref, email = agreed.ref, who.finance.email
    session.commit()
    browser.sign_in(email, PASSWORD)
    browser.open(f"/contributions/agreements/{ref}/wire", 200)
    assert (browser.value("Currency"), browser.value("Amount")) == ("USD", "")
    assert '<option value="CHF"' not in browser.page.html
    browser.fill("Amount", "5,000")
    browser.fill("The bank’s reference", "WIRE-8")
    browser.press("Book the transfer", 200)
    assert "it settles CHF 4,000.00 of it" in browser.page.text.replace("\xa0", " ")


def test_a_reference_that_is_taken_leads_to_what_has_it(who: Desk, browser: Browser) -> None:
    payments.fund_account()
    there = by_hand(who, usd(500_00), "WIRE-7")
    donor, number, ref = there.donor.ref, there.receipt_no, there.ref
    email = who.finance.email
    session.commit()
    browser.sign_in(email, PASSWORD)
    browser.open(f"/contributions/received/{ref}", 200)
    assert "By hand, the bank’s reference WIRE-7" in browser.page.text
    browser.open(f"/contributions/donors/{donor}/wire", 200)
    browser.fill("Amount", "700")
    browser.fill("Currency", "USD")
    browser.fill("The bank’s reference", "WIRE-7")
    browser.press("Book the transfer", 422)
    assert "recorded already with other particulars" in browser.page.text
    assert browser.value("Amount") == "700"
    browser.follow(f"Contribution {number}")
    assert browser.page.path == f"/contributions/received/{ref}"
