"""One PostgreSQL for the whole run; each test in a savepoint, or on a database of its own.

The server is the embedded one, in a folder of its own under the system's temporary folder. It is
migrated once into a template; a test that never needs the database never starts it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import Session, scoped_session

from portal.core import embedded
from portal.core import migrate as migrations
from portal.core.config import Settings, load_settings
from portal.core.db import connect, session

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from portal.core.web import Portal
    from tests.browser import Browser

Bind = sa.Engine | sa.Connection

SAVEPOINT_WORDS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET CONSTRAINTS")
LONG = ("tests/ui/", "tests/journeys/", "tests/cli/", "tests/app/", "tests/test_every_page")
"""Where single tests take long: what tells the demo story or travels a whole journey."""
DEFERRED = (
    "SELECT string_agg(DISTINCT quote_ident(conname), ', ') FROM pg_constraint WHERE condeferred"
)


@dataclass
class Server:
    """The PostgreSQL of this run."""

    folder: Path
    template: str

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of `database`."""
        return sa.make_url(self.template).set(database=database).render_as_string()

    def execute(self, statement: str, *names: str) -> None:
        """Run `statement` on the server, its `{}` filled by identifiers."""
        conninfo = self.url("postgres").replace("+psycopg", "")
        with psycopg.connect(conninfo, autocommit=True) as server:
            server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def copy(self, name: str) -> str:
        """Make a database with all tables and no rows, and return its URL."""
        self.execute("CREATE DATABASE {} TEMPLATE {}", name, "portal_template")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Delete a database, ending whoever is still connected."""
        self.execute("DROP DATABASE {} WITH (FORCE)", name)


@dataclass
class SqlCount:
    """The statements that ran inside a `count_sql()` block."""

    statements: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many there were, without those of savepoints."""
        return len(self.statements)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that at the end no core waits for one of them."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """Keep the machine's own settings out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("PORTAL_") or name == "DATABASE_URL":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords with little memory: the suite makes thousands of people.

    What is about the hashing itself takes `full_hashes`.
    """
    from argon2 import PasswordHasher

    from portal.accounts.service import passwords

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(1, 8, 1))
        yield


@pytest.fixture(autouse=True)
def same_keys_and_folder() -> Iterator[None]:
    """Put the process's master key and folder of files back after a test that brought its own."""
    from portal.core import crypto
    from portal.core.files import stored

    kept = list(crypto._wrapping), list(crypto._master_key)
    folder, most = stored._place.folder, stored._place.max_bytes
    yield
    crypto._wrapping[:], crypto._master_key[:] = kept
    if folder is not None:
        stored.configure(folder, most)


@pytest.fixture
def full_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords in this test as the portal does."""
    from argon2 import PasswordHasher

    from portal.accounts.service import passwords

    full = PasswordHasher(passwords.PASSES, passwords.MEMORY_KIB, passwords.LANES)
    monkeypatch.setattr(passwords, "_hasher", full)


@pytest.fixture
def documents_as_they_are() -> Iterator[None]:
    """Set each document of this test's scene in type, for a test that reads them."""
    from tests.make import documents

    with documents.set_anew():
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start the PostgreSQL of this run, and migrate its template."""
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    folder.chmod(0o711)
    template = embedded.start(folder, database="portal_template", durable=False)
    try:
        migrations.upgrade(template)
        yield Server(folder, template)
    finally:
        embedded.remove(folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shared_url(server: Server) -> str:
    """Return the URL of the database that all `db` tests use, and none changes for good."""
    return server.copy("portal_shared")


@pytest.fixture(scope="session")
def shared_engine(shared_url: str) -> Iterator[sa.Engine]:
    """Return one engine on the shared database."""
    engine = sa.create_engine(shared_url)
    yield engine
    engine.dispose()


@pytest.fixture
def db(shared_engine: sa.Engine) -> Iterator[scoped_session[Session]]:
    """Return the session of `portal.core.db`, all of whose work is undone after the test.

    `commit()` releases a savepoint, and lets deferred triggers speak first, as a real one does.
    Commit before a request: a GET rolls back what is only flushed.
    """
    with shared_engine.connect() as connection:
        outer = connection.begin()
        with _bound_to(connection):
            yield session
        outer.rollback()


@contextmanager
def _bound_to(connection: sa.Connection) -> Iterator[None]:
    """Bind the portal's session to `connection` and to savepoints inside its transaction."""
    deferred = connection.scalar(sa.text(DEFERRED))

    def check_deferred(current: Session) -> None:
        if deferred is None or current.in_nested_transaction():
            return
        current.flush()
        current.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        current.execute(sa.text(f"SET CONSTRAINTS {deferred} DEFERRED"))

    session.remove()
    session.configure(bind=connection, join_transaction_mode="create_savepoint")
    sa.event.listen(Session, "before_commit", check_deferred)
    try:
        yield
    finally:
        sa.event.remove(Session, "before_commit", check_deferred)
        session.remove()
        session.configure(bind=None, join_transaction_mode="conditional_savepoint")


