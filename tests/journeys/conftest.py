"""What the journeys share: a site of real processes on a database of its own."""

import pytest

from portal.core import crypto, files, outbox
from portal.core.config import Settings
from portal.core.web import Portal
from tests.journeys.running import Site, free_port


@pytest.fixture
def site(application: Portal, settings: Settings, fresh_database: str) -> Site:
    """Return a site on a database of its own, with the keys and files of this process."""
    del application  # its documents are set in type in this process too
    crypto.configure(settings.master_key_bytes)  # another test may have brought another portal
    files.configure(settings.files_dir, settings.max_upload_bytes)
    outbox.configure(settings)
    return Site(fresh_database, settings.data_dir, free_port())
