"""From the checklist to the decision: what the funds' side does with the application."""

from datetime import timedelta

from portal.core import clock
from tests.journeys.act.scene import AWARD, TITLE, Journey


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
    reader.follow("Answer the question", 200)
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
    """Lay the ranked list before the authority as the body, an award below the request (R14)."""
    path = f"/reviews/calls/{journey.call_ref}/recommendation"
    journey.as_(journey.cast.readers[1]).open(path, 404)
    officer = journey.as_(journey.cast.officer).open(path, 200)
    assert "Draw up the list" not in officer.text
    reader = journey.as_(journey.cast.readers[0])
    reader.open("/home", 200)
    reader.follow("Draw up the recommendation", 200)
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
