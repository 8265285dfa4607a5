"""The tabs above a page say where it belongs, also on pages that no tab leads to."""

import pytest

from portal.accounts.models import Role
from portal.app.pages import unbroken
from portal.core.db import session
from portal.payments.models import OrderStatus
from tests.browser import Browser
from tests.make import contributions as give
from tests.make.accounts import PASSWORD, person
from tests.make.payments import order

pytestmark = pytest.mark.usefixtures("app")


def current(browser: Browser) -> list[str]:
    """Return the tabs that are marked as the current one."""
    [tabs] = [each for each in browser.page.all("nav") if each.get("class") == "tabs"]
    return ["".join(link.itertext()).strip() for link in tabs.iter("a") if link.get("aria-current")]


def test_a_page_inside_a_case_file_stands_under_its_tab(browser: Browser) -> None:
    made = order(OrderStatus.PREPARED)
    ref, file = made.ref, made.instalment.award.application.ref
    auditor = person(roles=[Role.AUDITOR]).email
    session.commit()
    browser.sign_in(auditor, PASSWORD)
    for path, tab in (
        (f"/files/{file}", "Overview"),
        (f"/payments/{ref}", "Payments"),
    ):
        browser.open(path, 200)
        assert current(browser) == [tab], path


def test_a_page_of_contributions_stands_under_its_list(browser: Browser) -> None:
    desk = give.desk()
    agreed = give.agreement(desk)
    auditor = person(roles=[Role.AUDITOR]).email
    paths = {
        "/contributions": "Overview",
        f"/contributions/donors/{agreed.donor.ref}": "Donors",
        f"/contributions/agreements/{agreed.ref}": "Agreements",
        "/card-payouts": "Gifts by card",
    }
    session.commit()
    browser.sign_in(auditor, PASSWORD)
    for path, tab in paths.items():
        browser.open(path, 200)
        assert current(browser) == [tab], path


def test_no_line_breaks_inside_a_reference_in_a_heading() -> None:
    kept = '<span class="unbroken">{}</span>'
    assert unbroken("Payment KXTN-T6RE") == "Payment " + kept.format("KXTN-T6RE")
    assert unbroken("Contribution UPR-P-2026-0042") == "Contribution " + kept.format(
        "UPR-P-2026-0042"
    )
    assert unbroken("WELL-BEING-WATER & <b>") == "WELL-BEING-WATER &amp; &lt;b&gt;"
