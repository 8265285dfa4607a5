"""`portal import rates FILE` and `portal import statement FILE`: what comes in from files.

A file is taken whole or not at all; where it is refused, each faulty row is named.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.core.db import session
from portal.core.i18n import ngettext
from portal.core.money import format_money
from portal.core.workflow import Refused
from portal.ledger.rules import MOST_CHANGE_PERCENT
from portal.ledger.unore import SOURCE, BadRates, LargeChanges, import_rates
from portal.payments import exchange
from portal.payments.statements.models import StatementLine
from portal.payments.statements.rules import Unsound, named
from portal.payments.statements.service import Booked, Imported, import_statement

UNBOOKED = 3
"""The exit code where a statement was taken in, and lines of the bank could not be booked."""

CONFIRM = (
    f"A change of more than {MOST_CHANGE_PERCENT} %, and the first rate of a currency, have to be "
    "confirmed. Compare these rows with the UN’s own page; if they are right, run the command "
    "again with --confirm-changes."
)


@click.group("import")
def import_() -> None:
    """Take in a file: rates of exchange, a statement of the bank."""


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--source",
    default=SOURCE,
    show_default=True,
    help="The name under which they are kept: UNORE-revised for corrections, "
    "UNORE-approximate for figures that pages call approximate.",
)
@click.option(
    "--confirm-changes",
    is_flag=True,
    help=f"Take rates that differ by more than {MOST_CHANGE_PERCENT} % from the ones before or "
    "after them, and first rates of a currency.",
)
def rates(file: Path, source: str, confirm_changes: bool, data: Path | None) -> None:  # noqa: FBT001
    """Import the UN operational rates of exchange from the UN's own XML file.

    The same file again adds nothing; a rate that is already kept is never rewritten. Rates far
    from the ones before or after them are named, and so is the first rate of a currency once any
    rates are kept: they are taken only if you confirm the changes.
    """
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        try:
            done = import_rates(
                file.read_bytes(), by=None, source=source, confirmed=confirm_changes
            )
            session.commit()
        except LargeChanges as large:
            raise click.ClickException(f"{_refusal(file, large)}\n{CONFIRM}") from large
        except BadRates as bad:
            raise click.ClickException(_refusal(file, bad)) from bad
        finally:
            session.remove()
    new = ngettext("%(num)d rate is new", "%(num)d rates are new", done.added)
    old = ngettext("%(num)d was there already", "%(num)d were there already", done.unchanged)
    click.echo(f"{new}, {old}.")


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def statement(file: Path, data: Path | None) -> None:
    """Import a statement of a fund's bank account (camt.053), and book its lines.

    The same file again changes nothing; a file with one fault changes nothing either. What nobody
    can match waits in suspense for a person. Exits 3 when lines could not be booked: they are
    named with the reason, are kept, and are tried again with the next statement.
    """
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        try:
            with file.open("rb") as stream:
                done = import_statement(stream, by=None)
            said = [_said(each) for each in done]
            session.commit()
            for line in said:
                click.echo(line)
            booked = list(exchange.book_all())
            stuck = [told_unbooked(line) for line in exchange.unbooked()]
        except Refused as refused:
            session.rollback()
            raise click.ClickException(_unsound(file, refused)) from refused
        finally:
            session.remove()
    click.echo(f"{told_booked(booked)}, {len(stuck)} still to be booked.")
    end_for_unbooked(stuck)


def told_booked(booked: Iterable[Booked]) -> str:
    """Return what became of lines of statements: how many were booked, how many suspended."""
    done = list(booked)
    lines = sum(each.booked for each in done)
    said = ngettext("%(num)d line booked", "%(num)d lines booked", lines)
    return f"{said}, {sum(each.suspended for each in done)} in suspense"


def told_unbooked(line: StatementLine) -> str:
    """Return which line could not be booked, of how much, and why."""
    amount = format_money(line.money)
    reason = line.note or "it was not tried yet."
    return f"{named(line.reference)} of {line.booked_on}, {amount}: {reason}"


def end_for_unbooked(stuck: Sequence[str]) -> None:
    """End the command with the lines that could not be booked, if there are such."""
    if stuck:
        click.echo("Could not be booked:", err=True)
        for line in stuck:
            click.echo(f"  {line}", err=True)
        sys.exit(UNBOOKED)


def _said(done: Imported) -> str:
    found = done.statement
    if done.again:
        return f"{named(found.statement_id)}: imported already, nothing changed."
    lines = ngettext("%(num)d line", "%(num)d lines", done.lines)
    return (
        f"{named(found.statement_id)} of {found.to_on}: {lines}, {done.matched} matched; "
        f"{format_money(found.opening_money)} to {format_money(found.closing_money)}."
    )


def _unsound(file: Path, refused: Refused) -> str:
    figures = refused.figures if isinstance(refused, Unsound) else ()
    rows = [f"  {name}: {value}" for name, value in figures]
    return "\n".join([f"Nothing was taken from {file.name}:", refused.sentence, *rows])


def _refusal(file: Path, bad: BadRates) -> str:
    return "\n".join([f"Nothing was taken from {file.name}:", *bad.sentences])