@pytest.fixture
def fresh_database(server: Server) -> Iterator[str]:
    """Return the URL of an empty database of the test's own, for real commits and processes.

    The portal's session is bound to it.
    """
    name = f"test_{uuid4().hex[:12]}"
    engine = connect(server.copy(name))
    try:
        yield engine.url.render_as_string(hide_password=False)
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
        server.drop(name)


@pytest.fixture(scope="session")
def settings(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings as tests want them: the shared database, a demonstration, no mail server."""
    folder = tmp_path_factory.mktemp("var")
    return load_settings(database_url=shared_url, data_dir=folder, demo=True, testing=True)


@pytest.fixture(scope="session")
def application(settings: Settings) -> "Iterator[Portal]":
    """Make the web application once, on an engine of its own that `app` never uses."""
    from portal.app import create_app

    portal = create_app(settings)
    engine = session.get_bind()
    yield portal
    if isinstance(engine, sa.Engine):
        engine.dispose()


@pytest.fixture
def app(application: "Portal", db: scoped_session[Session]) -> "Portal":
    """Return the web application on the session of `db`: what its requests commit is undone."""
    del db
    return application


@pytest.fixture
def client(app: "Portal") -> "FlaskClient":
    """Return Flask's own test client, for requests that no browser would make."""
    return app.test_client()


@pytest.fixture
def browser(app: "Portal") -> "Browser":
    """Return a browser without JavaScript, that checks each page on the way."""
    from tests.browser import Browser

    return Browser(app)


@pytest.fixture
def count_sql() -> Callable[[], AbstractContextManager[SqlCount]]:
    """Return a context manager that counts the SQL statements inside its block."""

    @contextmanager
    def counting() -> Iterator[SqlCount]:
        count = SqlCount()

        def note(*arguments: Any) -> None:
            statement = str(arguments[2])
            if not statement.startswith(SAVEPOINT_WORDS):
                count.statements.append(statement)

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            yield count
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)

    return counting


@pytest.fixture(scope="session")
def told_settings(server: Server, settings: Settings) -> Settings:
    """Return the settings of a demonstration: a database of its own, the same keys and folder.

    Keys and folder are the process's own, so a second set would be the first one's end.
    """
    return settings.model_copy(update={"database_url": server.copy("portal_told")})


@pytest.fixture(scope="session")
def told_app(told_settings: Settings) -> "Iterator[tuple[Portal, Bind]]":
    """Return the web application in whose database the story was told, and that database."""
    from portal.app import create_app
    from portal.demo import story

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
def told(told_app: "tuple[Portal, Bind]") -> "Iterator[Portal]":
    """Return that application, with the session on its database; nothing of a test is kept."""
    app, engine = told_app
    bind = session.session_factory.kw.get("bind")
    session.remove()
    session.configure(bind=engine)
    yield app
    session.rollback()
    session.remove()
    session.configure(bind=bind)
