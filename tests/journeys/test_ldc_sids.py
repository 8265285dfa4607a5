"""A mission asks for its delegate to a session; the public figures count her, and name nobody."""

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind
from portal.core.db import session
from portal.funds.models import Call
from tests.browser import Browser
from tests.journeys import granting, steps
from tests.journeys.steps import Journey
from tests.publication import grants

Db = scoped_session[Session]

FIGURES = "/funds/ldc-sids/figures"
REGION = "Asia-Pacific States"


def add_others(journey: Journey) -> None:
    """Add delegates of ten other States of the region, so that no cell is too small to show."""
    call = session.scalars(select(Call).where(Call.ref == journey.call)).one()
    officer = steps.person(journey, "officer").id
    places = [each for each in grants.states(call.fund, "asia_pacific", 12) if each != "NPL"]
    officials = grants.officials(women=5, men=5, fellows=0)
    for place, official in zip(places, officials, strict=False):
        grants.award(call, place, officer, official=official)
    session.commit()


def row_of(browser: Browser, caption: str, label: str) -> list[str]:
    """Return the cells of a row in the table with a caption."""
    for table in browser.page.all("table"):
        said = table.find("caption")
        if said is not None and caption in "".join(said.itertext()):
            for row in table.iter("tr"):
                head = row.find("th")
                if head is not None and "".join(head.itertext()).strip() == label:
                    return ["".join(cell.itertext()).strip() for cell in row.iter("td")]
    raise AssertionError(f"no row {label!r} under {caption!r}")


def test_a_delegate_travels_and_is_counted_by_sex_and_region(app: Flask, db: Db) -> None:
    del db
    journey = steps.assemble(app, "ldc-sids", OrganisationKind.MISSION, "NPL")
    steps.open_call(journey)
    steps.apply(
        journey,
        nominee_family_name="Canary-Name",
        nominee_sex="female",
        nominee_part="delegate",
    )
    steps.screen(journey)
    steps.confirm_entitlement(journey)
    steps.recommend(journey, "4,800.00")
    steps.decide(journey)
    granting.to_the_signatures(journey)
    granting.enter_bank(journey)
    granting.pay(journey, 1, "3,600.00")
    granting.report(journey, "mission", granting.part_of_each_line(journey, 100))
    granting.accept_report(journey, "mission")
    granting.pay(journey, 2, "1,200.00")
    granting.close(journey)
    granting.why(journey)
    steps.all_is_well()

    visitor = Browser(app)
    visitor.open(FIGURES, 200)
    assert "Too few grants" in visitor.page.text, "one delegate could be found in the figures"
    add_others(journey)
    visitor.open(FIGURES, 200)
    by_region = row_of(visitor, "by region and sex", REGION)
    assert by_region == ["6", "5", "11"], "five women, five men, and our delegate"
    assert row_of(visitor, "by part and sex", "Delegates") == ["6", "5", "11"]
    assert row_of(visitor, "States reached", REGION) == ["11"]
    assert "Canary" not in visitor.page.html
