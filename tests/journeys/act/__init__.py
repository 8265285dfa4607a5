"""The journey of an ACT micro-grant, from an open call to a closed file, through the pages.

Every step is done by the person whose step it is. The same steps run without JavaScript through
the test client and with it in Chromium: see `tests.journeys.reader`.
"""

from tests.journeys.act import applying, granting, reporting, reviewing, scene
from tests.journeys.act.scene import Journey
from tests.journeys.reader import OpenReader


def travel(new_reader: OpenReader) -> Journey:
    """Travel the whole way."""
    journey = scene.begin(new_reader)
    scene.read_the_public_site(journey)
    chair, writer = "chair@lantern.example", "writer@lantern.example"
    applying.register(journey, chair, "Achieng Chair")
    applying.enter_organisation(journey, chair)
    applying.invite(journey, chair, writer)
    applying.apply(journey, writer)
    applying.submit(journey, writer, chair)
    reviewing.screen(journey, writer)
    reviewing.declare_interests(journey)
    reviewing.score(journey)
    reviewing.recommend(journey)
    reviewing.decide(journey, chair)
    granting.agree(journey, writer, chair)
    granting.enter_bank_details(journey, writer)
    granting.pay(journey, writer, 1, "2,800.00")
    reporting.report(journey, writer, chair)
    granting.pay(journey, writer, 2, "500.00")
    reporting.close(journey)
    reporting.ask_why(journey)
    return journey
