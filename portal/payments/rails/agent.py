"""The rail of payments made by a country office: an instruction out, a confirmation in (R24)."""

from dataclasses import dataclass
from typing import Any

from portal.core import clock, templating


@dataclass(frozen=True)
class AgentRail:
    """A person at the paying agent reads the instruction, pays, and says so."""

    name: str = "agent"

    def prepare(self, context: dict[str, Any]) -> bytes:
        """Return the instruction as PDF, from the order, its payee and its signatures."""
        return templating.document("payment_instruction", dated=clock.today(), **context)


AGENT = AgentRail()
