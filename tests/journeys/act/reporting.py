"""From the report to the closed file, and to the answer why the grant was made."""

from portal.cli.features import all_checks
from portal.core.db import session
from portal.funds.profile import Section
from tests.journeys.act.scene import AWARD, REPORT, Journey
from tests.journeys.reader import Reader, answer
from tests.make import applications as make_applications


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
