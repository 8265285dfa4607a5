"""The story, told once for all tests of this folder, in a database of its own."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from portal.app import create_app
from portal.core.config import Settings, load_settings
from portal.core.db import session
from portal.core.web import Portal
from portal.demo import story
from tests.browser import Browser
from tests.conftest import Server

Bind = sa.Engine | sa.Connection


@pytest.fixture(scope="session")
def told_settings(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of a demonstration of its own."""
    url = server.copy("portal_told")
    folder = tmp_path_factory.mktemp("told")
    return load_settings(database_url=url, data_dir=folder, demo=True, testing=True)


@pytest.fixture(scope="session")
def told_app(told_settings: Settings) -> Iterator[tuple[Portal, Bind]]:
    """Return the web application in whose database the story was told, and that database."""
    bind = session.session_factory.kw.get("bind")
    session.remove()
    app = create_app(told_settings)
    engine = session.get_bind()
    story.tell(told_settings)
    session.remove()
    app.extensions["told_engine"] = engine
    session.configure(bind=bind)
    yield app, engine
    if isinstance(engine, sa.Engine):
        engine.dispose()


@pytest.fixture
def told(told_app: tuple[Portal, Bind]) -> Iterator[Portal]:
    """Return that application, with the session on its database; nothing of a test is kept."""
    app, engine = told_app
    bind = session.session_factory.kw.get("bind")
    session.remove()
    session.configure(bind=engine)
    yield app
    session.rollback()
    session.remove()
    session.configure(bind=bind)


@pytest.fixture
def visitor(told: Portal) -> Browser:
    """Return a browser without JavaScript on the told demonstration."""
    return Browser(told)
