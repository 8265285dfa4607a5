"""The keeper of an embedded PostgreSQL: waits until nobody uses it, and stops it.

A process of its own (`python -m portal.core.keeper SPEC`), so that the server ends even when
every process of the portal was killed with no chance to clean up. Users hold a shared lock on
`users.lock`; the kernel drops it when they end, however they end. The keeper waits for the
exclusive lock: when it gets it, nobody is left.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60


def is_running(spec: dict[str, Any]) -> bool:
    """Whether the server of `spec` answers; a stale pid file of a crash proves nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        return door.connect_ex(f"{spec['socket_dir']}/.s.PGSQL.5432") == 0


def pg_ctl(spec: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pg_ctl` on the cluster of `spec`, as the system user who owns it."""
    command = [f"{spec['binaries']}/pg_ctl", "-w", "-t", str(PATIENCE_SECONDS), *arguments]
    return subprocess.run(  # noqa: S603 — a program of the wheel, arguments of ours
        [*command, "-D", spec["cluster"]],
        user=spec["user"],
        group=spec["group"],
        extra_groups=[] if spec["user"] is not None else None,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for the portal, which then stops it in order
        check=False,
    )


def stop(spec: dict[str, Any]) -> None:
    """Stop the server, ending open connections; at once where it does not follow."""
    if is_running(spec):
        fast = pg_ctl(spec, "-m", "fast", "stop")
        if fast.returncode:
            pg_ctl(spec, "-m", "immediate", "stop")


def start(spec: dict[str, Any]) -> bool:
    """Start the server unless it runs; return whether it answers."""
    return is_running(spec) or not pg_ctl(spec, *spec["start"], "start").returncode


def keep(spec: dict[str, Any]) -> None:
    """Say that somebody watches now, and stop the server as soon as nobody uses it.

    `keeper.lock` is let go before `users.lock`: whoever uses the database and finds a keeper has
    one that is still waiting.
    """
    folder = Path(spec["folder"])
    with (folder / "users.lock").open("w") as users, (folder / "keeper.lock").open("w") as mine:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fcntl.flock(users, fcntl.LOCK_EX)
        stop(spec)


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # whoever starts the server waits for the end of the output, not for ours
    keep(json.loads(sys.argv[1]))
