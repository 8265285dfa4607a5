"""From the offer to the money: agreement, bank details, three signatures, receipt."""

from datetime import timedelta

from sqlalchemy import select

from portal.awards.models import Instalment
from portal.core import clock
from portal.core.db import session
from portal.payments.models import PaymentOrder
from tests.journeys.act.scene import Journey


def agree(journey: Journey, writer: str, chair: str) -> None:
    """Offer, bring the budget down to the award, sign with one's name, countersign."""
    officer = journey.file(journey.cast.officer, "agreement")
    officer.follow("Prepare the offer", 200)
    officer.fill("First day of the activities", clock.today().isoformat())
    officer.fill("Last day of the activities", (clock.today() + timedelta(days=90)).isoformat())
    officer.choose("UNDP country office")
    officer.press("Make the offer")
    grantee = journey.file(writer, "agreement")
    grantee.follow("Bring the budget to the amount awarded", 200)
    grantee.fill("New amount for: Two teachers", "1,400.00")
    grantee.press("Settle this budget")
    assert "100.00" in grantee.page.text, "the lines are US$ 100 below the award"
    grantee.fill("New amount for: Two teachers", "1,500.00")
    grantee.press("Settle this budget")
    signer = journey.file(chair, "agreement")
    signer.follow("Accept the award", 200)
    signer.choose("I have read the whole document and may sign for my organisation.")
    signer.fill("Type your name", "Somebody Else")
    signer.press("Accept the award and sign")
    assert "Achieng Chair" in signer.page.text
    signer.choose("I have read the whole document and may sign for my organisation.")
    signer.fill("Type your name", "Achieng Chair")
    signer.press("Accept the award and sign")
    authority = journey.file(journey.cast.authority, "agreement")
    authority.follow("Countersign the agreement", 200)
    authority.choose("I have read the document and sign it for the fund.")
    authority.press("Countersign the agreement")
    assert "Active" in journey.file(chair, "agreement").page.text


def enter_bank_details(journey: Journey, writer: str) -> None:
    """Enter bank details as the grantee; finance, a second person, verifies them."""
    grantee = journey.file(writer, "payments")
    grantee.follow("Enter bank details", 200)
    grantee.fill_all(
        holder="Lantern Street Learning Circle",
        account="GB29 NWBK 6016 1331 9268 18",
        bank="Lakeside Co-operative Bank",
        country="KEN",
        town="Kisumu",
    )
    grantee.press("Keep these bank details")
    assert "mistake" in grantee.page.text, "the check digits of this IBAN are wrong"
    grantee.fill_all(account="0112 2334 4556", clearing_code="01-100")
    grantee.press("Keep these bank details")
    finance = journey.file(journey.cast.finance, "payments")
    finance.follow("Verify bank details", 200)
    finance.press("Open the bank details")
    assert "011223344556" in finance.page.text.replace(" ", "")
    finance.choose("I compared the account")
    finance.press("Verify bank details")


def pay(journey: Journey, writer: str, number: int, amount: str) -> None:
    """Certify, approve, release: three people; the office pays; the grantee has the money."""
    cast = journey.cast
    officer = journey.file(cast.officer, "payments")
    officer.follow("Prepare payment", 200)
    assert amount in officer.page.text
    officer.press("Prepare payment")
    order = order_of(number)
    for email, step, label in (
        (cast.certifying, "certify", "Certify the use of funds"),
        (cast.approving, "approve", "Approve the entry"),
        (cast.treasury, "release", "Release the payment"),
    ):
        assert journey.ref in journey.as_(email).open("/payments", 200).text
        signer = journey.as_(email)
        signer.open(f"/payments/{order}/{step}", 200)
        signer.press(label)
        again = journey.as_(email).open(f"/payments/{order}", 200)
        assert label not in again.text, "nobody signs twice, or out of turn"
    finance = journey.as_(cast.finance)
    finance.open(f"/payments/{order}/confirm", 200)
    finance.fill("Reference of the paying agent", f"UNDP-KEN-{number:04}")
    finance.fill("Day of the payment", str(clock.today()))
    finance.press("Record the payment")
    grantee = journey.as_(writer)
    grantee.open(f"/payments/{order}/arrived", 200)
    grantee.press("The money has arrived")


def order_of(number: int) -> str:
    """Return the reference of the order for an instalment, which is under way."""
    session.rollback()
    rows = select(PaymentOrder.ref).join(PaymentOrder.instalment).where(Instalment.number == number)
    return session.scalars(rows).one()
