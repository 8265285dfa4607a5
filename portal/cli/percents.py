"""`portal set-percent`: what a fund charges as support costs, and keeps as its reserve."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.core.db import session
from portal.core.text import plain
from portal.funds import queries as funds
from portal.ledger import queries as ledger
from portal.ledger.models import PercentKind
from portal.ledger.service import open_book, set_percent


@click.command("set-percent")
@click.argument("fund")
@click.argument("kind", type=click.Choice([kind.value for kind in PercentKind]))
@click.argument("percent")
@click.option(
    "--from",
    "from_day",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The day from which it holds, as 2026-01-01.",
)
def set_percent_of(
    fund: str, kind: str, percent: str, from_day: datetime, data: Path | None
) -> None:
    """Set a percentage of a fund from a day on; what held before stays as history.

    FUND is the fund's code, KIND what the percentage is of, PERCENT a number from 0 to 100 with at
    most two decimals. The same again changes nothing. Each change is in the audit.
    """
    settings = existing(data)
    with database(settings):
        connect_stores(settings)
        try:
            click.echo(_set(fund, PercentKind(kind), _number(percent), from_day))
            session.commit()
        finally:
            session.remove()


def _set(fund: str, kind: PercentKind, percent: Decimal, from_day: datetime) -> str:
    codes = sorted(each.code for each in funds.profiles())
    if fund not in codes:
        raise click.ClickException(f"No fund has the code “{fund}”: there are {', '.join(codes)}.")
    open_book(fund)
    day = from_day.date()
    before = ledger.percents(kind, day).get(fund)
    set_percent(fund, kind, percent, day, by=None)
    was = "none before" if before is None else f"{plain(before)} % before"
    return f"{fund}: {kind.label} {plain(percent)} % from {day} on ({was})."


def _number(typed: str) -> Decimal:
    try:
        return Decimal(typed)
    except InvalidOperation:
        raise click.ClickException(f"“{typed}” is no number: type 13, or 12.5.") from None
