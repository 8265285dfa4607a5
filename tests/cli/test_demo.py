"""`portal demo`: one command starts all of it, and nothing is left when it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from portal.core import embedded
from portal.core.config import ROOT
from tests.cli.test_commands import portal

PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a data folder in which the story was told."""
    place = tmp_path_factory.mktemp("demo") / "var"
    done = portal("demo", "--no-serve", "--data", str(place))
    assert (done.returncode, done.stderr) == (0, "")
    yield place
    embedded.remove(place)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def processes_of(folder: Path) -> list[str]:
    """Return the command lines that name `folder` or its cluster."""
    names = {str(folder), str((folder / "pg").resolve())}
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(name in line for name in names):
            found.append(line)
    return found


def nothing_is_left(folder: Path, seconds: float = 30) -> list[str]:
    """Wait until no process of `folder` runs; return those that do not end."""
    until = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


@contextmanager
def running(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """Run the demonstration; give its process, its address and what it printed at the start."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "demo", "--port", str(port), "--data", str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = ""
    with process.stdout as lines:
        for line in lines:
            said += line
            if line.startswith("Ctrl-C"):
                break
        try:
            yield process, f"http://127.0.0.1:{port}", said
        finally:
            process.kill()
            process.wait()


def test_it_says_where_it_is_and_whom_to_sign_in_as(folder: Path) -> None:
    with running(folder) as (process, address, said):
        assert address in said
        assert "password" in said
        assert said.count("@") > 1
        with urllib.request.urlopen(f"{address}/") as page:  # noqa: S310 — our own server
            assert page.status == 200
            assert "<h1" in page.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert nothing_is_left(folder) == []


def test_a_second_start_takes_seconds_and_keeps_what_was_done(folder: Path) -> None:
    before = (folder / "secrets.toml").read_text()
    began = time.monotonic()
    with running(folder) as (process, _address, said):
        assert "Ctrl-C" in said
        assert time.monotonic() - began < 30
        process.terminate()
        assert process.wait(30) == 0
    assert (folder / "secrets.toml").read_text() == before
    assert nothing_is_left(folder) == []


def test_nothing_outlives_a_kill(folder: Path) -> None:
    with running(folder) as (process, _address, said):
        assert "Ctrl-C" in said
        assert len(processes_of(folder)) > 3
        process.kill()
        process.wait()
        assert nothing_is_left(folder) == []


def test_every_invariant_holds_after_the_story(folder: Path) -> None:
    done = portal("check", "--data", str(folder))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    counted = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert sum(counted) > 20, "the story gives the checks something to look at"


def test_files_leave_and_answers_are_read_in_the_folders_of_the_demonstration(
    folder: Path,
) -> None:
    sent = portal("payments", "send", "--data", str(folder))
    assert (sent.returncode, sent.stderr) == (0, "")
    assert sent.stdout.splitlines()[-1].endswith(("file sent.", "files sent."))
    answers = folder / "bank" / "answers"
    assert portal("payments", "poll", "--data", str(folder)).stdout.startswith(
        "The folder holds nothing new."
    )
    (answers / "odd.xml").write_text("<odd/>")
    read = portal("payments", "poll", "--data", str(folder))
    assert read.stdout.startswith("odd.xml: refused.")
    assert read.stderr == "Error: 1 file was refused; nothing of it was taken in.\n"
    assert (answers / "refused" / "odd.txt").exists()


@pytest.mark.parametrize("command", ["serve", "work"])
def test_people_with_a_public_password_are_not_served_in_earnest(
    folder: Path, command: str
) -> None:
    done = portal(command, "--data", str(folder))
    assert done.returncode == 1
    assert "holds the demonstration" in done.stderr
    assert done.stderr.count("\n") == 1


def test_another_command_joins_the_running_one(folder: Path) -> None:
    with running(folder) as (process, address, _said):
        done = portal("check", "--data", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
        with urllib.request.urlopen(f"{address}/") as page:  # noqa: S310 — our own server
            assert page.status == 200, "the check that ended left the database running"
        process.terminate()
        process.wait(30)
    assert nothing_is_left(folder) == []
