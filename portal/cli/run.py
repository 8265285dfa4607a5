"""`portal serve` and `portal work`: the two processes of a running portal."""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from portal.app import connect_stores, create_app
from portal.cli.database import database
from portal.cli.features import load_tasks
from portal.core import jobs
from portal.core import migrate as migrations
from portal.core.config import Settings, load_settings

THREADS = 8
PARENT_ENDED = "PORTAL_ENDS_WITH_STDIN"
"""Set by `portal demo` for its children: the end of their standard input is the end of them."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5000, show_default=True, help="The port to listen on.")
def serve(host: str, port: int, data: Path | None) -> None:
    """Run the web server. Behind a proxy, let that one speak HTTPS."""
    import waitress

    settings = load_settings(data_dir=data)
    end_in_order()
    with database(settings) as url:
        demand_current(url)
        try:
            waitress.serve(
                create_app(settings),
                host=host,
                port=port,
                threads=THREADS,
                ident=None,
                max_request_body_size=settings.max_request_bytes,
                _quiet=True,
            )
        except OSError as busy:
            raise click.ClickException(
                f"Port {port} cannot be used ({busy.strerror}): choose another with --port."
            ) from busy


@click.command()
def work(data: Path | None) -> None:
    """Run the worker: messages, reminders and payments leave through it."""
    settings = load_settings(data_dir=data)
    end_in_order()
    with database(settings) as url:
        demand_current(url)
        prepare_worker(settings)
        jobs.work(url)


def prepare_worker(settings: Settings) -> None:
    """Connect this process to everything that background work needs."""
    connect_stores(settings)
    load_tasks()


def demand_current(url: str) -> None:
    """Raise a ClickException unless the database has every migration."""
    if not migrations.at_head(url):
        raise click.ClickException("The database is not up to date: run `portal migrate`.")


def end_in_order() -> None:
    """Leave through `finally` on SIGTERM; and with the parent, if `portal demo` is that."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    if os.environ.get(PARENT_ENDED):
        threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """Wait for the end of standard input, then end this process as SIGTERM does."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
