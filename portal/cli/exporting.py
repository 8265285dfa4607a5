"""`portal export books --out FILE`: what leaves the portal as files, for others to judge.

A file is written whole or not at all: what stood there before stays until the new one is complete.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from portal.accounting import beancount
from portal.accounting.service import record_books_taken
from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import ngettext
from portal.ledger.models import AccountKind
from portal.payments.statements.queries import closings


@click.group("export")
def export() -> None:
    """Write a file: the books."""


@export.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["beancount"]),
    default="beancount",
    show_default=True,
    help="Plain text that `bean-check` of beancount 3 judges.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write.",
)
def books(format_: str, out: Path, data: Path | None) -> None:
    """Export the books of all funds, with the balances that the bank's statements say.

    Run `bean-check FILE` afterwards: it says nothing when every booking of every fund sums to
    zero to the cent, and the books hold what the bank says. The audit records it.
    """
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        try:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            balances = [
                (fund_code, AccountKind.BANK, day, money) for fund_code, day, money in closings()
            ]
            write_whole(out, beancount.lines(balances))
            done = beancount.counted(len(balances))
            session.rollback()  # the chain goes on from its present end, not from the copy's
            record_books_taken(format_, clock.today(), done.bookings, by=None)
            session.commit()
        finally:
            session.remove()
    bookings = ngettext("%(num)d booking", "%(num)d bookings", done.bookings)
    balances_said = ngettext(
        "%(num)d balance of the bank", "%(num)d balances of the bank", done.balances
    )
    click.echo(f"{bookings} and {balances_said} are written to {out.name}.")


def write_whole(out: Path, lines: Iterable[str]) -> None:
    """Write `lines` beside `out`, and put the file in its place once all of it is on the disk.

    Only the owner may read it. Whatever goes wrong, `out` is as it was. Raises ClickException,
    with the names that were asked for, where the folder or the disk does not take it.
    """
    if not out.parent.is_dir():
        raise click.ClickException(f"There is no folder {out.parent}: make it, or name another.")
    try:
        _write(out, lines)
    except OSError as refused:  # its own words name the file beside, which nobody asked for
        reason = refused.strerror or refused
        raise click.ClickException(f"{out} cannot be written: {reason}.") from refused


def _write(out: Path, lines: Iterable[str]) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
