"""The main rail: a file of credit transfers (pain.001) to the bank, answers by its messages.

Files are dropped into a folder that the bank's own software empties; without one a person of
treasury downloads them. A file is written under a name of its own and then renamed, so that nobody
ever picks up half of it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from portal.core.i18n import _
from portal.payments.iso20022 import write_pain001
from portal.payments.rails.base import Answer, Leaving, sound


@dataclass
class _Folders:
    """Where files leave and answers arrive; set once at start."""

    drop: Path | None = None
    pickup: Path | None = None


_folders = _Folders()


def configure(drop: Path | None, pickup: Path | None) -> None:
    """Leave files in `drop` and read answers from `pickup`; called once at start."""
    _folders.drop, _folders.pickup = drop, pickup


def drop_folder() -> Path | None:
    """Return where files leave; None where a person downloads them."""
    return _folders.drop


def pickup_folder() -> Path | None:
    """Return where answers arrive; None where a person uploads them."""
    return _folders.pickup


def _unseen(reference: str, content: bytes) -> Path:
    """Write a file into the folder under a name that the bank passes over. Raises OSError."""
    if _folders.drop is None:
        raise OSError("no folder is set where the bank takes files")
    draft = _folders.drop / f".{reference}.{os.getpid()}.part"
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return draft


@dataclass(frozen=True)
class BankRail:
    """Released orders leave together in a file; the bank answers in messages of its own."""

    name: str = "bank"
    leaving: Leaving = Leaving.IN_A_FILE

    @property
    def label(self) -> str:
        """The way of payment, as a page names it."""
        return _("Bank transfer")

    def prepare(self, context: Mapping[str, Any]) -> bytes:
        """Return a payment file, from the arguments of `iso20022.write_pain001`."""
        return write_pain001(**context)

    def submit(self, reference: str, content: bytes) -> None:
        """Put a file where the bank takes it. The same file again replaces itself.

        Raises OSError where the folder cannot be written: nothing is known to have left.
        """
        draft = _unseen(reference, content)
        draft.rename(draft.with_name(f"{reference}.xml"))

    def prove(self, reference: str, content: bytes) -> None:
        """Show that a file can be put where the bank takes it, and leave nothing there.

        Raises OSError where the folder cannot be written.
        """
        _unseen(reference, content).unlink()

    def ingest(self, said: Answer, *, released_on: date) -> Answer:
        """Return what a person learned from the bank in writing, cleaned. Raises Refused."""
        return sound(said, released_on=released_on)


BANK = BankRail()
