"""`portal migrate`, and where the database of a command is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from portal.core import embedded
from portal.core import migrate as migrations
from portal.core.config import Settings, load_settings


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
    """Bring the database up to this version of the portal."""
    with database(load_settings(data_dir=data)) as url:
        migrations.upgrade(url)
    click.echo(f"The database is at {', '.join(migrations.heads())}.")
