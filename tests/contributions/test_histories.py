"""What the page of an agreement tells of its draft: each save once, and nothing to come yet."""

from datetime import timedelta

import pytest

from portal.contributions import service
from portal.contributions.models import AgreementStatus, ContributionAgreement
from portal.contributions.queries import history
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from tests.browser import Browser
from tests.make import contributions as make
from tests.make.accounts import PASSWORD
from tests.make.contributions import Desk

DRAFTED = "Agreement with a donor drafted"


@pytest.fixture
def draft(who: Desk) -> ContributionAgreement:
    """Return a draft that was saved with its paper at once."""
    return make.agreement(who, AgreementStatus.DRAFT, amount=Money(800_000, "CHF"))


def titles(of: ContributionAgreement) -> list[str]:
    return [each.title for each in history(of.id)]


def test_terms_and_paper_saved_at_once_are_one_act(draft: ContributionAgreement) -> None:
    assert titles(draft) == [DRAFTED]


def test_what_is_saved_later_is_a_correction(who: Desk, draft: ContributionAgreement) -> None:
    service.edit_draft(draft, make.terms(usd(500_00)), by=who.officer)
    with clock.at(clock.now() + timedelta(minutes=1)):
        service.add_paper(draft, make.paper(), "again.png", by=who.officer)
    assert titles(draft) == [DRAFTED, "Draft corrected", "Draft corrected"]


def test_a_draft_has_nothing_to_come(
    who: Desk, draft: ContributionAgreement, browser: Browser
) -> None:
    ref = draft.ref
    session.commit()
    browser.sign_in(who.officer.email, PASSWORD)
    browser.open(f"/contributions/agreements/{ref}", 200)
    assert "Still to come counted once the agreement is confirmed" in browser.page.text
    assert "In the books, at" not in browser.page.text
    assert browser.page.text.count("CHF 4,000.00") == 2, "two instalments, and nothing open of them"


def test_a_contribution_entered_by_mistake_settles_nothing(who: Desk, browser: Browser) -> None:
    came = make.wire(who, usd(5_000), make.agreement(who))
    service.annul_wire(came, "Another donor’s.", clock.today(), by=who.finance)
    ref, finance = came.ref, who.finance.email
    session.commit()
    browser.sign_in(finance, PASSWORD)
    browser.open(f"/contributions/received/{ref}", 200)
    assert "it was entered by mistake and settles nothing of it" in browser.page.text
