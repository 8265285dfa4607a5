"""Background work: whatever is due is done, whoever forgot to ask for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from portal.core import jobs
from portal.core.db import session

WORKER = """
import sys
from portal.core import db, jobs, outbox
db.connect(sys.argv[1])
jobs.work(sys.argv[1])
"""
NEW_MESSAGE = text(
    "INSERT INTO outbox_message (id, key, recipient, template, subject, body, link, locale, state,"
    " attempts, created_at, next_attempt_at) VALUES (gen_random_uuid(), :key, 'a@example.org',"
    " 'reset_password', 's', 'b', '/', 'en', 'queued', 0, now(), now())"
)


@pytest.fixture
def no_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the sweeps of the portal from a test that registers its own."""
    monkeypatch.setattr(jobs, "_sweeps", {})


def waiting() -> int:
    """Return how many jobs wait for a worker."""
    count = session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"))
    session.rollback()
    return int(count or 0)


def add_message(key: str) -> None:
    session.execute(NEW_MESSAGE, {"key": key})
    session.commit()


def kept(key: str, seconds: float = 30) -> bool:
    """Whether a worker dealt with the message `key` within `seconds`."""
    state = text("SELECT state FROM outbox_message WHERE key = :key")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = session.scalar(state, {"key": key})
        session.rollback()
        if found == "kept":
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def worker(fresh_database: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a worker in a process of its own, on a database of the test's own."""
    add_message("before it began")
    process = subprocess.Popen([sys.executable, "-c", WORKER, fresh_database])
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


@pytest.mark.usefixtures("fresh_database")
def test_many_calls_before_the_worker_looks_are_one() -> None:
    for _call in range(3):
        jobs.wake()
    assert waiting() == 1


@pytest.mark.usefixtures("fresh_database")
def test_a_failure_to_wake_is_not_the_callers_problem() -> None:
    session.execute(text("ALTER TABLE procrastinate_jobs RENAME TO gone"))
    session.commit()
    jobs.wake()


@pytest.mark.usefixtures("fresh_database", "no_sweeps")
def test_a_sweep_that_raises_is_rolled_back_and_stops_nobody() -> None:
    @jobs.sweep("bad")
    def bad() -> None:
        session.execute(NEW_MESSAGE, {"key": "bad"})
        raise RuntimeError("on purpose")

    @jobs.sweep("good")
    def good() -> None:
        session.execute(NEW_MESSAGE, {"key": "good"})

    jobs.run(jobs.sweeps())
    assert session.scalars(text("SELECT key FROM outbox_message")).all() == ["good"]


@pytest.mark.usefixtures("fresh_database", "no_sweeps")
def test_a_sweep_that_wants_more_is_committed_piece_by_piece() -> None:
    left = ["one", "two", "bad", "three"]

    @jobs.sweep("pieces")
    def piece() -> object:
        if not left:
            return None
        key = left.pop(0)
        session.execute(NEW_MESSAGE, {"key": key})
        if key == "bad":
            raise RuntimeError("on purpose")
        return jobs.AGAIN

    jobs.run(jobs.sweeps())
    assert session.scalars(text("SELECT key FROM outbox_message")).all() == ["one", "two"]
    session.rollback()
    jobs.run(jobs.sweeps())
    kept_now = session.scalars(text("SELECT key FROM outbox_message")).all()
    assert kept_now == ["one", "two", "three"]


@pytest.mark.usefixtures("no_sweeps")
def test_each_minute_runs_what_is_due_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(jobs, "run", lambda chosen: ran.extend(one.name for one in chosen))
    jobs.sweep("always")(lambda: None)
    jobs.sweep("hourly", every_minutes=60)(lambda: None)
    jobs.sweep("at once", every_minutes=60, eager=True)(lambda: None)
    jobs._every_minute(timestamp=61 * 60)
    assert ran == ["always"]
    jobs._every_minute(timestamp=120 * 60)
    assert ran[1:] == ["always", "hourly", "at once"]
    jobs._eager()
    assert ran[4:] == ["at once"]


def test_a_worker_does_what_was_left_and_what_it_is_woken_for(
    worker: "subprocess.Popen[bytes]",
) -> None:
    assert kept("before it began")
    add_message("after it began")
    jobs.wake()
    assert kept("after it began")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0


def test_a_killed_worker_leaves_nothing_that_the_next_one_does_not_do(
    worker: "subprocess.Popen[bytes]", fresh_database: str
) -> None:
    assert kept("before it began")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    session.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'"))
    session.commit()
    add_message("while nobody worked")
    jobs.wake()
    with subprocess.Popen([sys.executable, "-c", WORKER, fresh_database]) as second:
        assert kept("while nobody worked")
        second.terminate()
