"""The second half of a grant, through the pages: offer, signatures, payments, reports, closing."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from portal.applications.models import Application
from portal.awards.models import Award
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, format_amount, usd
from portal.ledger import queries as ledger
from portal.payments.models import PaymentOrder
from tests.browser import Browser
from tests.journeys.steps import Journey, give, pick
from tests.make.applications import answer_to
from tests.make.payments import fund_account
from tests.payments.statements.teller import Move, Teller

PAID_BY = "UNDP country office"


def offer(journey: Journey, paid_by: str = PAID_BY) -> None:
    """Let the officer make the offer; the activities begin today, so that they can be told of."""
    browser = journey.be("officer", journey.file("agreement"))
    browser.follow("Prepare the offer", 200)
    browser.fill("First day of the activities", clock.today().isoformat())
    browser.fill("Last day of the activities", (clock.today() + timedelta(days=30)).isoformat())
    browser.choose(paid_by)
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


# ------------------------------------------------------------------ payments


def enter_bank(journey: Journey, account: str = "0123 4567 8901", country: str = "KEN") -> None:
    """Let the grantee enter bank details, and a second person verify and screen them."""
    browser = journey.be("applicant", journey.file("payments"))
    browser.follow("Enter bank details", 200)
    browser.fill("Account holder", journey.organisation)
    browser.fill("IBAN or account number", account)
    browser.fill("Name of the bank", "Bank of the Lake")
    browser.fill("Country of the bank", country)
    if country == "KEN":
        browser.fill("BIC (SWIFT code)", "KCBLKENX")
    browser.press("Keep these bank details", 200)
    assert account.replace(" ", "") not in browser.page.html
    verify_bank(journey, account)


def verify_bank(journey: Journey, account: str) -> None:
    """Let a second person verify and screen the bank details, also once the bank doubts them."""
    browser = journey.be("finance", journey.file("payments"))
    browser.follow("Verify bank details", 200)
    assert account.replace(" ", "") not in browser.page.html
    browser.press("Open the bank details", 200)
    assert account.replace(" ", "") in browser.page.html
    browser.choose("I compared the account with the documents")
    browser.press("Verify bank details", 200)


SIGNATURES = {
    "certifier": "Certify the use of funds",
    "approver": "Approve the entry",
    "treasurer": "Release the payment",
}


def pay(journey: Journey, number: int, amount: str) -> str:
    """Let an instalment be prepared, signed by three people, paid, confirmed and acknowledged.

    Returns the reference of the order.
    """
    ref = sign(journey, number, amount)
    confirm(journey, ref)
    acknowledge(journey, ref, amount)
    return ref


def sign(journey: Journey, number: int, amount: str) -> str:
    """Let an instalment be prepared, and signed by three people; return the order's reference."""
    browser = journey.be("finance", journey.file("payments"))
    assert f"Instalment {number}: what it waits for" in browser.page.text
    browser.follow("Prepare payment", 200)
    assert amount in browser.page.text
    browser.press("Prepare payment", 200)
    ref = latest_order(journey)
    for who, label in SIGNATURES.items():
        browser = journey.be(who, "/payments")
        assert ref in browser.page.html, f"the queue of the {who} says nothing of {ref}"
        browser.open(f"/payments/{ref}", 200)
        assert amount in browser.page.text
        browser.follow(label, 200)
        _press_one_of(browser, label, "Sign")
    return ref


def acknowledge(journey: Journey, ref: str, amount: str) -> None:
    """Let the grantee say that the money arrived."""
    browser = journey.be("applicant", f"/payments/{ref}")
    browser.follow("The money has arrived", 200)
    browser.press("The money has arrived", 200)
    browser.open(journey.file("payments"), 200)
    assert amount in browser.page.text


def confirm(journey: Journey, ref: str) -> None:
    """Let finance record what the paying agent says that it paid."""
    browser = journey.be("finance", f"/payments/{ref}")
    browser.follow("Record the payment", 200)
    browser.fill("Reference of the paying agent", f"voucher {ref}")
    browser.fill("Day of the payment", clock.today().isoformat())
    browser.press("Record the payment", 200)


def _press_one_of(browser: Browser, *labels: str) -> None:
    said = {"".join(button.itertext()).strip() for button in browser.page.buttons}
    found = [label for label in labels if label in said]
    assert found, f"none of {labels} among {said}"
    browser.press(found[0], 200)


def latest_order(journey: Journey) -> str:
    """Return the reference of the file's latest payment order."""
    rows = select(PaymentOrder).order_by(PaymentOrder.prepared_at.desc())
    found = [each for each in session.scalars(rows) if each.case_id == award_of(journey).case_id]
    return found[0].ref


