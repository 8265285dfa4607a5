"""Receipts: made in the background after money came or went back, and sent to the donor.

Each edition of a contribution has a document of its own. A donor has no account here, so the link
in the message holds a keyed hash of the contribution: it opens the receipt that holds now, again
and again, and nothing else.
"""

import hmac
import logging
from base64 import urlsafe_b64encode
from hashlib import sha256

from sqlalchemy import Exists, exists, select

from portal.contributions.models import Contribution, ContributionReceipt
from portal.core import audit, clock, files, i18n, outbox, templating
from portal.core.crypto import derived_key
from portal.core.db import session
from portal.core.pdf import PdfUnavailable
from portal.funds.queries import profile

PURPOSE = "contribution-receipt"
TOKEN_BYTES = 18

log = logging.getLogger(__name__)


def receipt_token(contribution: Contribution) -> str:
    """Return what opens the receipt of a contribution: nobody can guess it, nothing is stored."""
    digest = hmac.new(derived_key(PURPOSE), contribution.id.bytes, sha256).digest()
    return urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()


def receipt_link(contribution: Contribution) -> str:
    """Return the path at which the donor fetches the receipt."""
    return f"/receipts/{contribution.ref}/{receipt_token(contribution)}"


def opens(token: str, contribution: Contribution) -> bool:
    """Say whether `token` is the one of this contribution."""
    return hmac.compare_digest(token.encode(), receipt_token(contribution).encode())


def issue_due_receipts() -> int:
    """Make all receipts that are due, in the caller's transaction; return how many were made."""
    count = 0
    while issue_next_receipt():
        count += 1
    return count


def issue_next_receipt() -> bool:
    """Make the receipt that is due the longest and queue its message; say whether to go on.

    It is written before anything is locked, since that takes about a quarter of a second; what
    changed meanwhile is written anew. Where PDF cannot be made on this machine receipts stay due,
    and the log says so.
    """
    due = select(Contribution).where(~_made()).order_by(*_LONGEST_DUE).limit(1)
    contribution = session.scalar(due)
    if contribution is None:
        return False
    shown = contribution.version
    try:
        content = document(contribution)
    except PdfUnavailable:
        log.warning("receipts are due, and this machine makes no PDF")
        return False
    audit.take_turn()
    session.refresh(contribution, ["version", "edition"], with_for_update=True)
    still_due = session.scalar(
        select(Contribution.id).where(Contribution.id == contribution.id, ~_made())
    )
    if contribution.version == shown and still_due is not None:
        _issue(contribution, content)
    return True


_LONGEST_DUE = (Contribution.recorded_at, Contribution.id)


def _made() -> Exists:
    """Return whether the edition that holds has its receipt."""
    return exists().where(
        ContributionReceipt.contribution_id == Contribution.id,
        ContributionReceipt.edition == Contribution.edition,
    )


def document(contribution: Contribution) -> bytes:
    """Return the receipt as PDF, in the donor's language where there is a catalogue of it."""
    with i18n.speaking(contribution.donor.language):
        return templating.document(
            "receipt",
            contribution=contribution,
            donor=contribution.donor,
            agreement=contribution.agreement,
            fund=profile(contribution.fund_code),
            reference=contribution.receipt_no,
            dated=clock.today(),
            addressee=[contribution.donor.name],
        )


def _issue(contribution: Contribution, content: bytes) -> None:
    name = f"receipt-{contribution.receipt_no}-{contribution.edition}.pdf"
    receipt = ContributionReceipt(
        contribution=contribution,
        edition=contribution.edition,
        document=files.keep_document(content, name, None),
    )
    session.add(receipt)
    audit.record(
        "contribution.receipt_issued",
        contribution,
        actor_id=None,
        facts={
            "contribution": contribution.ref,
            "receipt": contribution.receipt_no,
            "edition": receipt.edition,
            "digest": receipt.document.sha256,
        },
    )
    donor = contribution.donor
    if donor.email:
        outbox.queue(
            donor.email,
            "receipt_ready" if receipt.edition == 1 else "receipt_changed",
            key=f"receipt:{contribution.id}:{receipt.edition}",
            link=receipt_link(contribution),
            locale=donor.language,
            reference=contribution.ref,
        )
