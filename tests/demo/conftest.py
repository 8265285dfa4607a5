"""A reader of the told demonstration."""

import pytest

from portal.core.web import Portal
from tests.browser import Browser


@pytest.fixture
def visitor(told: Portal) -> Browser:
    """Return a browser without JavaScript on the told demonstration."""
    return Browser(told)
