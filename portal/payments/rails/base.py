"""What every way of paying does: prepare, submit, and tell what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from portal.core import clock
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused

MOST_WORDS = 1000
MOST_REFERENCE = 80


class Outcome(StrEnum):
    """What became of a payment that left. Unknown is none of these: one keeps waiting."""

    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"


class Leaving(StrEnum):
    """How what was prepared leaves, once the release is committed."""

    BY_HAND = "by_hand"
    """A person takes the instruction of one order to the agent."""
    IN_A_FILE = "in_a_file"
    """Released orders are gathered into a file, which goes to the bank."""
    BY_THE_WORKER = "by_the_worker"
    """The worker makes the call of one order, with the bytes that were kept."""


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

    @property
    def label(self) -> str:
        """The way of payment, as a page names it."""

    @property
    def leaving(self) -> Leaving:
        """How what was prepared leaves."""

    def prepare(self, context: Mapping[str, Any]) -> bytes:
        """Return what tells the other side to pay, from the order, its payee and signatures."""

    def submit(self, reference: str, content: bytes) -> None:
        """Send what was prepared, under the reference of the order or file."""

    def ingest(self, said: Answer, *, released_on: date) -> Answer:
        """Return the answer once it was found sound. Raises Refused."""


def sound(said: Answer, *, released_on: date) -> Answer:
    """Return what a person typed of an answer, cleaned.

    Raises Refused without a reference (paid) or a reason (not paid), or for a day that cannot be:
    in the future, or before the release.
    """
    found = replace(
        said, reference=normalise(said.reference).strip(), remark=normalise(said.remark).strip()
    )
    if len(found.reference) > MOST_REFERENCE or len(found.remark) > MOST_WORDS:
        raise Refused(_("This is too long: say it in fewer words."), rule="R24")
    if found.outcome is Outcome.SETTLED and not found.reference:
        raise Refused(_("Give the reference of whoever paid."), rule="R24")
    if found.outcome is not Outcome.SETTLED and not found.remark:
        raise Refused(_("Say why the payment did not reach the grantee."), rule="R24")
    if found.on > clock.today():
        raise Refused(_("The day is in the future."), rule="R24")
    if found.on < released_on:
        raise Refused(_("The day is before the order was released."), rule="R24")
    return found
