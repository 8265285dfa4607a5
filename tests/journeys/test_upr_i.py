"""A State implements recommendations of its review: its consent, the board, and a refund."""

from flask import Flask
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind
from tests.journeys import granting, steps

Db = scoped_session[Session]

RECOMMENDATIONS = (
    "Recommendation 148.12, supported: train judges on the prohibition of torture.\n"
    "Recommendation 148.40, supported: set up a national mechanism for follow-up."
)


def test_a_state_implements_recommendations_from_the_call_to_the_closed_file(
    app: Flask, db: Db
) -> None:
    del db
    journey = steps.assemble(app, "upr-i", OrganisationKind.GOVERNMENT, "NPL")
    steps.open_call(journey)
    browser = steps.write(journey, without="consent_letter", recommendations=RECOMMENDATIONS)
    browser.open(journey.file("check"), 200)
    assert "R11" in browser.page.text
    assert "Submit application" not in {button.text for button in browser.page.buttons}
    browser.open(journey.file("draft/documents"), 200)
    steps.attach_all(browser, journey)
    steps.submit(browser, journey)

    steps.screen(journey)
    reader = journey.be("officer", journey.file("application")).page
    assert "Recommendation 148.40, supported" in reader.text
    assert "consent_letter.pdf" in reader.text
    steps.review(journey)
    steps.recommend(journey, "4,800.00")
    steps.decide(journey)

    granting.to_the_signatures(journey)
    granting.enter_bank(journey)
    granting.pay(journey, 1, "2,880.00")
    granting.report(journey, "midterm", granting.part_of_each_line(journey, 60))
    granting.accept_report(journey, "midterm")
    granting.pay(journey, 2, "1,440.00")
    spending = granting.part_of_each_line(journey, 20, "The judges gave the room.")
    granting.report(journey, "final", spending)
    granting.accept_report(journey, "final")
    granting.draw_balance(journey)
    granting.pay_back(journey, "480.00")
    granting.close(journey)
    granting.why(journey)
    steps.all_is_well()
