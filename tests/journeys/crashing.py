"""Workers that die beside a bank that does not: what was paid, as the bank itself says it."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from portal.core.config import ROOT
from portal.core.db import session
from portal.payments.models import OrderStatus, PaymentOrder
from tests.journeys.bank_workers import POINTS
from tests.payments.bank import OURS, Bank
from tests.payments.counter import Counter as BankCounter
from tests.payments.counter import opened

BETWEEN_LOOKS = 0.1
"""How many seconds the bank lets pass before it looks into its folder again."""

BANK_OPENS_WITH = 50_000_000
"""What stands on the account as the bank opens, in cents: what the books of the fund hold."""


@contextmanager
def bank_of(folder: Path) -> Iterator[BankCounter]:
    """Open a bank that holds what the fund's books say, and hold the clock there."""
    with opened(folder) as counter:
        counter.bank.patch(OURS, balance=BANK_OPENS_WITH)
        yield counter


def crashed_through(
    counter: BankCounter, url: str, data: Path, *, seed: int, mistake: str = ""
) -> Counter[str]:
    """Let six workers send what was released, dying on the way; return where how many died.

    The bank looks into its folder all the while, and once more at the end.
    """
    command = [sys.executable, "-m", "tests.journeys.bank_workers", "--data", str(data)]
    command += ["--seed", str(seed), "--mistake", mistake]
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "PORTAL_DEMO": "true",
        "PORTAL_BANK_DROP_DIR": str(counter.bank.drop),
    }
    with (counter.bank.drop.parent / "workers.log").open("wb+") as log:
        workers = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            while workers.poll() is None:
                counter.bank.scan()
                time.sleep(BETWEEN_LOOKS)
        finally:
            workers.kill()
            workers.wait()
        log.seek(0)
        said = log.read().decode().splitlines()
    counter.bank.scan()
    assert workers.returncode == 0, said
    deaths = Counter(said)
    assert set(deaths) <= set(POINTS), said
    return deaths


def debits(bank: Bank) -> Counter[str]:
    """Return how often the bank paid each payment, by EndToEndId."""
    return Counter(row["end_to_end_id"] for row in bank.payments() if row["status"] != "rejected")


def each_is_debited_at_most_once(bank: Bank) -> None:
    """Demand of the bank, which no book of ours can stand in for, that it paid nothing twice."""
    twice = {ref: times for ref, times in debits(bank).items() if times > 1}
    assert twice == {}, f"the bank paid twice: {twice}"


def orders_at(status: OrderStatus) -> list[str]:
    """Return the references of the orders at `status`, as the database has them."""
    session.rollback()
    return list(session.scalars(select(PaymentOrder.ref).where(PaymentOrder.status == status)))


def bank_and_books_agree(counter: BankCounter, refs: Sequence[str], booked: int) -> None:
    """Demand the same payments, and the same money, of the bank and of the books.

    `booked` is what the books say the account holds, in cents.
    """
    assert set(debits(counter.bank)) == set(refs) == set(orders_at(OrderStatus.CONFIRMED))
    paid = sum(row["amount"] for row in counter.bank.payments() if row["status"] != "rejected")
    assert booked == BANK_OPENS_WITH - paid == counter.bank.accounts()[OURS]["balance"]
