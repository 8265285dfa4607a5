"""`portal check`: whether everything that must be true of the data is true."""

import sys
from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.cli.features import all_checks
from portal.core.check import Check
from portal.core.db import session


@click.command()
def check(data: Path | None) -> None:
    """Print one line for each invariant, with how much was looked at; exit 1 on a violation."""
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        sound = [report(one) for one in all_checks()]
    if not all(sound):
        sys.exit(1)


def report(one: Check) -> bool:
    """Run `one`, print its line and each violation, and return whether it holds."""
    try:
        result = one.run()
    finally:
        session.remove()
    word = "BROKEN" if result.violations else "ok"
    click.echo(f"{word:<7}{result.count:>7}  {one.name}")
    for sentence in result.violations:
        click.echo(f"{'':<16}{sentence}")
    return not result.violations
