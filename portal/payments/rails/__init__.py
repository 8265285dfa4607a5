"""Ways on which money leaves. Every rail prepares, submits, and tells what became of it.

One rail stands so far: the paying agent (R24), where the portal issues an instruction and a
person records the confirmation.
"""

from portal.payments.rails.agent import AGENT, AgentRail

__all__ = ["AGENT", "AgentRail"]
