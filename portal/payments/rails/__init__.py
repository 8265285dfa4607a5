"""Ways on which money leaves. Every rail prepares, submits, and tells what became of it.

The bank's file is the main one; the paying agent (R24) pays on an instruction that the portal
issues, and a person records the confirmation; the card processor pays in the countries that a
setting names.
"""

from collections.abc import Mapping

from portal.payments.rails.agent import AGENT, AgentRail
from portal.payments.rails.bank import BANK, BankRail
from portal.payments.rails.base import Answer, Leaving, Outcome, Rail
from portal.payments.rails.stripe import STRIPE, StripeRail

RAILS: Mapping[str, Rail] = {rail.name: rail for rail in (AGENT, BANK, STRIPE)}
"""Every rail by the code that orders carry."""

__all__ = [
    "AGENT",
    "BANK",
    "RAILS",
    "STRIPE",
    "AgentRail",
    "Answer",
    "BankRail",
    "Leaving",
    "Outcome",
    "Rail",
    "StripeRail",
]
