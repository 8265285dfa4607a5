"""`portal import rates FILE` and `portal import statement FILE`: what comes in from files.

A file is taken whole or not at all; where it is refused, each faulty row is named.
"""

from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database
from portal.core.config import load_settings
from portal.core.db import session
from portal.core.money import format_money
from portal.core.workflow import Refused
from portal.ledger.rules import MOST_CHANGE_PERCENT
from portal.ledger.unore import SOURCE, BadRates, LargeChanges, import_rates
from portal.payments import exchange
from portal.payments.statements.rules import Unsound
from portal.payments.statements.service import Imported, import_statement, waiting

CONFIRM = (
    f"A change of more than {MOST_CHANGE_PERCENT} % has to be confirmed. Compare these rows with "
    "the UN’s own page; if they are right, run the command again with --confirm-changes."
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
    help=f"Take rates that differ by more than {MOST_CHANGE_PERCENT} % from the ones before them.",
)
def rates(file: Path, source: str, confirm_changes: bool, data: Path | None) -> None:  # noqa: FBT001
    """Import the UN operational rates of exchange from the UN's own XML file.

    The same file again adds nothing; a rate that is already kept is never rewritten. Rates far
    from the ones before them are named, and taken only if you confirm the changes.
    """
    settings = load_settings(data_dir=data)
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
    click.echo(f"{done.added} rates are new, {done.unchanged} were there already.")


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def statement(file: Path, data: Path | None) -> None:
    """Import a statement of a fund's bank account (camt.053), and book its lines.

    The same file again changes nothing; a file with one fault changes nothing either. What nobody
    can match waits in suspense for a person.
    """
    settings = load_settings(data_dir=data)
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
            stuck = waiting()
        except Refused as refused:
            session.rollback()
            raise click.ClickException(_unsound(file, refused)) from refused
        finally:
            session.remove()
    click.echo(
        f"{sum(each.booked for each in booked)} lines booked, "
        f"{sum(each.suspended for each in booked)} in suspense, {stuck} still to be booked."
    )


def _said(done: Imported) -> str:
    found = done.statement
    if done.again:
        return f"{found.statement_id}: imported already, nothing changed."
    return (
        f"{found.statement_id} of {found.to_on}: {done.lines} lines, {done.matched} matched; "
        f"{format_money(found.opening_money)} to {format_money(found.closing_money)}."
    )


def _unsound(file: Path, refused: Refused) -> str:
    figures = refused.figures if isinstance(refused, Unsound) else ()
    rows = [f"  {name}: {value}" for name, value in figures]
    return "\n".join([f"Nothing was taken from {file.name}:", refused.sentence, *rows])


def _refusal(file: Path, bad: BadRates) -> str:
    return "\n".join([f"Nothing was taken from {file.name}:", *bad.sentences])
