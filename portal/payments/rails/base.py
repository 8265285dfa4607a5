"""What every way of paying does: prepare, submit, and tell what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class Outcome(StrEnum):
    """What became of a payment that left. Unknown is none of these: one keeps waiting."""

    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"


@dataclass(frozen=True)
class Answer:
    """What the other side said of one payment: on which day, under which reference, and why."""

    outcome: Outcome
    on: date
    reference: str = ""
    remark: str = ""


class Rail(Protocol):
    """One way on which money leaves.

    `prepare` returns the bytes that are kept before anything leaves; `submit` sends exactly those,
    as often as it is tried; `ingest` reads what came back.
    """

    @property
    def name(self) -> str:
        """The code that orders carry."""

    def prepare(self, context: Mapping[str, Any]) -> bytes:
        """Return what tells the other side to pay, from the order, its payee and signatures."""

    def submit(self, reference: str, content: bytes) -> None:
        """Send what was prepared, under the reference of the order."""

    def ingest(self, said: Answer, *, released_on: date) -> Answer:
        """Return the answer once it was found sound. Raises Refused."""
