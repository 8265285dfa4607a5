"""`portal import rates FILE`: what comes into the books from files.

A file is taken whole or not at all; where it is refused, each faulty row is named.
"""

from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database
from portal.core.config import load_settings
from portal.core.db import session
from portal.ledger.unore import SOURCE, BadRates, import_rates


@click.group("import")
def import_() -> None:
    """Take in a file: rates of exchange."""


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--source",
    default=SOURCE,
    show_default=True,
    help="The name under which they are kept: UNORE-revised for corrections, "
    "UNORE-approximate for figures that pages call approximate.",
)
def rates(file: Path, source: str, data: Path | None) -> None:
    """Import the UN operational rates of exchange from the UN's own XML file.

    The same file again adds nothing; a rate that is already kept is never rewritten.
    """
    settings = load_settings(data_dir=data)
    with database(settings):
        connect_stores(settings)
        try:
            done = import_rates(file.read_bytes(), by=None, source=source)
            session.commit()
        except BadRates as bad:
            raise click.ClickException(_refusal(file, bad)) from bad
        finally:
            session.remove()
    click.echo(f"{done.added} rates are new, {done.unchanged} were there already.")


def _refusal(file: Path, bad: BadRates) -> str:
    return "\n".join([f"Nothing was taken from {file.name}:", *bad.sentences])
