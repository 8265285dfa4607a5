"""The journey of an ACT micro-grant without JavaScript, through the test client."""

from portal.core.web import Portal
from tests.browser import Browser
from tests.journeys import act


def test_a_micro_grant_travels_from_call_to_closed_file(app: Portal) -> None:
    act.travel(lambda: Browser(app))
