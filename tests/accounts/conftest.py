"""People at the account pages."""

import pytest

from portal.core.db import session
from portal.core.web import Portal
from tests import make
from tests.accounts.visitor import Visitor


@pytest.fixture
def someone(app: Portal) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def another(app: Portal) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def amina(app: Portal) -> str:
    """Return the address of somebody with an account."""
    del app
    email = make.signed_up("amina@example.org", "Amina Okello").email
    session.commit()
    return email
