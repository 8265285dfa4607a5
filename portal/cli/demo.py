"""`portal demo`: the whole portal on this machine, with a story told in it, in one command."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from portal.app import create_app
from portal.cli.database import database, load_funds
from portal.cli.run import PARENT_ENDED
from portal.core import embedded, pdf
from portal.core import migrate as migrations
from portal.core.config import Settings, load_settings
from portal.core.db import session

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60
GRACE_SECONDS = 15


@click.command()
@click.option("--port", default=5000, show_default=True, help="The port of the web server.")
@click.option("--fresh", is_flag=True, help="Forget what was done, and tell the story anew.")
@click.option("--no-serve", is_flag=True, help="Prepare everything, and do not start the servers.")
def demo(port: int, fresh: bool, no_serve: bool, data: Path | None) -> None:  # noqa: FBT001
    """Run a demonstration: no real money, no real people. Ctrl-C ends all of it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if not no_serve:
        _demand_free(port)
    address = f"http://{HOST}:{port}"
    settings = load_settings(data_dir=data, demo=True, base_url=address)
    drop, pickup = bank_folders(settings)
    pickup.mkdir(parents=True, exist_ok=True)
    settings = settings.model_copy(update={"bank_drop_dir": drop, "bank_pickup_dir": pickup})
    pdf.demand()
    if fresh:
        _forget(settings)
    try:
        with database(settings) as url:
            click.echo("Preparing the database …")
            migrations.upgrade(url)
            _tell(settings)
            load_funds(settings)
            if no_serve:
                click.echo("The demonstration is ready: run `portal demo` to open it.")
            else:
                _run(settings, port)
    except KeyboardInterrupt:
        click.echo("\nStopped. What was done is kept; `portal demo` goes on from here.")


def bank_folders(settings: Settings) -> tuple[Path, Path]:
    """Return where files of a demonstration leave for its bank, and where answers are read."""
    drop = settings.data_dir / "bank"
    return drop, drop / "answers"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End in order on Ctrl-C and on SIGTERM, also where a shell had them ignored."""
    raise KeyboardInterrupt


def _demand_free(port: int) -> None:
    """Raise a ClickException if something listens on `port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as busy:
            raise click.ClickException(
                f"Port {port} is in use or not allowed: choose another with --port."
            ) from busy


def _forget(settings: Settings) -> None:
    """Delete the embedded database and the files of the demonstration; the secrets stay."""
    if not settings.embedded:
        raise click.ClickException("--fresh deletes embedded databases only, not DATABASE_URL's.")
    embedded.remove(settings.data_dir)
    shutil.rmtree(settings.files_dir, ignore_errors=True)


def _tell(settings: Settings) -> None:
    """Tell the story, unless it was told in this database before."""
    from portal.demo import story

    create_app(settings)  # documents of the story are rendered in its environment
    try:
        story.tell(settings)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.remove()


def _run(settings: Settings, port: int) -> None:
    """Run web server and worker until Ctrl-C, or until one of them ends by itself."""
    with (
        _child(settings, "serve", "--port", str(port)) as web,
        _child(settings, "work") as worker,
    ):
        _await_answer(web, port)
        _say_whom_to_be(settings)
        while web.poll() is None and worker.poll() is None:
            time.sleep(0.2)
        ended = "web server" if web.poll() is not None else "worker"
        raise click.ClickException(f"The {ended} ended; the reason stands above.")


@contextmanager
def _child(settings: Settings, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a `portal` command beside this one; it ends with the block, or with this process.

    The child reads from a pipe of ours, and ends when that closes: so it does not outlive us
    even when we are killed.
    """
    environment = os.environ | {
        "PORTAL_DEMO": "true",
        "PORTAL_BASE_URL": settings.base_url,
        "PORTAL_BANK_DROP_DIR": str(settings.bank_drop_dir),
        "PORTAL_BANK_PICKUP_DIR": str(settings.bank_pickup_dir),
        PARENT_ENDED: "1",
    }
    command = [sys.executable, "-m", "portal.cli", *arguments, "--data", str(settings.data_dir)]
    process = subprocess.Popen(  # noqa: S603 — ourselves
        command, stdin=subprocess.PIPE, env=environment, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(web: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the web server listens."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and web.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise click.ClickException("The web server did not start; the reason stands above.")


def _say_whom_to_be(settings: Settings) -> None:
    """Print the address, and who can be played."""
    from portal.demo import PASSWORD, whom_to_sign_in_as

    click.echo(f"\n  {settings.base_url}\n\nSign in as (password: {PASSWORD})")
    for label, email in whom_to_sign_in_as():
        click.echo(f"  {email:<40} {label}")
    click.echo("\nCtrl-C ends everything; what you did is kept.")
