"""The command line: `portal demo | migrate | serve | work | check | …`, as `portal --help` lists.

Every command takes `--data DIR`, and says what is wrong in one line.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.cli.bench import bench
from portal.cli.check import check
from portal.cli.database import migrate
from portal.cli.demo import demo
from portal.cli.exporting import export
from portal.cli.importing import import_
from portal.cli.payments import payments
from portal.cli.people import invite_admin
from portal.cli.percents import set_percent_of
from portal.cli.pretend_bank import pretend_bank
from portal.cli.run import serve, work
from portal.core.config import BadSettings
from portal.core.embedded import NoDatabase
from portal.core.workflow import Refused

COMMANDS = (
    demo,
    migrate,
    serve,
    work,
    check,
    invite_admin,
    import_,
    export,
    payments,
    set_percent_of,
    pretend_bank,
    bench,
)


class OneLine(click.Group):
    """A group of commands whose failures, where somebody can mend them, are one line."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an expected failure becomes its sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except (BadSettings, NoDatabase, Refused) as refused:
            raise click.ClickException(str(refused)) from refused
        except OperationalError as unreachable:
            reason = str(unreachable.orig).strip().splitlines()[0]
            raise click.ClickException(f"The database does not answer: {reason}") from unreachable
        except ProgrammingError as outdated:
            reason = str(outdated.orig).strip().splitlines()[0]
            raise click.ClickException(
                f"The database is not up to date ({reason}): run `portal migrate`."
            ) from outdated
        except OSError as refused:
            raise click.ClickException(f"{refused}.") from refused


def leaves(commands: Iterable[click.Command]) -> Iterator[click.Command]:
    """Return what can be run: the commands, and those of groups."""
    for command in commands:
        if isinstance(command, click.Group):
            yield from command.commands.values()
        else:
            yield command


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"]})
def portal() -> None:
    """Run the Voluntary Funds Portal: grants from the call to the closed file."""


for command in COMMANDS:
    portal.add_command(command)

for command in leaves(COMMANDS):
    command.params.append(
        click.Option(
            ["--data"],
            type=click.Path(file_okay=False, path_type=Path),
            help="Where the embedded database, the files and the secrets are.  [default: ./var]",
        )
    )


def main() -> None:
    """Be the program `portal`."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    portal()
