"""`portal pretend-bank …`: play the bank of the demonstration from the command line."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from portal.app import connect_stores
from portal.cli.database import database, existing
from portal.core.db import session
from portal.core.money import BadAmount, Money
from portal.demo import bank, story
from portal.payments.models import PaymentOrder
from portal.payments.service.bank_messages import Received
from portal.payments.ways import paying_account


@click.group("pretend-bank")
def pretend_bank() -> None:
    """Play the bank of the demonstration: accept, settle, reject, return, correct, credit."""


@contextmanager
def _demonstration(data: Path | None) -> Iterator[None]:
    """Open the database of a demonstration. Raises ClickException for any other."""
    settings = existing(data, demo=True)
    with database(settings):
        connect_stores(settings)
        try:
            if not story.was_told():
                raise click.ClickException("The pretend bank works in the demonstration only.")
            yield
            session.commit()
        finally:
            session.remove()


Act = Callable[[Sequence[PaymentOrder]], list[Received]]


def _do(act: Act, references: Sequence[str], data: Path | None) -> None:
    with _demonstration(data):
        found = bank.in_hand()
        known = {order.ref: order for order in found}
        strangers = [ref for ref in references if ref not in known]
        if strangers:
            raise click.ClickException(f"The bank has no payment {', '.join(strangers)}.")
        _say(act([known[ref] for ref in references] or found.waiting))


def _say(told: Iterable[Received]) -> None:
    for each in told:
        click.echo(f"{each.kind.value} {each.message_id}: {each.told} taken in.")
        for sentence in each.left:
            click.echo(f"  left for a person: {sentence}")


REFERENCES = click.argument("references", nargs=-1)


@pretend_bank.command()
@REFERENCES
def accept(references: tuple[str, ...], data: Path | None) -> None:
    """Say that payments will be made: all that it has, unless REFERENCES name some."""
    _do(bank.accept, references, data)


@pretend_bank.command()
@REFERENCES
def settle(references: tuple[str, ...], data: Path | None) -> None:
    """Make payments, and send statements: all that it has, unless REFERENCES name some.

    What it had refused is paid all the same where REFERENCES name it.
    """
    _do(bank.settle, references, data)


@pretend_bank.command()
@click.argument("references", nargs=-1, required=True)
def reject(references: tuple[str, ...], data: Path | None) -> None:
    """Refuse the payments REFERENCES: the account is closed."""
    _do(bank.reject, references, data)


@pretend_bank.command("return")
@click.argument("references", nargs=-1, required=True)
def return_(references: tuple[str, ...], data: Path | None) -> None:
    """Give the payments REFERENCES back after they were made."""
    _do(bank.return_payments, references, data)


@pretend_bank.command()
@click.argument("references", nargs=-1, required=True)
def correct(references: tuple[str, ...], data: Path | None) -> None:
    """Take back the debits of REFERENCES, which were a mistake of the bank."""
    _do(bank.correct, references, data)


@pretend_bank.command()
@click.argument("fund")
@click.argument("amount")
@click.option("--payer", default="A donor", show_default=True, help="Who pays.")
@click.option("--text", default="", help="What they write, such as a reference.")
def credit(fund: str, amount: str, payer: str, text: str, data: Path | None) -> None:
    """Let AMOUNT (US$) arrive on the account of FUND."""
    with _demonstration(data):
        account = paying_account(fund)
        if account is None:
            raise click.ClickException(f"The fund {fund} has no account in use.")
        try:
            money = Money.parse(amount, account.currency)
        except BadAmount as bad:
            raise click.ClickException(bad.sentence) from bad
        _say([bank.credit(account, money, payer, text)])
