"""The journey of an ACT micro-grant, from an open call to a closed file, through the pages.

Every step is done by the person whose step it is. The same steps run without JavaScript through
the test client and with it in Chromium: see `tests.journeys.reader`.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from portal.accounts.models import Role
from portal.awards.models import Instalment
from portal.cli.features import all_checks
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.funds.profile import Profile, Section, load_profiles
from portal.ledger import service as ledger
from portal.payments.models import PaymentOrder
from tests.journeys.reader import OpenReader, Reader, answer
from tests.make import applications as make_applications
from tests.make.accounts import PASSWORD, last_link, person

TITLE = "Evening law school for market women"
REPORT = "final"
AWARD = "3,500.00"
BUDGET = (
    ("materials", "Printed lessons, two hundred copies", "200", "4.00"),
    ("travel", "Bus fares for forty learners, ten evenings", "400", "3.00"),
    ("fees", "Two teachers, ten evenings", "20", "90.00"),
)


@dataclass
class Cast:
    """Who plays in the journey: addresses by part. Everybody has the same password."""

    officer: str
    readers: list[str]
    authority: str
    finance: str
    certifying: str
    approving: str
    treasury: str
    auditor: str


@dataclass
class Journey:
    """One micro-grant under way."""

    new_reader: OpenReader
    call_ref: str
    fund: Profile
    cast: Cast
    ref: str = ""
    open_readers: dict[str, Reader] = field(default_factory=dict)

    def as_(self, email: str) -> Reader:
        """Return the reader who is signed in as `email`."""
        if email not in self.open_readers:
            reader = self.new_reader()
            reader.sign_in(email, PASSWORD)
            self.open_readers[email] = reader
        return self.open_readers[email]

    def file(self, email: str, tab: str = "") -> Reader:
        """Return the reader `email`, who opened a tab of the case file."""
        reader = self.as_(email)
        reader.open(f"/files/{self.ref}" + (f"/{tab}" if tab else ""), 200)
        return reader


def begin(new_reader: OpenReader) -> Journey:
    """Set the scene: a call of the fund, its people, and money in its books."""

    def somebody(role: Role, country: str | None = None) -> str:
        return person(roles=[(role, "act", country)], name=f"Kim {role.label}").email

    call = make_applications.call("act")
    cast = Cast(
        officer=somebody(Role.PROGRAMME_OFFICER),
        readers=[somebody(Role.TASK_FORCE, "KEN") for _n in range(4)],
        authority=somebody(Role.APPROVING_AUTHORITY),
        finance=somebody(Role.FINANCE_OFFICER),
        certifying=somebody(Role.CERTIFYING_OFFICER),
        approving=somebody(Role.APPROVING_OFFICER),
        treasury=somebody(Role.TREASURY),
        auditor=somebody(Role.AUDITOR),
    )
    make_applications.rate("KES", "130")
    ledger.open_book("act")
    ledger.contribution_received("act", usd(5_000_000), "journey", clock.today(), by=None)
    journey = Journey(new_reader, call.ref, call.fund, cast)
    session.commit()
    return journey


def read_the_public_site(journey: Journey) -> None:
    """Read funds, calls and the whole form before registering, as anybody may."""
    reader = journey.new_reader()
    front = reader.open("/", 200)
    for profile in load_profiles().values():
        assert profile.short_name in front.text
    page = reader.open(f"/calls/{journey.call_ref}", 200)
    assert "UTC" in page.text
    assert "US$ 5,000" in page.text
    form = reader.follow("Read the whole form", 200)
    for question in journey.fund.questions():
        assert question.label in form.text
    weights = {f"{criterion.weight_percent}" for criterion in journey.fund.criteria}
    assert all(weight in page.text for weight in weights)


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


def screen(journey: Journey, writer: str) -> None:
    """Ask as the officer, answer as the applicant, and finish the checklist."""
    officer = journey.file(journey.cast.officer)
    officer.follow("Ask for a clarification", 200)
    officer.fill("Which section is it about?", "Activities and dates")
    officer.fill("What do you want to know?", "Who will keep the learners' list, and where?")
    officer.fill("Answer by", str(clock.today() + timedelta(days=10)))
    officer.press("Send the question")
    assert "on its way" in officer.page.text
    reader = journey.file(writer)
    reader.follow("answer", 200)
    reader.fill("Your answer", "The chairperson, in a locked drawer.")
    reader.press("Send the answer")
    officer.open(f"/files/{journey.ref}/screening", 200)
    assert "R5" in officer.page.text
    officer.choose_every("Met")
    officer.press("Save, and complete the screening")
    assert "Screening is over" in journey.file(journey.cast.officer, "screening").page.text


def declare_interests(journey: Journey) -> None:
    """Declare interests first; for whoever has a conflict the application is gone."""
    *readers, recused = journey.cast.readers
    for email in journey.cast.readers:
        reader = journey.as_(email)
        reader.open(f"/reviews/{journey.ref}")
        assert "Your score sheet" not in reader.page.text
        reader.open(f"/reviews/calls/{journey.call_ref}/interests", 200)
        assert TITLE in reader.page.text
        if email == recused:
            reader.choose("I have, or may seem to have, a conflict of interest")
            reader.fill("If there is one: what ties you to the applicant?", "My sister teaches.")
        else:
            reader.choose("Nothing ties me to this applicant")
        reader.press("Declare")
    gone = journey.as_(recused)
    for path in (
        f"/files/{journey.ref}",
        f"/reviews/{journey.ref}",
        f"/files/{journey.ref}/review",
    ):
        gone.open(path, 404)
    for path in ("/files", "/reviews", "/home"):
        assert TITLE not in gone.open(path, 200).text
        assert journey.ref not in gone.page.text
    assert len(readers) >= journey.fund.process.reviewers_min


def score(journey: Journey) -> None:
    """Score on the published criteria; others' sheets are hidden until one's own is in."""
    for number, email in enumerate(journey.cast.readers[:-1]):
        reader = journey.as_(email)
        reader.open(f"/reviews/{journey.ref}", 200)
        for criterion in journey.fund.criteria:
            reader.choose(criterion.anchors[4 - number % 2], group=criterion.title)
            reader.fill_all(**{f"reason_{criterion.key}": f"Plain and thought through ({number})."})
        reader.press("Save the draft")
        before = journey.file(email, "review").page.text
        assert "thought through (0)" not in before or number == 0
        reader.open(f"/reviews/{journey.ref}", 200)
        reader.press("Submit scores")
    assert "thought through (0)" in journey.file(journey.cast.readers[1], "review").page.text


def recommend(journey: Journey) -> None:
    """Lay the ranked list before the approving authority, an award below the request."""
    path = f"/reviews/calls/{journey.call_ref}/recommendation"
    reader = journey.as_(journey.cast.officer)
    reader.open(path, 200)
    if "Draw up the list" in reader.page.text:
        reader.press("Draw up the list")
    reader.fill("Verdict", "Fund")
    reader.fill("Recommended amount, US$", AWARD)
    reader.fill(
        "Reasons", "Strong in the community; the second teacher is not needed all evenings."
    )
    reader.press("Save the list")
    reader.follow("Put before the approving authority", 200)
    reader.press("Put before the approving authority")
    assert "The approving authority has the list" in reader.page.text


def decide(journey: Journey, chair: str) -> None:
    """Approve as another person; the applicant is told in writing, with reasons."""
    reader = journey.as_(journey.cast.authority)
    reader.open(f"/reviews/calls/{journey.call_ref}/recommendation", 200)
    reader.follow("Approve the list", 200)
    reader.press("Approve the list")
    told = journey.file(chair, "decision").page.text
    assert AWARD in told
    assert "the second teacher is not needed" in told


def agree(journey: Journey, writer: str, chair: str) -> None:
    """Offer, bring the budget down to the award, sign with one's name, countersign."""
    officer = journey.file(journey.cast.officer, "agreement")
    officer.follow("Prepare the offer", 200)
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
    grantee.fill_all(account="0112 2334 4556")
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
        (cast.treasury, "release", "Release to the paying agent"),
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


