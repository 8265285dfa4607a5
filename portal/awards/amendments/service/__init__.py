"""The verbs of amendments: ask, propose, accept, countersign, decline, withdraw."""

from portal.awards.amendments.service.asking import ask, decline, withdraw
from portal.awards.amendments.service.proposing import propose
from portal.awards.amendments.service.signing import accept, countersign

__all__ = ["accept", "ask", "countersign", "decline", "propose", "withdraw"]
