"""A sixth fund is a sixth file and no code: a copy with other words travels like the five."""

import re
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind
from portal.funds import service
from portal.funds.profile import PROFILES, load_profiles
from tests.browser import Browser
from tests.journeys import steps

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
    'title = "Lasting local impact"': 'title = "Light that stays"',
    'label = "Read and scored"': 'label = "Weighed by lamplight"',
}


def sixth_file(folder: Path) -> Path:
    """Write the sixth fund: another code, name, ceiling, criteria and stages than its model."""
    text = (PROFILES / "act.toml").read_text(encoding="utf-8")
    for before, after in CHANGES.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    text = re.sub(
        r"weight_percent = 25(\nmark = \"C\"\nanchors = \[\n    \"No hum)",
        r"weight_percent = 40\1",
        text,
    )
    text = text.replace("weight_percent = 25", "weight_percent = 10")
    written = folder / "lanterns.toml"
    written.write_text(text, encoding="utf-8")
    return written


def test_a_sixth_fund_is_a_sixth_file(app: Flask, db: Db, tmp_path: Path) -> None:
    sixth_file(tmp_path)
    service.load_profiles_into_database(load_profiles() | load_profiles(tmp_path))
    db.commit()
    visitor = Browser(app)
    visitor.open("/")
    assert "Lanterns for Night Schools" in visitor.page.text
    visitor.open("/funds/lanterns", 200)
    assert "Light that stays" in visitor.page.text
    assert "7,500.00" in visitor.page.text

    journey = steps.assemble(app, "lanterns", OrganisationKind.ASSOCIATION, "KEN")
    steps.open_call(journey, **{"Ceiling of one grant": "6,000"})
    steps.apply(journey)
