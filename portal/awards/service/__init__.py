"""The verbs of awards: from the decision to a signed agreement, and what may befall a grant."""

from portal.awards.service.agreeing import accept, countersign, decline, issue_agreement
from portal.awards.service.offering import highest, offer, revise_budget
from portal.awards.service.standing import cancel, resume, suspend, terminate

__all__ = [
    "accept",
    "cancel",
    "countersign",
    "decline",
    "highest",
    "issue_agreement",
    "offer",
    "resume",
    "revise_budget",
    "suspend",
    "terminate",
]
