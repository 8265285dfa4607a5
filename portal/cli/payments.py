"""`portal payments send` and `portal payments poll`: files to the bank, and its answers."""

from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database
from portal.core.config import load_settings
from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments import exchange
from portal.payments.models import PaymentFile
from portal.payments.rails import bank


@click.group()
def payments() -> None:
    """Send payment files to the bank, read its answers."""


@payments.command()
def send(data: Path | None) -> None:
    """Write released payments into files, and put them where the bank takes them.

    Each file is kept before it is sent; sent again, it is the same file.
    """
    settings = load_settings(data_dir=data)
    with database(settings):
        connect_stores(settings)
        try:
            for file in exchange.gather_all():
                click.echo(f"{file.message_id}: {_content(file)} written.")
            if bank.drop_folder() is None:
                click.echo("No folder is set (PORTAL_BANK_DROP_DIR): download the files instead.")
                return
            sent = 0
            for file in exchange.send_all():
                click.echo(f"{file.message_id}: sent.")
                sent += 1
            click.echo(f"{sent} {'file' if sent == 1 else 'files'} sent.")
        except (OSError, Refused) as problem:
            session.rollback()
            raise click.ClickException(f"Nothing more was sent: {problem}") from problem
        finally:
            session.remove()


def _content(file: PaymentFile) -> str:
    total = sum(order.amount for order in file.orders)
    return f"{len(file.orders)} payments, {total} minor units of {file.bank_account.currency},"


@payments.command()
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read from this folder instead of PORTAL_BANK_PICKUP_DIR.",
)
def poll(folder: Path | None, data: Path | None) -> None:
    """Read what the bank put into its folder: answers, notifications, statements, returns.

    Files that were taken in move to `done`, others to `refused` with the reason beside them; the
    lines of statements are booked.
    """
    settings = load_settings(data_dir=data)
    count = refused = 0
    with database(settings):
        connect_stores(settings)
        place = folder or bank.pickup_folder()
        if place is None:
            raise click.ClickException("Set PORTAL_BANK_PICKUP_DIR, or name a folder with --from.")
        try:
            for read in exchange.poll(place):
                count += 1
                refused += read.received is None
                for line in _told(read):
                    click.echo(line)
            booked = list(exchange.book_all())
        finally:
            session.remove()
    if not count:
        click.echo("The folder holds nothing new.")
    if booked:
        lines = sum(each.booked for each in booked)
        suspended = sum(each.suspended for each in booked)
        click.echo(f"{lines} lines booked, {suspended} in suspense.")
    if refused:
        what = "file was" if refused == 1 else "files were"
        raise click.ClickException(f"{refused} {what} refused; nothing of it was taken in.")


def _told(read: exchange.Read) -> list[str]:
    if read.received is None:
        return [f"{read.name}: refused. {read.refusal}"]
    found = read.received
    what = "was taken in before" if found.again else f"{found.told} taken in"
    lines = [f"{read.name}: {found.kind.value}, {what}."]
    return lines + [f"  left for a person: {sentence}" for sentence in found.left]
