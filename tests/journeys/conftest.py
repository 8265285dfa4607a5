"""What the journeys share: a site of real processes on a database of its own."""

import pytest

from portal.core.config import Settings
from portal.core.web import Portal
from tests.journeys.running import Site, free_port


@pytest.fixture
def site(application: Portal, settings: Settings, fresh_database: str) -> Site:
    """Return a site on a database of its own, with the keys and files of this process."""
    del application  # its documents are set in type in this process too
    return Site(fresh_database, settings.data_dir, free_port())
