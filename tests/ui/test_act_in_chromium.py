"""The journey of an ACT micro-grant in Chromium, with axe on every kind of page."""

from playwright.sync_api import Browser as Program

from portal.app import create_app
from portal.core.config import Settings
from tests.journeys import act
from tests.ui.chromium import Chromium
from tests.ui.live import served


def test_a_micro_grant_travels_in_a_real_browser(
    chromium: Program, fresh_database: str, settings: Settings
) -> None:
    app = create_app(settings.model_copy(update={"database_url": fresh_database}))
    seen: set[str] = set()
    with served(app) as address:
        act.travel(lambda: Chromium(chromium, address, seen))
    assert len(seen) >= 30
