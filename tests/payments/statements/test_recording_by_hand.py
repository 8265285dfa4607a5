"""A transfer is recorded by hand where that can succeed; elsewhere the page says who books it."""

import pytest
from sqlalchemy import select

from portal.accounts.models import Person, Role
from portal.contributions.models import Contribution, ContributionAgreement
from portal.core.db import session
from portal.core.money import Money, usd
from tests import make
from tests.browser import Browser
from tests.make import contributions as give
from tests.make import payments
from tests.make.accounts import PASSWORD
from tests.payments.conftest import World
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller

BY_HAND = "Record a bank transfer"
BY_THE_BANK = "what arrives is booked from the bank’s statement"


@pytest.fixture
def desk(world: World) -> give.Desk:
    del world
    return give.desk()


@pytest.fixture
def agreed(desk: give.Desk) -> ContributionAgreement:
    found = give.agreement(desk)
    session.commit()
    return found


def test_it_is_offered_only_where_no_statement_tells_what_arrives(
    desk: give.Desk, agreed: ContributionAgreement, teller: Teller, visitor: Browser
) -> None:
    paths = [
        f"/contributions/agreements/{agreed.ref}",
        f"/contributions/donors/{agreed.donor.ref}",
    ]
    _enter(visitor, desk.finance)
    _offered(visitor, paths, yes=True)
    taken_in(teller, Move(100))
    _offered(visitor, paths, yes=False)
    assert ("Bank, Reconciliation", "/bank/reconciliation") in visitor.page.links
    visitor.follow("Bank, Reconciliation")
    payments.fund_account(currency="CHF")
    session.commit()
    _offered(visitor, paths, yes=True)


def test_without_any_account_treasury_is_asked_for_one(
    desk: give.Desk, agreed: ContributionAgreement, visitor: Browser
) -> None:
    paths = [
        f"/contributions/agreements/{agreed.ref}",
        f"/contributions/donors/{agreed.donor.ref}",
    ]
    _enter(visitor, desk.finance)
    for path in paths:
        visitor.open(path, 200)
        assert BY_HAND not in [said for said, _href in visitor.page.links], path
        assert "no bank account in use here. Ask treasury" in visitor.page.text, path
        assert BY_THE_BANK not in visitor.page.text, path


def test_whoever_looks_after_the_donor_is_told_who_books_what_arrives(
    desk: give.Desk, agreed: ContributionAgreement, teller: Teller, visitor: Browser
) -> None:
    paths = [
        f"/contributions/agreements/{agreed.ref}",
        f"/contributions/donors/{agreed.donor.ref}",
    ]
    taken_in(teller, Move(100))
    officer, auditor = desk.officer.email, make.person(roles=[Role.AUDITOR]).email
    session.commit()
    visitor.sign_in(officer, PASSWORD)
    _offered(visitor, paths, yes=False)
    assert "/bank/reconciliation" not in {href for _said, href in visitor.page.links}
    payments.fund_account(currency="CHF")
    session.commit()
    for path in paths:
        text = visitor.open(path, 200).text
        assert "A bank transfer is recorded by a finance officer of the fund" in text
        assert BY_HAND not in [said for said, _href in visitor.page.links], path
    visitor.sign_out()
    visitor.sign_in(auditor, PASSWORD)
    for path in paths:
        text = visitor.open(path, 200).text
        assert "recorded by a finance officer" not in text
        assert BY_THE_BANK not in text


def test_an_agreement_says_what_of_it_other_money_settled(
    desk: give.Desk, visitor: Browser
) -> None:
    give.rate("CHF", "0.8")
    swiss = give.agreement(desk, amount=Money(60_000_00, "CHF"))
    same = give.agreement(desk, amount=usd(5_000))
    give.wire(desk, usd(25_000_00), swiss)
    give.wire(desk, usd(500), same)
    paths = [f"/contributions/agreements/{each.ref}" for each in (swiss, same)]
    session.commit()
    _enter(visitor, desk.finance)
    text = visitor.open(paths[0], 200).text
    assert "Amount Settles By" in text
    assert "US$ 25,000.00 CHF 20,000.00 Bank transfer" in text
    cancel = next(e for e in visitor.page.all("a") if e.get("href", "").endswith("/cancel"))
    assert cancel.get("class") == "button stop"
    assert "Settles" not in visitor.open(paths[1], 200).text


def _enter(visitor: Browser, person: Person) -> None:
    visitor.sign_in(person.email, PASSWORD)


def _offered(visitor: Browser, paths: list[str], *, yes: bool) -> None:
    for path in paths:
        visitor.open(path, 200)
        assert (BY_HAND in [said for said, _href in visitor.page.links]) is yes, path
        assert (BY_THE_BANK in visitor.page.text) is not yes, path


def test_money_by_a_line_leads_to_the_line_for_those_who_open_it(
    desk: give.Desk, agreed: ContributionAgreement, teller: Teller, visitor: Browser
) -> None:
    people = {desk.finance.email: True, desk.officer.email: False}
    [line] = taken_in(teller, Move(5_000_00, agreed.ref))
    came, line_id = session.scalars(select(Contribution)).one(), line.id
    path = f"/contributions/received/{came.ref}"
    for email, opens in people.items():
        visitor.sign_in(email, PASSWORD)
        visitor.open(path, 200)
        assert "Source Line of the bank’s statement" in visitor.page.text
        said = ("Line of the bank’s statement", f"/bank/lines/{line_id}")
        assert (said in visitor.page.links) is opens
        visitor.sign_out()
