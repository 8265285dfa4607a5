"""`portal invite-admin`: how the first administrator comes in."""

from pathlib import Path

import click

from portal.accounts import service
from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.core.db import session


@click.command("invite-admin")
@click.argument("email")
def invite_admin(email: str, data: Path | None) -> None:
    """Print a link by which the owner of EMAIL becomes an administrator; it works once."""
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        try:
            path = service.make_admin_link(email)
            session.commit()
        finally:
            session.remove()
    click.echo(f"{settings.base_url}{path}")
