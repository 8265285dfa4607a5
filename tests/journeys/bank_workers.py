"""Workers that write payment files and send them, and die in the middle of it, again and again.

    python -m tests.journeys.bank_workers --data DIR --seed 7

One process loads the portal and forks the workers; each dies by itself at any of the points below
with the chance given, and another takes its place until nothing waits. The points are put around
the product's functions here: the product knows nothing of them. Prints one line for each death.
"""

import argparse
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from portal.app import connect_stores
from portal.core.config import load_settings
from portal.core.db import session
from portal.core.text import new_ref
from portal.payments import exchange
from portal.payments.models import FileStatus, OrderStatus, PaymentFile, PaymentOrder
from portal.payments.rails.bank import BankRail
from portal.payments.service import gathering, sending

CLAIMED = "claimed, not committed"
KEPT = "kept, not sent"
SENT = "sent, not written down"
BOOKED = "booked, not committed"
DONE = "all committed"
POINTS = (CLAIMED, KEPT, SENT, BOOKED, DONE)

FRESH_MESSAGE = "fresh-message-id"
"""The mistake to try: each attempt at sending has a MsgId of its own."""

PAUSE_SECONDS = 0.01


class Fate:
    """Decides where a worker dies: the same for the same seed, worker and life."""

    def __init__(self, seed: str, chance: float) -> None:
        self.dice, self.chance = Random(seed), chance  # noqa: S311 — no secret

    def at(self, point: str, chance: float | None = None) -> None:
        """End this process at once, perhaps: by the kernel's hand or by its own."""
        if self.dice.random() >= (self.chance if chance is None else chance):
            return
        os.write(1, f"{point}\n".encode())
        if self.dice.random() < 1 / 2:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(9)


def work(options: argparse.Namespace, number: int, life: int) -> None:
    """Gather and send until nothing waits, or until death."""
    connect_stores(load_settings(data_dir=options.data))
    fate = Fate(f"{options.seed}:{number}:{life}", options.chance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "MOST_PER_FILE", 1)
        patch.setattr("portal.payments.exchange.gather", _then(gathering.gather, fate, CLAIMED))
        patch.setattr(BankRail, "submit", _submitting(fate, options.mistake))
        patch.setattr("portal.payments.exchange.send_next", _then(sending.send_next, fate, BOOKED))
        while _waits():
            for _file in exchange.gather_all():
                pass
            for _file in exchange.send_all():
                fate.at(DONE, fate.chance / 2)
            time.sleep(PAUSE_SECONDS)


def _then(verb: Callable[[], Any], fate: Fate, point: str) -> Callable[[], Any]:
    """Return `verb`, after whose work the worker may die; `BOOKED` and `DONE` share a chance."""

    def acted() -> Any:
        done = verb()
        if done is not None:
            fate.at(point, fate.chance / 2 if point == BOOKED else None)
        return done

    return acted


def _submitting(fate: Fate, mistake: str) -> Callable[[BankRail, str, bytes], None]:
    submit = BankRail.submit

    def sent(rail: BankRail, reference: str, content: bytes) -> None:
        fate.at(KEPT)
        if mistake == FRESH_MESSAGE:
            fresh = f"VFP-{new_ref()}"
            content = content.replace(reference.encode(), fresh.encode())
            reference = fresh
        submit(rail, reference, content)
        fate.at(SENT)

    return sent


def _waits() -> bool:
    unfiled = select(PaymentOrder.id).where(
        PaymentOrder.status == OrderStatus.RELEASED, PaymentOrder.file_id.is_(None)
    )
    unsent = select(PaymentFile.id).where(PaymentFile.status == FileStatus.KEPT)
    found = any(session.scalar(rows.limit(1)) is not None for rows in (unfiled, unsent))
    session.rollback()
    return found


def _born(options: argparse.Namespace, number: int, life: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work(options, number, life)
    except BaseException:
        os.write(2, b"a worker failed\n")
        raise
    os._exit(0)


def main() -> None:
    """Keep as many workers alive as were asked for, until each ended by itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--chance", type=float, default=0.25)
    parser.add_argument("--mistake", default="")
    options = parser.parse_args()
    alive = {_born(options, number, 0): (number, 0) for number in range(options.workers)}
    while alive:
        child, status = os.wait()
        number, life = alive.pop(child)
        if os.waitstatus_to_exitcode(status) in {-signal.SIGKILL, 9}:
            alive[_born(options, number, life + 1)] = (number, life + 1)


if __name__ == "__main__":
    main()
