"""`portal bench money`: what must not become slow, measured as ratios within one run.

Everything happens in a database of its own, which is deleted afterwards; nothing of the portal's
own data is read or written. Absolute times say more about the machine than about the portal.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from portal.cli.bench import position, statements
from portal.cli.database import load_funds
from portal.core import embedded
from portal.core import migrate as migrations
from portal.core.config import Settings, load_settings

MOST_FOR_POSITION = 2.0
"""A position at many entries takes at most so many times what it takes at few."""
MOST_FOR_STATEMENT = 4.0
"""Importing and matching a statement takes at most so many times what pycamt takes to read it."""
MOST_FOR_MEMORY = 1.0
"""The peak of memory grows by at most so many times what the file grew by."""
SEVERAL = click.IntRange(min=2)


@click.group()
def bench() -> None:
    """Measure, in a scratch database: money."""


@bench.command()
@click.option("--entries", type=(SEVERAL, SEVERAL), default=(10_000, 1_000_000), show_default=True)
@click.option("--lines", type=(SEVERAL, SEVERAL), default=(1_000, 10_000), show_default=True)
@click.option(
    "--opens", type=SEVERAL, default=15, show_default=True, help="How often it is opened."
)
def money(entries: tuple[int, int], lines: tuple[int, int], opens: int, data: Path | None) -> None:
    """Measure the fund position at few and many entries, and a short and a long statement.

    Exits 1 when a ratio is above its limit. `--data` says where the scratch database lies.
    """
    with scratch(data) as settings:
        held = [*_position(settings, *entries, opens), *_statements(settings, *lines)]
    if not all(held):
        sys.exit(1)


@contextmanager
def scratch(within: Path | None) -> Iterator[Settings]:
    """Give the settings of a portal of its own, with the funds and nothing else in it."""
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-", dir=within))
    folder.chmod(0o711)
    try:
        url = embedded.start(folder, durable=False)
        migrations.upgrade(url)
        settings = load_settings(database_url=url, data_dir=folder, demo=True)
        load_funds(settings)
        yield settings
    finally:
        embedded.remove(folder)
        shutil.rmtree(folder)


def _position(settings: Settings, few: int, many: int, opens: int) -> Iterator[bool]:
    """Fill the books twice and open the page each time; yield whether the ratio holds."""
    page = position.page_of(settings)
    seconds = []
    for count in (few, many):
        position.fill(count)
        seconds.append(position.median_seconds(page, opens))
        click.echo(
            f"fund position at {count:,} entries: {seconds[-1] * 1000:.1f} ms (median of {opens})"
        )
    yield told("fund position", seconds[1] / seconds[0], MOST_FOR_POSITION)


def _statements(settings: Settings, few: int, many: int) -> Iterator[bool]:
    """Import a short and a long statement, and let pycamt read the long one."""
    short, long = statements.files(settings, few, many)
    taken = []
    for file in (short, long):
        taken.append(statements.taken_in(settings, file))
        click.echo(
            f"statement of {file.lines:,} lines: imported and matched in "
            f"{taken[-1].seconds:.2f} s, at most {taken[-1].peak / 1e6:.0f} MB of memory"
        )
    grown = long.size - short.size
    yield told(
        "memory for a longer statement, by its bytes",
        (taken[1].peak - taken[0].peak) / grown,
        MOST_FOR_MEMORY,
    )
    judge = statements.read_by_pycamt(long)
    if judge is None:
        click.echo("pycamt is not installed, so nothing was compared: pip install -e '.[dev]'")
        return
    click.echo(f"statement of {long.lines:,} lines: only read by pycamt in {judge:.2f} s")
    yield told("statement, by pycamt's time", taken[1].seconds / judge, MOST_FOR_STATEMENT)


def told(name: str, ratio: float, most: float) -> bool:
    """Print one ratio, and return whether it is within its limit."""
    word = "ok" if ratio <= most else "TOO MUCH"
    click.echo(f"{word:<9}{ratio:6.2f}  {name} (at most {most:g})")
    return ratio <= most
