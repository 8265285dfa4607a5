"""Ways on which money leaves. Every rail prepares, submits, and tells what became of it.

One rail stands so far: the paying agent (R24), where the portal issues an instruction and a
person records the confirmation.
"""

from collections.abc import Mapping

from portal.payments.rails.agent import AGENT, AgentRail
from portal.payments.rails.base import Answer, Outcome, Rail

RAILS: Mapping[str, Rail] = {AGENT.name: AGENT}
"""Every rail by the code that orders carry."""

__all__ = ["AGENT", "RAILS", "AgentRail", "Answer", "Outcome", "Rail"]
