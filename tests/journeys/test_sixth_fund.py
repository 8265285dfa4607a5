"""A sixth fund is a sixth file and no code: a copy with other words travels like the five."""

import re
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind
from portal.funds import service
from portal.funds.profile import PROFILES, load_profiles
from tests.browser import Browser
from tests.journeys import granting, steps

Db = scoped_session[Session]

CHANGES = {
    'code = "act"': 'code = "lanterns"',
    "position = 50": "position = 60",
    'name = "Assisting Communities Together"': 'name = "Lanterns for Night Schools"',
    'short_name = "Communities Together"': 'short_name = "Night Schools"',
    'acronym = "ACT"': 'acronym = "LNS"',
    "micro_grant = true": "micro_grant = false",
    "ceiling_usd_minor = 500_000": "ceiling_usd_minor = 750_000",
    "reviewers_min = 3": "reviewers_min = 2",
    'reviewer_scope = "country"': 'reviewer_scope = "fund"',
    'body = "task_force"': 'body = "board"',
    'reviewer_role = "task_force_member"': 'reviewer_role = "trustee"',
    'recommends_role = "task_force_member"': 'recommends_role = "board_secretary"',
    'title = "Lasting local impact"': 'title = "Light that stays"',
    'label = "Read and scored"': 'label = "Weighed by lamplight"',
}


def sixth_file(folder: Path) -> Path:
    """Write the sixth fund: another code, name, ceiling, criteria and stages than its model."""
    text = change((PROFILES / "act.toml").read_text(encoding="utf-8"), CHANGES)
    text = re.sub(
        r"weight_percent = 25(\nmark = \"C\"\nanchors = \[\n    \"No hum)",
        r"weight_percent = 40\1",
        text,
    )
    text = text.replace("weight_percent = 25", "weight_percent = 10")
    written = folder / "lanterns.toml"
    written.write_text(text, encoding="utf-8")
    return written


PRIORITY = """
[[priority]]
key = "first_received"
label = "Who came first"
source = { text = "Guidelines of the fund", mark = "T" }

"""
WITHOUT_A_BODY = {
    'body = "board"\n': "",
    'reviewer_role = "trustee"\n': "",
    'selection = "scores"': 'selection = "priority"',
    "reviewers_min = 2": "reviewers_min = 0",
    '"screening", "review",': '"screening", "entitlement",',
    'label = "Weighed by lamplight"': 'label = "Entitlement seen"',
    '"review.completed"': '"entitlement.checked"',
}


def another_process(path: Path) -> None:
    """Let the sixth fund go without a body, by an order of priority."""
    text = change(path.read_text(encoding="utf-8"), WITHOUT_A_BODY)
    before, _criteria, rest = re.split(
        r"(# -+ criteria\n.*?)(?=# -+ instalments)", text, flags=re.DOTALL
    )
    path.write_text(before + PRIORITY + rest, encoding="utf-8")


def change(text: str, changes: dict[str, str]) -> str:
    """Replace words that stand exactly once in the text."""
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def load(db: Db, folder: Path) -> None:
    """Load the five funds and those of `folder`."""
    service.load_profiles_into_database(load_profiles() | load_profiles(folder))
    db.commit()


def test_a_sixth_fund_is_a_sixth_file(app: Flask, db: Db, tmp_path: Path) -> None:
    sixth_file(tmp_path)
    load(db, tmp_path)
    visitor = Browser(app)
    visitor.open("/")
    assert "Night Schools" in visitor.page.text
    visitor.open("/funds/lanterns", 200)
    assert "Light that stays" in visitor.page.text
    assert "7,500.00" in visitor.page.text

    journey = steps.assemble(app, "lanterns", OrganisationKind.ASSOCIATION, "KEN")
    journey.prices = ("850.00", "24.00")
    steps.open_call(journey, **{"Ceiling of one grant": "6,000"})
    steps.apply(journey)
    steps.screen(journey)
    steps.review(journey, 5, 3)
    steps.recommend(journey, "5,500.00")
    steps.decide(journey)
    granting.offer(journey)
    granting.revise(journey, 310_000, 240_000)
    granting.accept(journey)
    granting.countersign(journey)
    page = journey.be("applicant", journey.file("agreement")).page
    assert "The grant is in force" in page.text
    assert "5,500.00" in page.text
    assert "Weighed by lamplight" in page.text
    assert "Passed" in page.text or "passed" in page.html


def test_a_fund_of_another_process_is_a_file_too(app: Flask, db: Db, tmp_path: Path) -> None:
    """No body and an agreement: no fund of the five does both."""
    another_process(sixth_file(tmp_path))
    load(db, tmp_path)
    journey = steps.assemble(app, "lanterns", OrganisationKind.ASSOCIATION, "KEN")
    steps.to_the_decision(journey)
    granting.to_the_signatures(journey)
    page = journey.be("applicant", journey.file()).page
    assert "Weighed by lamplight" not in page.text
    assert "Entitlement seen" in page.text
