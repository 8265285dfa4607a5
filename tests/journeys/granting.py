"""The second half of a grant, through the pages: offer, signatures, payments, reports, closing."""

from portal.core.money import format_amount, usd
from tests.journeys.steps import Journey

PAID_BY = "UNDP country office"


def offer(journey: Journey) -> None:
    """Let the officer make the offer, on the days that the application asks for."""
    browser = journey.be("officer", journey.file("agreement"))
    browser.follow("Prepare the offer", 200)
    browser.choose(PAID_BY)
    browser.press("Make the offer", 200)
    assert "on its way" in browser.page.flashes[0]


def revise(journey: Journey, *amounts: int) -> None:
    """Let the grantee bring the budget to the award; `amounts` are cents, line by line (R18)."""
    browser = journey.be("applicant", journey.file("agreement"))
    browser.follow("Bring the budget to the amount awarded", 200)
    for position, cents in enumerate(amounts, start=_first_line(browser.page.html)):
        browser.fill_all(**{f"line_{position}": format_amount(usd(cents), "en")})
    browser.press("Settle this budget", 200)


def _first_line(html: str) -> int:
    return 0 if 'name="line_0"' in html else 1


def accept(journey: Journey) -> None:
    """Let the legal representative sign with their typed name."""
    browser = journey.be("applicant", journey.file("agreement"))
    browser.follow("Accept the award", 200)
    browser.choose("I have read the whole document")
    browser.fill("Type your name", journey.names["applicant"])
    browser.press("Accept the award and sign", 200)


def countersign(journey: Journey) -> None:
    """Let the approving authority sign for the fund."""
    browser = journey.be("authority", journey.file("agreement"))
    browser.follow("Countersign the agreement", 200)
    browser.choose("I have read the document and sign it for the fund.")
    browser.press("Countersign the agreement", 200)


def to_the_signatures(journey: Journey) -> None:
    """Take an approved application to a grant in force, by the fund's own process."""
    offer(journey)
    accept(journey)
    if journey.profile.process.countersigned:
        countersign(journey)
    browser = journey.be("applicant", journey.file("agreement"))
    assert "The grant is in force" in browser.page.text
