"""The keeper of an embedded PostgreSQL: starts it, waits until nobody uses it, and stops it.

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
from contextlib import suppress
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
        check=False,
    )


def stop(spec: dict[str, Any]) -> None:
    """Stop the server, ending open connections; at once where it does not follow."""
    if is_running(spec):
        fast = pg_ctl(spec, "-m", "fast", "stop")
        if fast.returncode:
            pg_ctl(spec, "-m", "immediate", "stop")


def keep(spec: dict[str, Any]) -> int:
    """Start the server of `spec` unless it runs, say so, and stop it when nobody uses it."""
    folder = Path(spec["folder"])
    with (folder / "keeper.lock").open("w") as mine, (folder / "users.lock").open("w") as users:
        fcntl.flock(mine, fcntl.LOCK_EX)
        started = is_running(spec) or not pg_ctl(spec, *spec["start"], "start").returncode
        with suppress(BrokenPipeError):
            sys.stdout.write("ready\n" if started else "failed\n")
            sys.stdout.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not started:
            return 1
        fcntl.flock(users, fcntl.LOCK_EX)
        stop(spec)
        return 0


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # whoever started the server need not wait for its end
    sys.exit(keep(json.loads(sys.argv[1])))
