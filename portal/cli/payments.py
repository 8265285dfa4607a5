"""`portal payments send` and `portal payments poll`: files to the bank, and its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.cli.demo import bank_folders
from portal.cli.importing import end_for_unbooked, told_booked, told_unbooked
from portal.core.db import session
from portal.core.i18n import ngettext
from portal.core.money import Money, format_money
from portal.core.workflow import Refused
from portal.demo import story
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
    with _bank(data):
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
            click.echo(ngettext("%(num)d file sent.", "%(num)d files sent.", sent))
        except (OSError, Refused) as problem:
            session.rollback()
            raise click.ClickException(f"Nothing more was sent: {problem}") from problem
        finally:
            session.remove()


@contextmanager
def _bank(data: Path | None) -> Iterator[None]:
    """Open the database, and know the folders of the bank: a demonstration has its own."""
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        if story.was_told():
            drop, pickup = bank_folders(settings)
            pickup.mkdir(parents=True, exist_ok=True)
            bank.configure(settings.bank_drop_dir or drop, settings.bank_pickup_dir or pickup)
        yield


def _content(file: PaymentFile) -> str:
    total = Money(sum(order.amount for order in file.orders), file.bank_account.currency)
    payments = ngettext("%(num)d payment", "%(num)d payments", len(file.orders))
    return f"{payments}, {format_money(total)},"


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
    lines of statements are booked. Exits 1 when a file was refused, else 3 when a line could not
    be booked.
    """
    count = refused = 0
    with _bank(data):
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
            stuck = [told_unbooked(line) for line in exchange.unbooked()]
        finally:
            session.remove()
    if not count:
        click.echo("The folder holds nothing new.")
    if booked:
        click.echo(f"{told_booked(booked)}.")
    if refused:
        raise click.ClickException(
            ngettext(
                "%(num)d file was refused; nothing of it was taken in.",
                "%(num)d files were refused; nothing of them was taken in.",
                refused,
            )
        )
    end_for_unbooked(stuck)


def _told(read: exchange.Read) -> list[str]:
    if read.received is None:
        return [f"{read.name}: refused. {read.refusal}"]
    found = read.received
    what = "was taken in before" if found.again else f"{found.told} taken in"
    lines = [f"{read.name}: {found.kind.value}, {what}."]
    return lines + [f"  left for a person: {sentence}" for sentence in found.left]
