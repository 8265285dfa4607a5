"""The rail of payments made by a country office: an instruction out, a confirmation in (R24)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.core import clock, templating
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.payments.rails.base import Answer, Outcome

MOST_WORDS = 1000
MOST_REFERENCE = 80


@dataclass(frozen=True)
class AgentRail:
    """A person at the paying agent reads the instruction, pays, and says so."""

    name: str = "agent"

    def prepare(self, context: Mapping[str, Any]) -> bytes:
        """Return the instruction as PDF, from the order, its payee and its signatures."""
        return templating.document("payment_instruction", dated=clock.today(), **context)

    def submit(self, reference: str, content: bytes) -> None:
        """Nothing is sent by machine: a person hands the kept instruction to the agent."""

    def ingest(self, said: Answer, *, released_on: date) -> Answer:
        """Return what a person typed of the agent's answer, cleaned.

        Raises Refused without a reference (paid) or a reason (not paid), or for a day that cannot
        be: in the future, or before the release.
        """
        found = replace(
            said, reference=normalise(said.reference).strip(), remark=normalise(said.remark).strip()
        )
        if len(found.reference) > MOST_REFERENCE or len(found.remark) > MOST_WORDS:
            raise Refused(_("This is too long: say it in fewer words."), rule="R24")
        if found.outcome is Outcome.SETTLED and not found.reference:
            raise Refused(_("Give the paying agent's reference."), rule="R24")
        if found.outcome is not Outcome.SETTLED and not found.remark:
            raise Refused(_("Say why the payment did not reach the grantee."), rule="R24")
        if found.on > clock.today():
            raise Refused(_("The day is in the future."), rule="R24")
        if found.on < released_on:
            raise Refused(_("The day is before the order was released."), rule="R24")
        return found


AGENT = AgentRail()
