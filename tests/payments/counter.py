"""Days at the bank: the independent bank and the portal's clock go on together.

The bank opens on a Monday to come at nine, so that whatever was made before is in its past.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from portal.core import clock
from portal.payments import exchange
from portal.payments.models import PaymentFile
from portal.payments.rails import bank as rail
from tests.payments.bank import OURS, Bank, running

OPENS = time(9, tzinfo=UTC)
WEEK = 7


def next_monday() -> datetime:
    """Return the Monday after today, at the hour when the bank opens."""
    today = datetime.now(UTC).date()
    return datetime.combine(today + timedelta(days=WEEK - today.weekday()), OPENS)


@dataclass
class Counter:
    """The bank, its folders known to the portal, and the day that it is for both."""

    bank: Bank
    now: datetime
    held: ExitStack

    def send(self) -> list[PaymentFile]:
        """Write what was released into files, send them, and let the bank read them."""
        for _file in exchange.gather_all():
            pass
        files = list(exchange.send_all())
        self.bank.scan()
        return files

    def answers(self) -> list[exchange.Read]:
        """Take in what the bank has put into its folder; statements of others are refused."""
        return list(exchange.poll(self.bank.pickup))

    def next_day(self, days: int = 1) -> None:
        """Let calendar days pass, for the bank and for the portal."""
        self.bank.advance(days)
        self.now += timedelta(days=days)
        self.held.enter_context(clock.at(self.now + timedelta(hours=1)))


@contextmanager
def opened(folder: Path, currency: str = "USD", balance: int | None = None) -> Iterator[Counter]:
    """Open a bank whose first account is the fund's, in `currency`, and hold the clock there.

    `balance` is what that account holds, in minor units; the bank's own example unless told.
    """
    start = next_monday()
    with running(folder, start.strftime("%Y-%m-%dT%H:%M")) as bank, ExitStack() as held:
        held.enter_context(clock.at(start + timedelta(hours=1)))
        bank.patch(OURS, currency=currency, **({} if balance is None else {"balance": balance}))
        for other in set(bank.accounts()) - {OURS}:
            bank.patch(other, closed=True)
        rail.configure(bank.drop, bank.pickup)
        held.callback(rail.configure, None, None)
        yield Counter(bank, start, held)
