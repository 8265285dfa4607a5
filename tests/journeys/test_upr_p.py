"""A delegate travels to the review of the State: no board, a travel letter, a settlement."""

from flask import Flask
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind
from tests.journeys import granting, steps

Db = scoped_session[Session]


def test_an_official_travels_from_the_call_to_the_closed_file(app: Flask, db: Db) -> None:
    del db
    journey = steps.assemble(app, "upr-p", OrganisationKind.MISSION, "NPL")
    steps.open_call(journey)
    browser = steps.write(journey, without="note_verbale", nominee_family_name="Shrestha-Canary")
    browser.open(journey.file("check"), 200)
    assert "R11" in browser.page.text
    browser.open(journey.file("draft/documents"), 200)
    steps.attach_all(browser, journey)
    steps.submit(browser, journey)
    steps.screen(journey)
    steps.confirm_entitlement(journey)
    steps.recommend(journey, "4,800.00")
    steps.decide(journey)

    granting.offer(journey)
    granting.accept(journey)
    page = journey.be("authority", journey.file("agreement")).page
    assert "Countersign" not in page.text, "a travel letter needs no second signature"
    granting.enter_bank(journey)
    granting.pay(journey, 1, "3,600.00")
    granting.report(journey, "mission", granting.part_of_each_line(journey, 100))
    granting.accept_report(journey, "mission", "4,500.00")
    granting.pay(journey, 2, "900.00")
    granting.draw_balance(journey)
    granting.close(journey)
    granting.why(journey)
    steps.all_is_well()


def test_the_second_official_of_a_state_is_refused(app: Flask, db: Db) -> None:
    """R5: one official of each State and event."""
    del db
    journey = steps.assemble(app, "upr-p", OrganisationKind.MISSION, "NPL")
    steps.open_call(journey)
    steps.apply(journey)
    second = steps.assemble(app, "upr-p", OrganisationKind.GOVERNMENT, "NPL")
    second.call = journey.call
    browser = steps.write(second)
    browser.open(second.file("check"), 200)
    assert "R5" in browser.page.text
    assert "Submit application" not in {button.text for button in browser.page.buttons}
