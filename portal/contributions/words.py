"""The acts of record of contributions in words, for histories and the audit."""

from babel.support import LazyProxy

from portal.core.i18n import _, _l
from portal.ledger.rules import REVERSED

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
    "contribution_agreement.cancelled_too": _l(
        "What a mistaken transfer had settled of an agreement cancelled with its rest"
    ),
    "contribution.received": _l("Contribution received"),
    "contribution.receipt_issued": _l("Receipt issued"),
    "contribution.refunded": _l("Contribution refunded"),
    "contribution.refund_failed": _l("Refund taken back: it did not reach the donor"),
    "contribution.annulled": _l("Contribution taken back: entered by mistake"),
    "contribution.disputed": _l("Card payment disputed"),
    "contribution.dispute_won": _l("Dispute won: the money is back"),
    "contribution.dispute_lost": _l("Dispute lost: the money is gone"),
}

REFUND_FAILURES: dict[str, LazyProxy] = {
    "canceled": _l("The card processor cancelled it"),
    "charge_for_pending_refund_disputed": _l("The donor’s bank disputes the gift"),
    "declined": _l("The donor’s bank refused it"),
    "expired_or_canceled_card": _l("The card has expired or was cancelled"),
    "failed": _l("The card processor gave no reason"),
    "insufficient_funds": _l("There is not enough money with the card processor"),
    "lost_or_stolen_card": _l("The card was lost or stolen"),
    "merchant_request": _l("It was called back at the card processor’s own pages"),
    "unknown": _l("The card processor gave no reason"),
}
"""Why a refund did not reach the donor, by the card processor's codes (its `failure_reason`)."""


def why_failed(remark: str) -> str:
    """Return why a refund failed; what the processor wrote in its own words stands as it is."""
    return str(REFUND_FAILURES.get(remark, remark))


def source_in_words(source_ref: str) -> str:
    """Return where money came from, or went by, in words: from a bank's line, by hand, by card.

    `source_ref` is that of a contribution or a refund, or of the booking that takes it back, which
    is known by its kind. "" for one of another kind.
    """
    origin, _colon, rest = source_ref.partition(":")
    if origin == "line":
        return _("Line of the bank’s statement")
    if origin == "hand":
        code = rest.partition(":")[2].removeprefix("back:")
        code = code.removesuffix(REVERSED).removesuffix(":above")
        return _("By hand, the bank’s reference %(code)s", code=code)
    if origin.startswith(("ch_", "re_", "py_", "pyr_", "dp_", "du_")):
        return _("Card processor, %(code)s", code=origin)
    return ""


def in_words(act: str) -> str:
    """Return an act in words; one that nobody gave words is shown by its code."""
    return str(ACTS.get(act, act))
