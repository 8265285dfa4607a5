"""Background work: sweeps, each of which does whatever is due and not done.

What must be done is a row with a state of its own (a queued message, a claimed payment order);
Procrastinate only wakes the worker. So a lost job costs a delay and nothing else: the next minute
sweeps again. Features register their sweeps in `tasks.py`:

    @jobs.sweep("reminders", every_minutes=60)
    def send_reminders() -> None: …
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector, exceptions
from procrastinate.jobs import Status
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from portal.core.db import session

EVERY_MINUTE = "* * * * *"
STALLED_SECONDS = 120
GRACE_SECONDS = 20

AGAIN = object()
"""What a sweep returns that did one piece: the next one follows in a transaction of its own."""

log = logging.getLogger(__name__)
app = App(connector=SyncPsycopgConnector())


@dataclass(frozen=True)
class Sweep:
    """A piece of background work, and how often it looks for something to do, in minutes.

    An eager one also looks after each change that a person makes.
    """

    name: str
    work: Callable[[], object]
    every_minutes: int
    eager: bool


_sweeps: dict[str, Sweep] = {}


def sweep(
    name: str, *, every_minutes: int = 1, eager: bool = False
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register a function as background work: it returns to commit, and raises to roll back.

    One that returns AGAIN is committed and called once more, until it returns something else.
    """

    def register(work: Callable[[], object]) -> Callable[[], object]:
        _sweeps[name] = Sweep(name, work, every_minutes, eager)
        return work

    return register


def sweeps() -> tuple[Sweep, ...]:
    """Return all registered sweeps."""
    return tuple(_sweeps.values())


def run(chosen: tuple[Sweep, ...]) -> None:
    """Run each of `chosen` in a transaction of its own; one that fails does not stop the rest."""
    for one in chosen:
        try:
            while one.work() is AGAIN:
                session.commit()
            session.commit()
        except Exception:
            session.rollback()
            log.exception("sweep %s failed and will run again", one.name)
        finally:
            session.remove()


def wake() -> None:
    """Tell the worker that there may be something to do; call it after a commit.

    Calls that come before the worker looks are one. A failure is logged and never raised: the
    next minute's sweep finds what there is. Inside a transaction of the caller's own (the session
    is bound to a connection) nothing is committed yet, and nobody is woken.
    """
    engine = session.get_bind()
    if not isinstance(engine, Engine):
        return
    connection = None
    try:
        connection = engine.raw_connection()
        _eager.configure(queueing_lock="eager", connection=connection.driver_connection).defer()
        connection.commit()
    except exceptions.AlreadyEnqueued:
        log.debug("the worker has been told already")
    except (SQLAlchemyError, psycopg.Error, exceptions.ProcrastinateException):
        log.warning("the worker could not be woken; its next sweep catches up", exc_info=True)
    finally:
        if connection is not None:
            connection.close()


@app.task(name="portal.eager")
def _eager() -> None:
    """Run the sweeps that follow at once on what people do."""
    run(tuple(one for one in sweeps() if one.eager))


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="portal.every_minute", queueing_lock="every_minute")
def _every_minute(timestamp: int) -> None:
    """Run the sweeps that are due in the minute of `timestamp` (seconds since 1970)."""
    minute = timestamp // 60
    run(tuple(one for one in sweeps() if minute % one.every_minutes == 0))


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="portal.forget_stalled", queueing_lock="forget_stalled")
async def _forget_stalled(timestamp: int) -> None:
    """Remove the jobs of workers that died; their work is found again by its own state."""
    del timestamp
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


def work(url: str) -> None:
    """Be the worker of the database at `url` (SQLAlchemy's spelling) until SIGINT or SIGTERM.

    It begins by running every sweep once, for whatever was left while nobody worked.
    """
    run(sweeps())
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with app.replace_connector(PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4)) as own:
        own.run_worker(delete_jobs="always", shutdown_graceful_timeout=GRACE_SECONDS)
