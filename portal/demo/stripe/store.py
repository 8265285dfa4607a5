"""Where the pretend card processor remembers: one SQLite file, shared by all processes."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS thing (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL,
    account TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS thing_kind ON thing (kind, account, number);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    at INTEGER NOT NULL);
"""
WAIT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What was answered to a call, and a digest of what it asked."""

    asked: str
    status: int
    body: Json
    at: int


class Store:
    """Objects by identifier, and answers by idempotency key. Everything happens in `turn`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            connection.executescript(TABLES)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def turn(self) -> Iterator["Turn"]:
        """Do several things at once, alone; an exception undoes them."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Turn(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


class Turn:
    """One transaction of the store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, body: Json, account: str = "") -> Json:
        """Keep an object, new or changed, and return it."""
        self._connection.execute(
            "INSERT INTO thing (id, kind, account, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (body["id"], body["object"], account, json.dumps(body)),
        )
        return body

    def find(self, kind: str, name: str, account: str | None = None) -> Json | None:
        """Return the object of a kind by its identifier, of one account where that is named."""
        row = self._connection.execute(
            "SELECT body, account FROM thing WHERE id = ? AND kind = ?", (name, kind)
        ).fetchone()
        if row is None or (account is not None and row[1] != account):
            return None
        found: Json = json.loads(row[0])
        return found

    def get(self, kind: str, name: str) -> Json:
        """Return an object that is there. KeyError otherwise."""
        found = self.find(kind, name)
        if found is None:
            raise KeyError(name)
        return found

    def all(self, kind: str, account: str = "") -> list[Json]:
        """Return the objects of a kind, newest first."""
        rows = self._connection.execute(
            "SELECT body FROM thing WHERE kind = ? AND account = ? ORDER BY number DESC",
            (kind, account),
        )
        return [json.loads(body) for (body,) in rows]

    def answered(self, key: str) -> Answer | None:
        """Return what was answered under an idempotency key."""
        row = self._connection.execute(
            "SELECT asked, status, body, at FROM answer WHERE key = ?", (key,)
        ).fetchone()
        return Answer(row[0], row[1], json.loads(row[2]), row[3]) if row else None

    def remember(self, key: str, asked: str, status: int, body: Json) -> None:
        """Keep what is answered under an idempotency key."""
        self._connection.execute(
            "INSERT OR REPLACE INTO answer (key, asked, status, body, at) VALUES (?, ?, ?, ?, ?)",
            (key, asked, status, json.dumps(body), int(time.time())),
        )

    def drop(self, key: str) -> None:
        """Forget a key under which nothing was begun."""
        self._connection.execute("DELETE FROM answer WHERE key = ?", (key,))

    def clear(self) -> None:
        """Forget everything: the portal that it was for is gone."""
        for table in ("thing", "answer"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 — names of our own

    def forget(self, older_than: int) -> None:
        """Forget answers given before a moment (seconds since 1970), as the real one does."""
        self._connection.execute("DELETE FROM answer WHERE at < ?", (older_than,))