def report(journey: Journey, writer: str, chair: str) -> None:
    """Write the final report, have it returned by finance, mend it, have it accepted."""
    path = f"/files/{journey.ref}/reports/{REPORT}"
    grantee = journey.file(writer, "reports")
    grantee.press("Begin this report")
    grantee.open(f"{path}/narrative", 200)
    rule = journey.fund.report(REPORT)
    answer(grantee, Section(key="narrative", title=rule.title, questions=rule.sections), {})
    grantee.press("Save and continue")
    spend(grantee, path, ("104,000", "156,000", "195,000.00"))
    grantee.open(f"{path}/people", 200)
    grantee.fill("Woman, Adults (25–59)", "31")
    grantee.fill("Man, Adults (25–59)", "9")
    grantee.press("Save and continue")
    grantee.open(f"{path}/evidence", 200)
    grantee.attach("Choose a file", "receipts.pdf", make_applications.pdf("receipts").getvalue())
    grantee.choose("Receipt or proof of payment")
    grantee.press("Add this file")
    hand_in(journey, chair, path)
    review(journey.as_(journey.cast.officer), path, "Accept")
    review(
        journey.as_(journey.cast.finance), path, "Return with comments", comment="Three evenings?"
    )
    spend(journey.as_(writer), path, ("104,000", "156,000", "169,000.00"))
    hand_in(journey, chair, path)
    review(journey.as_(journey.cast.officer), path, "Accept")
    review(journey.as_(journey.cast.finance), path, "Accept", accepted="3,300.00")
    assert "Accepted" in journey.file(chair, "reports").page.text


