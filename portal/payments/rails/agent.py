"""The rail of payments made by a country office: an instruction out, a confirmation in (R24)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.core import clock, templating
from portal.core.i18n import _
from portal.payments.rails.base import Answer, Leaving, sound


@dataclass(frozen=True)
class AgentRail:
    """A person at the paying agent reads the instruction, pays, and says so."""

    name: str = "agent"
    leaving: Leaving = Leaving.BY_HAND

    @property
    def label(self) -> str:
        """The way of payment, as a page names it."""
        return _("Paying agent")

    def prepare(self, context: Mapping[str, Any]) -> bytes:
        """Return the instruction as PDF, from the order, its payee and its signatures."""
        return templating.document("payment_instruction", dated=clock.today(), **context)

    def submit(self, reference: str, content: bytes) -> None:
        """Nothing is sent by machine: a person hands the kept instruction to the agent."""

    def ingest(self, said: Answer, *, released_on: date) -> Answer:
        """Return what a person typed of the agent's answer, cleaned. Raises Refused."""
        return sound(said, released_on=released_on)


AGENT = AgentRail()
