"""From registration to the receipt: what the applicant does."""

from datetime import timedelta

from portal.core import clock
from portal.core.db import session
from tests.journeys.act.scene import BUDGET, TITLE, Journey
from tests.journeys.reader import Reader, answer
from tests.make import applications as make_applications
from tests.make.accounts import PASSWORD, last_link


def register(journey: Journey, email: str, name: str) -> Reader:
    """Register, and confirm the address by the link."""
    reader = journey.new_reader()
    reader.open("/register", 200)
    reader.fill_all(name=name, email=email, password=PASSWORD)
    reader.press("Register")
    session.rollback()
    reader.open(last_link(email, "confirm_address"), 200)
    reader.fill_all(password=PASSWORD)
    reader.press("Confirm the address and sign in")
    journey.open_readers[email] = reader
    return reader


def enter_organisation(journey: Journey, email: str) -> None:
    """Enter the organisation, as its legal representative."""
    reader = journey.as_(email)
    reader.open("/organisations/new", 200)
    reader.fill_all(
        name="Lantern Street Learning Circle",
        country="KEN",
        registered_on=str(clock.today() - timedelta(days=1500)),
        registration_number="CBO-40417",
        address="Lantern Street, Kisumu",
        title="Chairperson",
    )
    reader.choose("Local association or community group")
    reader.choose("I may sign for this applicant as its legal representative")
    reader.press("Enter the organisation")
    assert "Lantern Street Learning Circle" in reader.page.text


def invite(journey: Journey, email: str, colleague: str) -> Reader:
    """Invite a colleague, who registers by the link and joins."""
    reader = journey.as_(email)
    reader.follow("Invite a colleague", 200)
    reader.fill_all(email=colleague)
    reader.choose("Editor: fills in and uploads")
    reader.press("Send the invitation")
    session.rollback()
    joining = journey.new_reader()
    joining.open(last_link(colleague, "invitation"), 200)
    joining.fill_all(name="Otieno Writer", password=PASSWORD)
    joining.press("Open my account and join")
    assert "Lantern Street Learning Circle" in joining.page.text
    journey.open_readers[colleague] = joining
    return joining


def apply(journey: Journey, email: str) -> None:
    """Start the application, as the colleague, and fill in each section."""
    reader = journey.as_(email)
    reader.open(f"/calls/{journey.call_ref}", 200)
    reader.follow("Start an application", 200)
    reader.press("Start the application")
    journey.ref = reader.page.path.split("/")[2]
    days = {
        "starts_on": str(clock.today() + timedelta(days=60)),
        "ends_on": str(clock.today() + timedelta(days=150)),
        "title": TITLE,
    }
    for section in journey.fund.form:
        reader.open(f"/files/{journey.ref}/draft/{section.key}", 200)
        if section.kind == "budget":
            fill_budget(reader)
        elif section.kind == "attachments":
            attach(journey, reader)
            continue
        else:
            answer(reader, section, days)
        reader.press("Save and continue")


def fill_budget(reader: Reader) -> None:
    """Type a hostile amount, which is refused and stays in the field; then sound ones."""
    for category, what, quantity, price in BUDGET[:1]:
        reader.fill_all(
            lines__0__category=category,
            lines__0__description=what,
            lines__0__quantity=quantity,
            lines__0__unit_cost="5,000.004",
        )
        reader.press("Save and work out the sums")
        assert "5,000.004" not in reader.page.text or "decimal" in reader.page.text
        reader.fill_all(lines__0__unit_cost=price)
    for number, (category, what, quantity, price) in enumerate(BUDGET[1:], start=1):
        reader.press("Add a line")
        line = f"lines__{number}__"
        values = {"category": category, "description": what, "quantity": quantity}
        reader.fill_all(**{line + key: value for key, value in values.items()})
        reader.fill_all(**{f"{line}unit_cost": price})
    reader.press("Save and work out the sums")
    assert "3,800.00" in reader.page.text


def attach(journey: Journey, reader: Reader) -> None:
    """Upload each document that is asked of this applicant."""
    for rule in journey.fund.attachments:
        if rule.required and rule.asked_of("association"):
            content = make_applications.pdf(rule.label).getvalue()
            reader.attach(f"File for “{rule.label}”", f"{rule.key}.pdf", content)
            reader.press_beside(f"File for “{rule.label}”", "Attach this file")
            assert f"{rule.key}.pdf" in reader.page.text


def submit(journey: Journey, writer: str, chair: str) -> None:
    """Check as the writer, submit as the legal representative, and read the receipt."""
    reader = journey.as_(writer)
    reader.open(f"/files/{journey.ref}/check", 200)
    assert TITLE in reader.page.text
    assert "Only the legal representative can submit" in reader.page.text
    reader = journey.as_(chair)
    reader.open(f"/files/{journey.ref}/check", 200)
    reader.press("Submit application", 200)
    assert journey.ref in reader.page.text
    assert "SHA-256" in reader.page.text
    session.rollback()
    assert last_link(chair, "application_received").endswith("/receipt")
