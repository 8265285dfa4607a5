"""`portal migrate`, and where the database of a command is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from portal.app import connect_stores
from portal.core import embedded
from portal.core import migrate as migrations
from portal.core.config import Settings, load_settings, read_settings
from portal.core.db import session
from portal.funds import service as funds
from portal.funds.profile import BadProfile


class NoData(click.ClickException):
    """There is no portal in the data folder that a command was given; the exit code is 2."""

    exit_code = 2


def existing(data: Path | None, **chosen: object) -> Settings:
    """Return the settings for a data folder, or a database elsewhere, that a portal is in already.

    A mistyped folder is not filled with a new database. Raises NoData, and BadSettings.
    """
    given = read_settings(data_dir=data, **chosen)
    if given.embedded and not embedded.exists(given.data_dir):
        raise NoData(
            f"There is no portal in {given.data_dir}: name its data folder with --data, "
            "or begin one with `portal migrate` or `portal demo`."
        )
    return load_settings(data_dir=data, **chosen)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Give the URL of the database; an embedded one runs as long as the block."""
    if not settings.embedded:
        yield settings.database_url
        return
    url = embedded.start(settings.data_dir)
    try:
        yield url
    finally:
        embedded.stop(settings.data_dir)


@click.command()
def migrate(data: Path | None) -> None:
    """Bring the database, and the funds in it, up to this version of the portal."""
    settings = load_settings(data_dir=data)
    with database(settings) as url:
        migrations.upgrade(url)
        load_funds(settings)
    click.echo(f"The database is at {', '.join(migrations.heads())}.")


def load_funds(settings: Settings) -> None:
    """Bring the funds in the database up to their files; calls that were opened keep theirs.

    Raises ClickException for a file that cannot be used.
    """
    connect_stores(settings)
    try:
        funds.load_profiles_into_database()
        session.commit()
    except BadProfile as bad:
        raise click.ClickException(str(bad)) from bad
    finally:
        session.remove()
