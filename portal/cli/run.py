"""`portal serve` and `portal work`: the two processes of a running portal."""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from portal.app import create_app
from portal.cli.database import database, existing
from portal.cli.features import load_tasks
from portal.core import jobs
from portal.core import migrate as migrations
from portal.core.config import Settings
from portal.core.db import session

THREADS = 8
FORWARDED = {"x-forwarded-for", "x-forwarded-proto"}
"""What is believed of `PORTAL_PROXY`: who asks, and that it was by HTTPS."""
PARENT_ENDED = "PORTAL_ENDS_WITH_STDIN"
"""Set by `portal demo` for its children: the end of their standard input is the end of them."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5000, show_default=True, help="The port to listen on.")
def serve(host: str, port: int, data: Path | None) -> None:
    """Run the web server. Behind a proxy, let that one speak HTTPS."""
    import waitress

    settings = existing(data)
    end_in_order()
    with database(settings) as url:
        demand_current(url)
        application = create_app(settings)
        demand_real(settings)
        try:
            waitress.serve(
                application,
                host=host,
                port=port,
                threads=THREADS,
                ident=None,
                max_request_body_size=settings.max_request_bytes,
                trusted_proxy=settings.proxy or None,
                trusted_proxy_headers=FORWARDED if settings.proxy else set(),
                clear_untrusted_proxy_headers=True,
                _quiet=True,
            )
        except OSError as busy:
            raise click.ClickException(
                f"Port {port} cannot be used ({busy.strerror}): choose another with --port."
            ) from busy


@click.command()
def work(data: Path | None) -> None:
    """Run the worker: messages, reminders and payments leave through it."""
    settings = existing(data)
    end_in_order()
    with database(settings) as url:
        demand_current(url)
        prepare_worker(settings)
        demand_real(settings)
        jobs.work(url)


def prepare_worker(settings: Settings) -> None:
    """Connect this process to everything that background work needs.

    Receipts are set in type by the templates of the application, so that is made here too.
    """
    create_app(settings)
    load_tasks()


def demand_current(url: str) -> None:
    """Raise a ClickException unless the database has every migration."""
    if not migrations.at_head(url):
        raise click.ClickException("The database is not up to date: run `portal migrate`.")


def demand_real(settings: Settings) -> None:
    """Raise a ClickException where the people of the demonstration are served outside of it.

    Some of them are trusted with money, and everybody knows their password.
    """
    if settings.demo:
        return
    from portal.demo import story

    try:
        if story.was_told():
            raise click.ClickException(
                "This database holds the demonstration: start it with `portal demo`, "
                "or give the portal a database of its own, with --data or DATABASE_URL."
            )
    finally:
        session.remove()


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
