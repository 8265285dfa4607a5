"""A government's project travels through the VFTC: a board, an agreement, three instalments."""

from flask import Flask
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind, Role
from portal.core.db import session
from tests.browser import Browser
from tests.journeys import granting, steps
from tests.journeys.steps import Journey
from tests.make.accounts import PASSWORD, person

Db = scoped_session[Session]


def national_trustee(fund: str, country: str) -> str:
    """Return the address of a trustee who is a national of the State that applies."""
    found = person(roles=[(Role.TRUSTEE, fund, None)], name="Nadia National")
    found.nationality = country
    session.commit()
    return found.email


def sees_nothing(journey: Journey, email: str) -> None:
    """Demand that the file does not exist for somebody, in pages and in lists."""
    browser = Browser(journey.app)
    browser.sign_in(email, PASSWORD)
    assert journey.ref not in browser.page.html
    browser.open("/reviews", 200)
    assert journey.ref not in browser.page.html
    assert journey.organisation not in browser.page.text
    browser.open("/files", 200)
    assert journey.ref not in browser.page.html
    for path in (journey.file(), journey.file("review"), f"/reviews/{journey.ref}"):
        browser.open(path, 404)


def test_a_project_of_a_government_travels_from_the_call_to_the_closed_file(
    app: Flask, db: Db
) -> None:
    del db
    journey = steps.assemble(app, "vftc", OrganisationKind.GOVERNMENT, "NPL")
    recused = national_trustee("vftc", "NPL")
    steps.open_call(journey)
    steps.apply(journey)
    steps.screen(journey)
    steps.review(journey, 5, 4, 3)
    sees_nothing(journey, recused)
    steps.recommend(journey, "4,000.00")
    sees_nothing(journey, recused)
    steps.decide(journey)

    granting.offer(journey)
    granting.revise(journey, 200_000, 200_000)
    granting.accept(journey)
    granting.countersign(journey)
    granting.enter_bank(journey)
    granting.pay(journey, 1, "2,000.00")
    granting.report(journey, "progress", granting.part_of_each_line(journey, 50))
    granting.accept_report(journey, "progress")
    granting.pay(journey, 2, "1,600.00")
    granting.report(journey, "final", granting.part_of_each_line(journey, 50))
    granting.accept_report(journey, "final")
    granting.pay(journey, 3, "400.00")
    granting.close(journey)
    granting.why(journey)
    sees_nothing(journey, recused)
    steps.all_is_well()