def award_of(journey: Journey) -> Award:
    """Return the award of the journey's file, read anew."""
    rows = select(Award).join(Award.application).where(Application.ref == journey.ref)
    return session.scalars(rows.execution_options(populate_existing=True)).one()


# ------------------------------------------------------------------ reports


@dataclass(frozen=True)
class Spending:
    """What a report tells of each line, in cents by position, and the reason of a difference."""

    cents: dict[int, int]
    reason: str = ""


def part_of_each_line(journey: Journey, percent: int, reason: str = "") -> Spending:
    """Return `percent` of each line of the approved budget."""
    lines = award_of(journey).budget
    return Spending({line.position: line.amount_usd * percent // 100 for line in lines}, reason)


def report(journey: Journey, key: str, spending: Spending) -> None:
    """Let the grantee write a report and hand it in."""
    rule = journey.profile.report(key)
    browser = journey.be("applicant", journey.file("reports"))
    (button,) = [
        each
        for each in browser.page.buttons
        if (browser.page.inside(each, "form") or each).get("action", "").endswith(f"/{key}/begin")
    ]
    browser.submit(button, 200)
    here = journey.file(f"reports/{key}")
    browser.open(f"{here}/narrative", 200)
    for question in rule.sections:
        give(browser, question, answer_to(question))
    browser.press("Save and continue", 200)
    if rule.financial:
        browser.open(f"{here}/spending", 200)
        for position, cents in spending.cents.items():
            amount = format_amount(usd(cents), "en")
            browser.fill_all(**{f"line_{position}__spent": amount})
            browser.fill_all(**{f"line_{position}__reason": spending.reason})
        browser.press("Save and work out the sums", 200)
    if rule.people_reached:
        browser.open(f"{here}/people", 200)
        browser.fill_all(n_0_1="17", n_1_2="23")
        browser.press("Save and continue", 200)
    browser.open(f"{here}/check", 200)
    browser.press("Hand in the report", 200)


def accept_report(journey: Journey, key: str, accepted: str = "") -> None:
    """Let programme and finance accept a report, two people; `accepted` as it is typed."""
    path = journey.file(f"reports/{key}/review")
    browser = journey.be("officer", "/reports")
    assert journey.ref in browser.page.html
    browser.open(path, 200)
    pick(browser, "verdict", "accept")
    browser.press("Record your word", 200)
    if not journey.profile.report(key).financial:
        return
    browser = journey.be("finance", path)
    pick(browser, "verdict", "accept")
    if accepted:
        browser.fill("Accepted as spent, in US dollars", accepted)
        browser.fill("Comment", "One receipt is missing.")
    browser.press("Record your word", 200)


# ------------------------------------------------------------------ the end


def draw_balance(journey: Journey) -> None:
    """Let finance draw the balance of the grant."""
    browser = journey.be("finance", journey.file("payments"))
    browser.follow("Draw the balance", 200)
    browser.press("Draw the balance", 200)


def pay_back(journey: Journey, amount: str) -> None:
    """Let the refund of unspent money arrive on the bank's statement (R25)."""
    browser = journey.be("applicant", journey.file("payments"))
    assert "Money has to come back" in browser.page.text
    statement = _refund(journey, amount)
    browser = journey.be("finance", journey.file("payments/owed"))
    assert amount in browser.page.text
    browser.follow("Reconciliation", 200)
    browser.follow("Import a statement", 200)
    browser.attach("Statement of the bank", "statement.xml", statement)
    browser.press("Import the statement", 200)
    browser.open(journey.file("payments"), 200)
    assert "Money has to come back" not in browser.page.text


def _refund(journey: Journey, amount: str) -> bytes:
    """Return the bank's statement of a refund, of an account that the fund opens for it."""
    account = fund_account(journey.fund)
    held = ledger.bank_balance(journey.fund, account.currency)
    came = Money.parse(amount, account.currency, "en").minor
    teller = Teller(account.account, balance=held.minor)
    session.commit()
    return teller.file(Move(came, f"refund of {award_of(journey).ref}")).getvalue()


def close(journey: Journey) -> None:
    """Let the officer close the file; every station is passed after it."""
    browser = journey.be("officer", journey.file("payments"))
    browser.follow("Close the file", 200)
    browser.press("Close the file", 200)
    browser = journey.be("applicant", journey.file())
    for station in journey.profile.stations:
        assert station.label in browser.page.text


def why(journey: Journey) -> None:
    """Let the auditor read why the grant was made: every part with who did it."""
    browser = journey.be("auditor", journey.file("why"))
    for who in ("authority", "certifier", "approver", "treasurer", "officer"):
        assert journey.names[who] in browser.page.text, f"{who} is missing"
    browser.open(journey.file("history"), 200)
    assert journey.names["treasurer"] in browser.page.text
