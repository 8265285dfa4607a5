"""Acts of several people at once, which come to their turn at the chain in a known order."""

import time
from collections.abc import Callable
from threading import Thread

import sqlalchemy as sa

from portal.core import audit
from portal.core.db import session
from portal.core.workflow import Refused

Act = Callable[[], object]

SECONDS = 20
"""How long anybody waits before the test is wrong."""

_QUEUED = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def in_turn(*acts: Act) -> list[str]:
    """Run each act in a transaction of its own; return how each ended, in their order.

    Each has read what it wants to know before the first of them gets its turn at the chain, and
    then they get it in the order given. So what an act does not read again is surely out of date.
    """
    session.commit()
    ends = ["not ended"] * len(acts)

    def run(number: int, act: Act) -> None:
        try:
            act()
            session.commit()
        except (Refused, sa.exc.IntegrityError, sa.orm.exc.StaleDataError) as failed:
            session.rollback()
            ends[number] = type(failed).__name__
        else:
            ends[number] = "done"
        finally:
            session.remove()

    audit.take_turn()
    threads = [Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for queued, thread in enumerate(threads, start=1):
        thread.start()
        _until_queued(queued, threads[:queued])
    session.commit()
    for thread in threads:
        thread.join(timeout=SECONDS)
    return ends


def _until_queued(number: int, threads: list[Thread]) -> None:
    """Return once so many wait for their turn, less those that ended without one."""
    for _attempt in range(SECONDS * 100):
        ended = sum(not thread.is_alive() for thread in threads)
        if (session.scalar(_QUEUED) or 0) + ended >= number:
            return
        time.sleep(0.01)
    raise AssertionError("an act neither ends nor waits for its turn")
