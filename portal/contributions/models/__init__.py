"""Tables of donors, of what they promised and signed, and of the money that arrived.

Every amount is in minor units of its currency; what is called `…_usd` is in US cents. Triggers
hold the sums, the order of statuses and the four eyes; what happened is never edited or removed.
"""

from portal.contributions.models.agreements import (
    OPEN_AGREEMENT,
    AgreementAction,
    AgreementInstalment,
    AgreementStatus,
    ContributionAgreement,
    Pledge,
    PledgeAction,
    PledgeStatus,
)
from portal.contributions.models.donors import Donor, DonorKind, Earmark
from portal.contributions.models.money import (
    Contribution,
    ContributionDispute,
    ContributionReceipt,
    ContributionRefund,
    ContributionStatus,
    DisputeStatus,
    Means,
)

__all__ = [
    "OPEN_AGREEMENT",
    "AgreementAction",
    "AgreementInstalment",
    "AgreementStatus",
    "Contribution",
    "ContributionAgreement",
    "ContributionDispute",
    "ContributionReceipt",
    "ContributionRefund",
    "ContributionStatus",
    "DisputeStatus",
    "Donor",
    "DonorKind",
    "Earmark",
    "Means",
    "Pledge",
    "PledgeAction",
    "PledgeStatus",
]