def spend(reader: Reader, path: str, amounts: tuple[str, ...]) -> None:
    """Fill in what was spent on each line, in shillings."""
    reader.open(f"{path}/spending", 200)
    for position, amount in enumerate(amounts):
        line = f"line_{position}__"
        reader.fill_all(**{f"{line}currency": "KES", f"{line}spent": amount})
    reader.press("Save and work out the sums")
    assert "800.00" in reader.page.text


def hand_in(journey: Journey, chair: str, path: str) -> None:
    """Hand the report in as the legal representative."""
    reader = journey.as_(chair)
    reader.open(f"{path}/check", 200)
    reader.press("Hand in the report")


def review(reader: Reader, path: str, word: str, comment: str = "", accepted: str = "") -> None:
    """Give one side's word on the report."""
    reader.open(f"{path}/review", 200)
    reader.choose(word, group="Your word on the report")
    if comment:
        reader.fill("Comment", comment)
    if accepted:
        reader.fill("Accepted as spent, in US dollars", accepted)
    reader.press("Record your word")


def close(journey: Journey) -> None:
    """Draw the balance and close; the file is closed only when nothing is set aside."""
    officer = journey.file(journey.cast.officer, "payments")
    officer.follow("Draw the balance", 200)
    officer.press("Draw the balance")
    officer = journey.file(journey.cast.officer, "payments")
    officer.follow("Close the file", 200)
    officer.press("Close the file")
    assert "Closed" in journey.file(journey.cast.officer, "").page.text


def ask_why(journey: Journey) -> None:
    """Open "Why was this grant made?" as the auditor: each act with who and when."""
    page = journey.file(journey.cast.auditor, "why").page
    for said in ("Kim Approving authority", "Kim Certifying officer", "Kim Treasury", AWARD):
        assert said in page.text
    faults = [f for check in all_checks() for f in check.run().violations]
    session.rollback()
    assert not faults


def travel(new_reader: OpenReader) -> Journey:
    """Travel the whole way."""
    journey = begin(new_reader)
    read_the_public_site(journey)
    chair, writer = "chair@lantern.example", "writer@lantern.example"
    register(journey, chair, "Achieng Chair")
    enter_organisation(journey, chair)
    invite(journey, chair, writer)
    apply(journey, writer)
    submit(journey, writer, chair)
    screen(journey, writer)
    declare_interests(journey)
    score(journey)
    recommend(journey)
    decide(journey, chair)
    agree(journey, writer, chair)
    enter_bank_details(journey, writer)
    pay(journey, writer, 1, "2,800.00")
    report(journey, writer, chair)
    pay(journey, writer, 2, "500.00")
    close(journey)
    ask_why(journey)
    return journey
