"""The acts of record of contributions in words, for histories and the audit."""

from babel.support import LazyProxy

from portal.core.i18n import _l

ACTS: dict[str, LazyProxy] = {
    "donor.recorded": _l("Donor recorded"),
    "donor.edited": _l("Details of a donor corrected"),
    "donor.merged": _l("Two rows of one donor joined"),
    "earmark.made": _l("Earmark made"),
    "earmark.retired": _l("Earmark offered no more"),
    "pledge.announced": _l("Pledge announced"),
    "pledge.agreed": _l("Agreement signed on a pledge"),
    "pledge.withdraw": _l("Pledge withdrawn"),
    "contribution_agreement.drafted": _l("Agreement with a donor drafted"),
    "contribution_agreement.confirm": _l("Agreement with a donor confirmed"),
    "contribution_agreement.fulfilled": _l("Agreement with a donor fulfilled"),
    "contribution_agreement.reopened": _l("Agreement open again: a transfer was a mistake"),
    "contribution_agreement.discard": _l("Draft of an agreement set aside"),
    "contribution_agreement.cancel": _l("Rest of an agreement cancelled"),
    "contribution.received": _l("Contribution received"),
    "contribution.receipt_issued": _l("Receipt issued"),
    "contribution.refunded": _l("Contribution refunded"),
    "contribution.refund_failed": _l("Refund taken back: it did not reach the donor"),
    "contribution.annulled": _l("Contribution taken back: entered by mistake"),
    "contribution.disputed": _l("Card payment disputed"),
    "contribution.dispute_won": _l("Dispute won: the money is back"),
    "contribution.dispute_lost": _l("Dispute lost: the money is gone"),
}


def in_words(act: str) -> str:
    """Return an act in words; one that nobody gave words is shown by its code."""
    return str(ACTS.get(act, act))
